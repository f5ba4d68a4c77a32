// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"slices"
	"testing"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
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
	find := (&logs{
		stored: b.stored, behind: map[kafka.Partition]int64{}, open: map[kafka.Partition]kafka.Messages{},
	}).find
	expect := func(wrong error, offsets []int64, texts ...string) {
		t.Helper()
		var want []ledger.Place
		for _, offset := range offsets {
			want = append(want, ledger.Place{Offset: offset})
		}
		got, err := find(acknowledged{partition: broker1, values: values(texts...)})
		if !errors.Is(err, wrong) || !slices.Equal(got, want) {
			t.Errorf("got %v, %v; want %v, %v", got, err, want, wrong)
		}
	}
	b.write("a", "bcd")
	expect(nil, []int64{0, 11}, "a", "bcd")
	expect(errNotStored, nil, "e")
	b.write("e")
	expect(nil, []int64{24}, "e")
	b.write("f", "g", "h", "f") // of two calls at once
	expect(nil, []int64{57, 46}, "h", "g")
	expect(nil, []int64{35, 68}, "f", "f")
	b.write("i")
	expect(errNotStored, nil, "i", "j")
}

func TestPlacesAsTold(t *testing.T) {
	got, err := asTold(acknowledged{partition: broker1, offsets: []int64{7, 9}, values: values("a", "b")})
	if err != nil || !slices.Equal(got, []ledger.Place{{Offset: 7}, {Offset: 9}}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := asTold(acknowledged{partition: broker1, offsets: []int64{-1}, values: values("a")}); err == nil {
		t.Error("an acknowledgement without an offset is taken")
	}
}
