// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Config says how messages are dispatched.
type Config struct {
	Topic  string
	Outlet Outlet
	// ByKey sends what has a key where the key says; KeyedMoves lets it go elsewhere while nobody takes it there.
	ByKey, KeyedMoves bool
	// RoundRobin takes one partition after the other for what is free to go anywhere. Otherwise it is a random one for as
	// long as a batch takes to fill.
	RoundRobin bool
	// Linger is how long a message may wait for others.
	Linger time.Duration
	// MaxBuffered bounds the bytes that have no outcome yet.
	MaxBuffered int
	// Settle is how long after the end of an item's time its batch is repeated for Item.Settled.
	Settle time.Duration
	// BatchBytes bounds a batch of more than one message.
	BatchBytes int
}

// ErrClosed refuses what comes after Close.
var ErrClosed = errors.New("the producer is closed")

// Dispatcher is made by New. Safe for concurrent use.
type Dispatcher struct {
	config Config
	ctx    context.Context //nolint:containedctx // the dispatcher's life
	cancel context.CancelFunc
	wake   chan struct{} // holds a token if the loop has something to do
	loop   sync.WaitGroup
	flying sync.WaitGroup

	// mu guards what follows. It is never held while waiting for brokers, or while outcomes are told.
	mu       sync.Mutex
	closed   bool
	underway int
	// doubts counts items of which Settled is yet to be told.
	doubts int
	// forsaken is when GiveUpDoubts was called: what came before is not repeated beyond its time.
	forsaken time.Time
	bytes    int
	current  *generation
	sealed   []*generation
	// ended are items whose outcome is yet to be told; spare is memory for the next of them.
	ended, spare []*Item
	// settlings are outcomes of items that were doubted, yet to be told.
	settlings []settling

	lanes map[string]*lane
	// order are the lanes of the topology, in its order.
	order []*lane
	key   func([]byte, int) int
	// repeatable is the topology's.
	repeatable bool
	brokers    map[string]*broker
	// homeless are items that no lane is known for.
	homeless []*Item
	sticky   *lane
	turn     int

	// asked says that a topology newer than now is wanted.
	asked bool
	// learning says that the topology is being asked for.
	learning bool
	// learned is when the topology was asked for that stands.
	learned time.Time
	// missing counts the answers in a row that there is no such topic, or that this client may not know of it.
	missing int
	// troubles counts the answers in a row that did not help.
	troubles int
	failure  error
}

// New makes a dispatcher and begins to run it.
func New(config Config) *Dispatcher {
	d := &Dispatcher{
		config: config, wake: make(chan struct{}, 1), current: newGeneration(),
		lanes: map[string]*lane{}, brokers: map[string]*broker{},
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.loop.Go(d.run)
	return d
}

// mostSpare bounds the memory that is kept for outcomes: those of eight batches of 1 KiB each, 64 KB.
const mostSpare = 8192

// Put takes an item, whose sender is told in any case.
func (d *Dispatcher) Put(item *Item) {
	d.mu.Lock()
	item.generation = d.current
	d.current.open++
	d.underway++
	d.bytes += item.Size
	switch {
	case d.closed:
		d.refuse(item, item.Message.Partition.ID, ErrClosed)
	case d.bytes > d.config.MaxBuffered:
		d.refuse(item, item.Message.Partition.ID, kafka.ErrBusy)
	default:
		d.route(item, item.Since)
		if d.underway == 1 {
			d.signal() // the loop sleeps while there is nothing
		}
	}
	d.release()
}

// release unlocks mu and tells what was noted meanwhile.
func (d *Dispatcher) release() {
	for d.tell() {
	}
	d.mu.Unlock()
}

// tell tells what was noted, without mu, and reports whether there was anything.
func (d *Dispatcher) tell() bool {
	ended, settlings := d.ended, d.settlings
	if len(ended) == 0 && len(settlings) == 0 {
		return false
	}
	d.settlings = nil
	d.ended, d.spare = d.spare, nil
	leaving, failed := sortEnded(ended, make([]leave, 0, 2)) // which need not be allocated: two calls of Flush are rare
	d.mu.Unlock()
	for _, item := range ended {
		item.Sender.Done(item.outcome, item.err)
	}
	for _, s := range settlings {
		s.item.Settled(s.outcome, s.err)
	}
	d.mu.Lock()
	for _, l := range leaving { // not before all who wait for Flush have been told
		l.generation.leave(l.items)
	}
	for _, item := range failed {
		item.heard = true
		d.settlings = append(d.settlings, item.early...)
	}
	clear(ended)
	if cap(ended) <= mostSpare {
		d.spare = ended[:0]
	}
	return true
}

// leave are items that leave a generation.
type leave struct {
	generation *generation
	items      int
}

// sortEnded tells what has to be known of items once their senders were told: those without an error are not to be
// looked at any more by then.
func sortEnded(ended []*Item, leaving []leave) (_ []leave, failed []*Item) {
	for _, item := range ended {
		if n := len(leaving); n == 0 || leaving[n-1].generation != item.generation {
			leaving = append(leaving, leave{generation: item.generation})
		}
		leaving[len(leaving)-1].items++
		if item.err != nil {
			failed = append(failed, item)
		}
	}
	return leaving, failed
}

// GiveUpDoubts ends the repeating of what came before beyond its own time: a moment after an item's Deadline its batch
// is not repeated any more, and Item.Settled is told that the outcome is unknown. What came after is not concerned,
// unless it is in one batch with such an item.
func (d *Dispatcher) GiveUpDoubts() {
	d.mu.Lock()
	d.forsaken = time.Now()
	d.sweep(d.forsaken)
	d.release()
}

// Buffered are the bytes that have no outcome yet.
func (d *Dispatcher) Buffered() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bytes
}

// Flush waits until everything that came before has an outcome, or ctx ends.
func (d *Dispatcher) Flush(ctx context.Context) error {
	d.mu.Lock()
	if d.current.open > 0 {
		d.current.seal()
		d.sealed = append(d.sealed, d.current)
		d.current = newGeneration()
	}
	d.sealed = slices.DeleteFunc(d.sealed, func(g *generation) bool { return g.open == 0 })
	waiting := slices.Clone(d.sealed)
	for _, lane := range d.lanes {
		lane.hurry = true
		d.offer(lane, time.Now())
	}
	d.release()
	for _, g := range waiting {
		select {
		case <-g.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close refuses what comes from now on, waits until all else has an outcome, if only that it is unknown, and closes the
// outlet.
func (d *Dispatcher) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	_ = d.Flush(context.WithoutCancel(d.ctx)) // ends: every item has a deadline
	d.cancel()
	d.loop.Wait()
	d.flying.Wait()
	d.mu.Lock()
	for _, lane := range d.lanes {
		if lane.timer != nil {
			lane.timer.Stop()
		}
		if lane.batch != nil { // nothing settles it any more
			d.lose(lane, lane.batch, ErrClosed)
		}
	}
	d.release()
	d.config.Outlet.Close()
}

// signal wakes the loop.
func (d *Dispatcher) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}
