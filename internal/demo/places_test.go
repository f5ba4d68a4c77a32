// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"slices"
	"testing"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var broker1 = kafka.Partition{Topic: lines, ID: "1-3"}

// book is a log of Kafka 0.7, whose positions are bytes.
type book kafka.Messages

func (b *book) write(values ...string) {
	for _, value := range values {
		next := int64(0)
		if len(*b) > 0 {
			next = (*b)[len(*b)-1].Next
		}
		*b = append(*b, kafka.Message{
			Partition: broker1, Offset: next, Next: next + 10 + int64(len(value)), Value: []byte(value),
		})
	}
}

func (b *book) stored(_ kafka.Partition, from int64) (kafka.Messages, error) {
	for i, m := range *b {
		if m.Offset >= from {
			return kafka.Messages((*b)[i:]), nil
		}
	}
	return nil, nil
}

func values(texts ...string) (list [][]byte) {
	for _, text := range texts {
		list = append(list, []byte(text))
	}
	return list
}

func TestPlacesInALog(t *testing.T) {
	var b book
	find := (&logs{stored: b.stored, behind: map[kafka.Partition]int64{}}).find
	published := client.Published{Partition: broker1, Offset: -1}
	expect := func(wrong error, offsets []int64, texts ...string) {
		t.Helper()
		var want []ledger.Place
		for _, offset := range offsets {
			want = append(want, ledger.Place{Offset: offset})
		}
		got, err := find(published, values(texts...))
		if !errors.Is(err, wrong) || !slices.Equal(got, want) {
			t.Errorf("got %v, %v; want %v, %v", got, err, want, wrong)
		}
	}
	b.write("a", "bcd")
	expect(nil, []int64{0, 11}, "a", "bcd")
	expect(errNotStored, nil, "e")
	b.write("e")
	expect(nil, []int64{24}, "e")
	b.write("f", "g") // of a call that failed
	b.write("f", "g")
	expect(nil, []int64{57, 68}, "f", "g")
	b.write("h", "i")
	expect(errNotStored, nil, "h", "j")
	b.write("k")
	expect(nil, []int64{101}, "k")
}
