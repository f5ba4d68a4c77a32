// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestPartitionsSortByNumber(t *testing.T) {
	got := []kafka.Partition{{"b", "1"}, {"a", "10"}, {"a", "2"}, {"a", "1-3"}, {"a", "1-10"}}
	slices.SortFunc(got, kafka.Partition.Compare)
	want := []kafka.Partition{{"a", "2"}, {"a", "10"}, {"a", "1-10"}, {"a", "1-3"}, {"b", "1"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Comparing must be an order, or sorting the same partitions twice could give two results.
func FuzzPartitionOrder(f *testing.F) {
	f.Add("1", "01", "1-1")
	f.Add("10", "9", "x")
	f.Fuzz(func(t *testing.T, x, y, z string) {
		a, b, c := kafka.Partition{ID: x}, kafka.Partition{ID: y}, kafka.Partition{ID: z}
		if a.Compare(b) != -b.Compare(a) {
			t.Errorf("%q and %q: not the same both ways", x, y)
		}
		if (a.Compare(b) == 0) != (a == b) {
			t.Errorf("%q and %q: equal and not", x, y)
		}
		if a.Compare(b) < 0 && b.Compare(c) < 0 && a.Compare(c) >= 0 {
			t.Errorf("%q < %q < %q, and not the first below the last", x, y, z)
		}
	})
}

func TestMessageIDs(t *testing.T) {
	for want, m := range map[string]kafka.Message{
		"orders/3/42":     {Partition: kafka.Partition{Topic: "orders", ID: "3"}, Offset: 42},
		"orders/1-3/42.2": {Partition: kafka.Partition{Topic: "orders", ID: "1-3"}, Offset: 42, Index: 2},
	} {
		if got := m.ID(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestBatchIsAWindow(t *testing.T) {
	p := kafka.Partition{Topic: "orders", ID: "0"}
	records := kafka.Messages{
		{Offset: 0, Next: 5, Value: []byte("ab")},
		{Offset: 5, Next: 9, Key: []byte("c")},
		{Offset: 9, Next: 12, Headers: []kafka.Header{{Key: "d", Value: []byte("ef")}}},
	}
	batch := kafka.NewBatch(p, records).Slice(1, 3)
	if batch.Len() != 2 || batch.Partition() != p || batch.Message(0).Offset != 5 || batch.Next(1) != 12 {
		t.Errorf("wrong window: %d messages from %d to %d", batch.Len(), batch.Message(0).Offset, batch.Next(1))
	}
	if batch.Bytes() != 4 || batch.Size(0) != 1 || batch.Slice(1, 1).Len() != 0 {
		t.Errorf("wrong sizes: %d bytes, first %d", batch.Bytes(), batch.Size(0))
	}
	if (kafka.Batch{}).Len() != 0 {
		t.Error("the zero batch is not empty")
	}
}

func TestOutOfRangeKnowsTheEnd(t *testing.T) {
	lost := &kafka.OutOfRange{Position: 3, Earliest: 10, Latest: 20}
	cut := &kafka.OutOfRange{Position: 30, Earliest: 10, Latest: 20}
	if lost.Truncated() || !cut.Truncated() {
		t.Error("below the start and beyond the end are mixed up")
	}
	if !errors.Is(&kafka.Refused{Err: io.EOF}, io.EOF) {
		t.Error("the cause of a refusal is lost")
	}
}

func TestPlaces(t *testing.T) {
	noon := time.Unix(1, 0)
	at, timed := kafka.Since(noon).Time()
	if !kafka.Earliest().IsEarliest() || !kafka.Latest().IsLatest() || !timed || !at.Equal(noon) {
		t.Error("a place is not where it says")
	}
	if kafka.Since(noon).IsEarliest() || kafka.Since(noon).IsLatest() {
		t.Error("a time is taken for an end")
	}
}
