// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"maps"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Delivery is one message that arrived at the sink.
type Delivery struct {
	Partition kafka.Partition
	Offset    int64
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
	// published holds the checksum of each message by its offset.
	published map[int64]uint32
	// appends are in the order of time, and so are deliveries.
	appends    []appended
	deliveries []Delivery
	seen       map[int64]bool
	claim      int64
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
		b = &book{published: map[int64]uint32{}, seen: map[int64]bool{}}
		l.books[partition] = b
	}
	return b
}

// Publish enters messages that the brokers acknowledged at a time: consecutive offsets from first on, a checksum for
// each. Entries are made in the order of time.
func (l *Ledger) Publish(partition kafka.Partition, first int64, sums []uint32, at time.Time) {
	b := l.book(partition)
	for i, sum := range sums {
		b.published[first+int64(i)] = sum
	}
	b.appends = append(b.appends, appended{at: at, count: len(sums)})
	l.published += len(sums)
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
	b.deliveries = append(b.deliveries, d)
	if !b.seen[d.Offset] {
		b.seen[d.Offset] = true
		l.delivered++
	}
	return true
}

// Published counts messages published.
func (l *Ledger) Published() int { return l.published }

// Delivered counts messages delivered at least once.
func (l *Ledger) Delivered() int { return l.delivered }

func (l *Ledger) partitions() []kafka.Partition {
	return slices.SortedFunc(maps.Keys(l.books), func(a, b kafka.Partition) int { return a.Compare(b) })
}
