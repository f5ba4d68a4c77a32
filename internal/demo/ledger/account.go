// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Window is a span of time in which something happened that nobody planned.
type Window struct{ From, To time.Time }

// Account is what the books come to.
type Account struct {
	Published, Delivered int
	// Lost were published and never delivered.
	Lost int
	// Strange were delivered and never published; Altered with another value than was published.
	Strange, Altered int
	// Refused came under an older claim than one already seen.
	Refused int
	// Planned and Unplanned are the changes' costs.
	Planned, Unplanned Cost
	// Disorder counts, for each partition, deliveries out of order: a message for the first time after a later one, or a
	// place before the last one's under the same claim. Partitions in order have no entry.
	Disorder map[kafka.Partition]int
	// Partitions counts those that had messages.
	Partitions int
}

// Cost is what changes cost.
type Cost struct {
	// Repeated counts deliveries of a message that had been delivered before; Repeats tells of them, run by run.
	Repeated int
	Repeats  []Repeat
	// Pause is the longest time that a partition had undelivered messages and no delivery.
	Pause Pause
}

// Repeat is a run of deliveries in one partition, without another between them, that had all been made before.
type Repeat struct {
	Partition kafka.Partition
	// First is what the run begins with.
	First Place
	Count int
	At    time.Time
	// Before and Claim are what the first of them came under before, and now.
	Before, Claim int64
}

// Pause is a time in which a partition stood.
type Pause struct {
	Partition kafka.Partition
	From      time.Time
	Length    time.Duration
}

// Account closes the books at a time. What touches one of the windows counts as unplanned: a pause that a killed
// worker makes begins with its last delivery, some milliseconds before the kill, and may last beyond its window.
func (l *Ledger) Account(unplanned []Window, until time.Time) Account {
	a := Account{
		Published: l.published, Delivered: l.delivered, Refused: l.refused, Disorder: map[kafka.Partition]int{},
	}
	for _, partition := range l.partitions() {
		b := l.books[partition]
		a.Partitions++
		a.compare(b)
		a.repeats(b, unplanned)
		if count := b.disorder(); count > 0 {
			a.Disorder[partition] = count
		}
		b.pauses(until, func(from, to time.Time) {
			cost := &a.Planned
			if touches(unplanned, from, to) {
				cost = &a.Unplanned
			}
			if length := to.Sub(from); length > cost.Pause.Length {
				cost.Pause = Pause{Partition: partition, From: from, Length: length}
			}
		})
	}
	return a
}

// compare holds what was delivered against what was published.
func (a *Account) compare(b *book) {
	for place := range b.published {
		if !b.seen[place] {
			a.Lost++
		}
	}
	for _, d := range b.deliveries {
		sum, known := b.published[d.Place]
		switch {
		case !known:
			a.Strange++
		case sum != d.Sum:
			a.Altered++
		}
	}
}

func (a *Account) repeats(b *book, unplanned []Window) {
	claims := make(map[Place]int64, len(b.seen))
	var running *Cost // what the run that goes on counts for
	for _, d := range b.deliveries {
		before, repeated := claims[d.Place]
		claims[d.Place] = d.Claim
		if !repeated {
			running = nil
			continue
		}
		cost := &a.Planned
		if touches(unplanned, d.At, d.At) {
			cost = &a.Unplanned
		}
		cost.Repeated++
		if running != cost {
			running = cost
			cost.Repeats = append(cost.Repeats, Repeat{
				Partition: d.Partition, First: d.Place, At: d.At, Before: before, Claim: d.Claim,
			})
		}
		cost.Repeats[len(cost.Repeats)-1].Count++
	}
}

// disorder counts in two ways, as neither sees everything: first deliveries must come in the order of places,
// whoever makes them; and what comes under one claim must never step back. (It may stand: an attempt whose answer was
// lost is made again.)
func (b *book) disorder() int {
	count := 0
	first, last := Place{Offset: -1}, map[int64]Place{}
	seen := make(map[Place]bool, len(b.seen))
	for _, d := range b.deliveries {
		before, under := last[d.Claim]
		fresh := !seen[d.Place]
		if fresh && d.Before(first) || under && d.Before(before) {
			count++
		}
		if fresh {
			seen[d.Place] = true
			first = later(first, d.Place)
		}
		last[d.Claim] = d.Place
	}
	return count
}

// pauses calls found for every span between two deliveries, or between messages becoming available to a partition
// that had none and the next delivery, or between either and the end.
func (b *book) pauses(until time.Time, found func(from, to time.Time)) {
	var since time.Time // when the partition began to stand with something to deliver; zero while it has nothing
	waiting, next := 0, 0
	seen := make(map[Place]bool, len(b.seen))
	take := func(to time.Time) {
		for ; next < len(b.appends) && !b.appends[next].at.After(to); next++ {
			if waiting <= 0 && waiting+b.appends[next].count > 0 {
				since = b.appends[next].at
			}
			waiting += b.appends[next].count
		}
	}
	for _, d := range b.deliveries {
		take(d.At)
		if !since.IsZero() {
			found(since, d.At)
		}
		if !seen[d.Place] {
			// A delivery may be entered before its append is: the acknowledgment is slower than a worker. Then waiting is
			// below zero for a moment.
			seen[d.Place] = true
			waiting--
		}
		since = d.At
		if waiting <= 0 {
			since = time.Time{}
		}
	}
	take(until)
	if !since.IsZero() && waiting > 0 {
		found(since, until)
	}
}

func touches(windows []Window, from, to time.Time) bool {
	return slices.ContainsFunc(windows, func(w Window) bool { return !to.Before(w.From) && !from.After(w.To) })
}
