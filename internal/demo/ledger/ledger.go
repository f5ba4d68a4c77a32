// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Place is where a message is in its partition, and with it its identity. What lies between two neighbours means
// nothing: positions of Kafka 0.7 are bytes, and messages of one wrapper there share theirs.
type Place struct {
	Offset int64
	// Index counts within a wrapper.
	Index int32
}

// PlaceOf is the place of a message.
func PlaceOf(m kafka.Message) Place { return Place{Offset: m.Offset, Index: m.Index} }

// Compare orders places as their partition does.
func (p Place) Compare(other Place) int {
	return cmp.Or(cmp.Compare(p.Offset, other.Offset), cmp.Compare(p.Index, other.Index))
}

// Before reports whether a place comes before another.
func (p Place) Before(other Place) bool { return p.Compare(other) < 0 }

func later(a, b Place) Place {
	if a.Before(b) {
		return b
	}
	return a
}

// Publication is one message that the brokers acknowledged.
type Publication struct {
	Place

	// Sum is a checksum of the value.
	Sum uint32
}

// Delivery is one message that arrived at the sink.
type Delivery struct {
	Place

	Partition kafka.Partition
	// Claim is the token of the ownership it came under; a later owner's is higher.
	Claim int64
	// Sum is a checksum of the value, as given to Publish.
	Sum uint32
	At  time.Time
}

// Ledger is the list of both. Not safe for concurrent use.
type Ledger struct {
	books map[kafka.Partition]*book
	// published and delivered count messages; repeats do not count.
	published, delivered int
	refused              int
}

// book is the list of one partition.
type book struct {
	// published holds the checksum of each message by its place.
	published map[Place]uint32
	// appends are in the order of time, and so are deliveries.
	appends    []appended
	deliveries []Delivery
	seen       map[Place]bool
	claim      int64
	// written and arrived are the last places of each; moved is when there was nothing to deliver, or a delivery.
	written, arrived Place
	moved            time.Time
}

// appended is a run of messages that became available at once.
type appended struct {
	at    time.Time
	count int
}

// New gives an empty ledger.
func New() *Ledger { return &Ledger{books: map[kafka.Partition]*book{}} }

func (l *Ledger) book(partition kafka.Partition) *book {
	b, ok := l.books[partition]
	if !ok {
		before := Place{Offset: -1}
		b = &book{published: map[Place]uint32{}, seen: map[Place]bool{}, written: before, arrived: before}
		l.books[partition] = b
	}
	return b
}

// Publish enters messages of one partition that the brokers acknowledged at a time. Entries are made in the order of
// time.
func (l *Ledger) Publish(partition kafka.Partition, messages []Publication, at time.Time) {
	b := l.book(partition)
	if !b.waiting() {
		b.moved = at
	}
	for _, m := range messages {
		b.published[m.Place] = m.Sum
		b.written = later(b.written, m.Place)
	}
	b.appends = append(b.appends, appended{at: at, count: len(messages)})
	l.published += len(messages)
}

// Deliver enters a delivery and reports whether it was taken. One under an older claim than one already seen is
// refused: the sink's side of the fence, against a worker that froze between its last look at the clock and its
// write. Entries are made in the order of time.
func (l *Ledger) Deliver(d Delivery) bool {
	b := l.book(d.Partition)
	if d.Claim < b.claim {
		l.refused++
		return false
	}
	b.claim = d.Claim
	b.arrived, b.moved = later(b.arrived, d.Place), d.At
	b.deliveries = append(b.deliveries, d)
	if !b.seen[d.Place] {
		b.seen[d.Place] = true
		l.delivered++
	}
	return true
}

// waiting reports whether the last message published has not been delivered.
func (b *book) waiting() bool { return b.arrived.Before(b.written) }

// Stands reports whether messages of a partition wait, and none has arrived for longer than that.
func (l *Ledger) Stands(partition kafka.Partition, longer time.Duration, now time.Time) bool {
	b := l.book(partition)
	return b.waiting() && now.Sub(b.moved) > longer
}

// Uncommitted counts published messages that do not stand below their partition's committed position: those would be
// delivered again.
func (l *Ledger) Uncommitted(committed func(kafka.Partition) int64) (count int) {
	for partition, b := range l.books {
		position := committed(partition)
		for place := range b.published {
			if place.Offset >= position {
				count++
			}
		}
	}
	return count
}

// Published counts messages published.
func (l *Ledger) Published() int { return l.published }

// Delivered counts messages delivered at least once.
func (l *Ledger) Delivered() int { return l.delivered }

func (l *Ledger) partitions() []kafka.Partition {
	return slices.SortedFunc(maps.Keys(l.books), func(a, b kafka.Partition) int { return a.Compare(b) })
}
