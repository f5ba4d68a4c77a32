// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Outcome is what became of a message.
type Outcome struct {
	Partition kafka.Partition
	Offset    int64
	Timestamp time.Time
	// Held says that a broker has it.
	Held bool
	// Took is how long that took since Item.Since.
	Took time.Duration
}

// Sender is who a message is of.
type Sender interface {
	// Done is told the outcome, once. It must not block. Without an error the item is the sender's again, to be used for
	// another message at once: nobody looks at it any more.
	Done(Outcome, error)
}

// Item is a message on its way.
type Item struct {
	// Message has its timestamp, and a partition's id if it must go there.
	Message kafka.Message
	Sender  Sender
	// Settled, if not nil, is told what became of it after all where Sender was told that this is unknown: once, and after
	// that. Its batch is repeated until then, for Config.Settle beyond Deadline at most, or until GiveUpDoubts.
	Settled func(Outcome, error)
	// Since is when it came.
	Since time.Time
	// Context and Deadline end the waiting, whichever is first.
	Context  context.Context //nolint:containedctx // the message's, which travels alone
	Deadline time.Time
	// Size is what it counts for, in bytes.
	Size int

	generation *generation
	// told says that the outcome is known: outcome, or err; doubted that Settled is yet to be told.
	told, doubted bool
	outcome       Outcome
	err           error
	// heard says that Sender was told; until then Settled has to wait with what is early.
	heard bool
	early []settling
}

// late says why the item must not wait any longer, nil if it may.
func (i *Item) late(now time.Time) error {
	if err := i.Context.Err(); err != nil {
		return err
	}
	if !now.Before(i.Deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// keyed says that the key decides where it goes.
func (d *Dispatcher) keyed(i *Item) bool { return d.config.ByKey && i.Message.Key != nil }

// bound says that the item must not change its partition.
func (d *Dispatcher) bound(i *Item) bool {
	return i.Message.Partition.ID != "" || d.keyed(i) && !d.config.KeyedMoves
}

// settling is what became of an item that was doubted.
type settling struct {
	item    *Item
	outcome Outcome
	err     error
}

// end notes an item's outcome, to be told after mu is released: never while it is held.
func (d *Dispatcher) end(item *Item, outcome Outcome, err error) {
	if item.told {
		d.settleDoubt(item, outcome, err)
		return
	}
	item.told, item.outcome, item.err = true, outcome, err
	d.underway--
	d.bytes -= item.Size
	d.ended = append(d.ended, item)
	if d.underway == 0 {
		d.signal() // Close may be waiting
	}
}

// doubt is end for an item of which it is unknown whether it was written, and may be known later.
func (d *Dispatcher) doubt(item *Item, err error) {
	if item.told {
		return
	}
	d.end(item, Outcome{}, err)
	if item.Settled != nil {
		item.doubted = true
		d.doubts++
	}
}

func (d *Dispatcher) settleDoubt(item *Item, outcome Outcome, err error) {
	if !item.doubted {
		return
	}
	item.doubted = false
	d.doubts--
	if s := (settling{item, outcome, err}); item.heard {
		d.settlings = append(d.settlings, s)
	} else {
		item.early = []settling{s}
	}
}

// refuse ends an item that was certainly not written.
func (d *Dispatcher) refuse(item *Item, partition string, reason error) {
	at := kafka.Partition{Topic: d.config.Topic, ID: partition}
	d.end(item, Outcome{}, &kafka.Refused{Partition: at, Err: reason})
}

// generation are the items that came between two calls of Flush.
type generation struct {
	open   int
	sealed bool
	done   chan struct{}
}

func newGeneration() *generation { return &generation{done: make(chan struct{})} }

func (g *generation) leave(items int) {
	if g.open -= items; g.open == 0 && g.sealed {
		close(g.done)
	}
}

func (g *generation) seal() {
	if g.sealed = true; g.open == 0 {
		close(g.done)
	}
}
