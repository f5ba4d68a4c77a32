// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump

import (
	"fmt"
	"slices"
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
)

// An inbox that was full stays so until the lane has made room, whatever else is put into it meanwhile: or the fetch,
// which the consumer paused, would never be resumed.
func TestInboxAsksForMoreAfterItWasFull(t *testing.T) {
	b := newInbox(100)
	put := func(size int) bool {
		value := kafka.Messages{{Value: make([]byte, size)}}
		return b.put(parcel{batch: kafka.NewBatch(kafka.Partition{}, value), size: size})
	}
	if !put(40) || put(70) {
		t.Fatal("room is wrong")
	}
	if _, room := b.take(); room {
		t.Fatal("70 of 100 bytes are not half")
	}
	if b.put(parcel{event: lane.OutOfRange{}}) {
		t.Fatal("a full inbox takes more")
	}
	if _, room := b.take(); !room {
		t.Fatal("an inbox with no bytes left does not ask for more")
	}
}

// A partition that takes nothing while transactions are aborted for days does not fill the memory.
func TestInboxHoldsOneOfManySkips(t *testing.T) {
	b := newInbox(100)
	b.put(parcel{batch: kafka.NewBatch(kafka.Partition{}, kafka.Messages{{Value: []byte("a")}}), size: 1})
	for i := range 1000 {
		b.put(parcel{event: lane.Skipped{To: int64(i)}})
	}
	b.take()
	if event, _ := b.take(); event != (lane.Skipped{To: 999}) {
		t.Errorf("took %v", event)
	}
	if event, _ := b.take(); event != nil {
		t.Errorf("took %v too much", event)
	}
}

func TestInboxHoldsOneOfManyFailedFetches(t *testing.T) {
	b := newInbox(100)
	batch := parcel{batch: kafka.NewBatch(kafka.Partition{}, kafka.Messages{{Value: []byte("a")}}), size: 1}
	for range 1000 {
		b.put(parcel{event: lane.Unfetched{}})
	}
	b.put(batch)
	b.put(parcel{event: lane.Unfetched{}})
	b.put(parcel{event: lane.OutOfRange{}})
	b.put(parcel{event: lane.OutOfRange{}})
	b.put(parcel{event: lane.Unfetched{}})
	b.put(parcel{event: lane.Unstuck{}})
	for range 1000 {
		b.put(parcel{event: lane.Stuck{}})
		b.put(parcel{event: lane.Unfetched{}})
	}
	var found []string
	for event, _ := b.take(); event != nil; event, _ = b.take() {
		found = append(found, fmt.Sprintf("%T", event))
	}
	want := []string{
		"lane.Unfetched", "lane.Fetched", "lane.Unfetched", "lane.OutOfRange", "lane.OutOfRange", "lane.Stuck",
	}
	if !slices.Equal(found, want) {
		t.Errorf("got %v", found)
	}
}
