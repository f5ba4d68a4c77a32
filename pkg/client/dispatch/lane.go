// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"math/rand/v2"
	"slices"
	"time"
)

const (
	// After a failure a lane pauses for 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, ... s, a fifth jittered: a leader that moves is
	// found soon, and one that went away is noticed well within the 10 s in which a cluster heals.
	pauseFloor = 100 * time.Millisecond
	pauseCap   = 2 * time.Second
	// stallAfter is when a broker that has not answered is no longer given messages that others would take: a healthy one
	// takes milliseconds, one whose disk is busy tenths of a second.
	stallAfter = time.Second
)

// lane leads to one partition.
type lane struct {
	id string
	// broker takes what is written, "" while nobody does.
	broker string
	// queue are items that are in no batch; bytes is their size.
	queue []*Item
	bytes int
	// batch is underway if flight is not nil; otherwise it is unheard and to be repeated.
	batch  *Batch
	flight *flight
	// listed is the broker among whose next ones the lane is, share what it counts for there, in bytes.
	listed *broker
	share  int
	// pause is when the next attempt may begin, fails how many failed in a row, err why.
	pause time.Time
	fails int
	err   error
	timer *time.Timer
	// most bounds the messages of a batch while one is sought that no broker takes; 0: no bound.
	most int
	// hurry says not to linger.
	hurry bool
	// first is when the oldest item of the queue came, for lingering.
	first time.Time
}

// takes says whether a lane is likely to have its next batch written soon: not while one is repeated. After a failure
// that left none, the next message finds out.
func (l *lane) takes(now time.Time) bool {
	return l.broker != "" && !l.stalls(now) && !l.pause.After(now) && (l.fails == 0 || l.batch == nil)
}

// stalls says that a broker has kept a batch for long.
func (l *lane) stalls(now time.Time) bool {
	return l.flight != nil && now.Sub(l.flight.since) >= stallAfter
}

// add queues an item.
func (l *lane) add(item *Item, now time.Time) {
	if len(l.queue) == 0 {
		l.first = now
	}
	l.queue = append(l.queue, item)
	l.bytes += item.Size
}

// takeBack puts the items of a batch that was not written before all others.
func (l *lane) takeBack(items []*Item) {
	open := slices.DeleteFunc(slices.Clone(items), func(i *Item) bool { return i.told })
	for _, item := range open {
		l.bytes += item.Size
	}
	l.queue = append(open, l.queue...)
}

// filter keeps the items of the queue that keep says.
func (l *lane) filter(keep func(*Item) bool) {
	l.queue = slices.DeleteFunc(l.queue, func(item *Item) bool {
		if keep(item) {
			return false
		}
		l.bytes -= item.Size
		return true
	})
}

// failed makes the lane pause.
func (l *lane) failed(now time.Time, err error) {
	wait := pauseCap
	if l.fails < 5 {
		wait = min(pauseFloor<<l.fails, pauseCap)
	}
	l.fails++
	l.err = err
	l.pause = now.Add(wait - time.Duration(rand.Int64N(int64(wait)/5)))
}

// cut makes the next batch: as much of the queue as fits, or the unheard one.
func (d *Dispatcher) cut(l *lane, now time.Time) *Batch {
	if l.batch != nil {
		l.batch.step.Store(idle)
		l.batch.verdict = Open
		return l.batch
	}
	size, n := 0, 0
	batch := &Batch{Partition: l.id, offset: -1, logged: -1}
	for _, item := range l.queue {
		if len(batch.Items) > 0 && (size+item.Size > d.config.BatchBytes || len(batch.Items) == l.most) {
			break
		}
		n++
		l.bytes -= item.Size
		if err := item.late(now); err != nil {
			d.refuseLate(item, l, err)
			continue
		}
		size += item.Size
		batch.Items = append(batch.Items, item)
	}
	l.dropFirst(n)
	l.first = now
	if len(batch.Items) == 0 {
		return nil
	}
	l.batch = batch
	return batch
}

// dropFirst takes n items off the queue, and gives its memory up when it is empty and large.
func (l *lane) dropFirst(n int) {
	clear(l.queue[:n])
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue, l.hurry = nil, false
	}
}
