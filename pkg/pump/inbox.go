// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump

import (
	"sync"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
)

// inbox is what waits for a lane: orders, which are few and come first, and batches, bounded in bytes.
type inbox struct {
	// limit is how many bytes of batches are enough; at half of it there is room again, so that a lane that is a little
	// slower than its fetch does not pause it with every batch (a paused fetch is thrown away and made again).
	limit int
	// mail holds a token while there may be something inside.
	mail chan struct{}

	// mu protects what follows.
	mu       sync.Mutex
	orders   []lane.Event
	parcels  []parcel
	bytes    int
	messages int
	full     bool
}

// parcel is a batch, or what was learnt about the log behind the batches before it: that must not overtake them.
type parcel struct {
	batch kafka.Batch
	size  int
	event lane.Event
}

// verdict tells that a parcel says how the last fetch went, which the next one may say anew; silent, that it says no
// more than that there was no answer.
func (p parcel) verdict() (is, silent bool) {
	switch p.event.(type) {
	case lane.Stuck, lane.Unstuck:
		return true, false
	case lane.Unfetched:
		return true, true
	}
	return false, false
}

func newInbox(limit int) *inbox { return &inbox{limit: limit, mail: make(chan struct{}, 1)} }

func (b *inbox) order(event lane.Event) {
	b.mu.Lock()
	b.orders = append(b.orders, event)
	b.mu.Unlock()
	b.notify()
}

// put adds a parcel and reports whether there is room for more. Of verdicts in a row the last says it all: brokers that
// fail for days must not fill the memory of a lane that takes nothing.
func (b *inbox) put(p parcel) bool {
	b.mu.Lock()
	b.append(p)
	b.bytes += p.size
	b.messages += p.batch.Len()
	b.full = b.full || b.bytes >= b.limit // until take says that there is room
	room := !b.full
	b.mu.Unlock()
	b.notify()
	return room
}

// append keeps one of several verdicts in a row: the newest that says more than that nobody answered, if any does. The
// caller holds mu.
func (b *inbox) append(p parcel) {
	last := len(b.parcels) - 1
	if _, skips := p.event.(lane.Skipped); skips && last >= 0 {
		if _, before := b.parcels[last].event.(lane.Skipped); before {
			b.parcels[last] = p
			return
		}
	}
	verdict, silent := p.verdict()
	if last >= 0 && verdict {
		if before, _ := b.parcels[last].verdict(); before {
			if !silent {
				b.parcels[last] = p
			}
			return
		}
	}
	b.parcels = append(b.parcels, p)
}

// takeOrder takes the oldest order.
func (b *inbox) takeOrder() (lane.Event, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.orders) == 0 {
		return nil, false
	}
	order := b.orders[0]
	b.orders = b.orders[1:]
	return order, true
}

// take takes what the oldest parcel says, nil if there is none. It also reports whether there is room again after there
// was none.
func (b *inbox) take() (event lane.Event, room bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.parcels) == 0 {
		return nil, false
	}
	oldest := b.parcels[0]
	b.parcels[0] = parcel{} // or its messages would live as long as the slice
	b.parcels = b.parcels[1:]
	b.bytes -= oldest.size
	b.messages -= oldest.batch.Len()
	event = oldest.event
	if event == nil {
		event = lane.Fetched{Batch: oldest.batch}
	}
	if b.full && b.bytes <= b.limit/2 {
		b.full = false
		return event, true
	}
	return event, false
}

func (b *inbox) buffered() (bytes, messages int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes, b.messages
}

func (b *inbox) notify() {
	select {
	case b.mail <- struct{}{}:
	default:
	}
}
