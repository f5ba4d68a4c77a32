// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// mostSought is when the search for a message that no broker takes ends: after a dozen batches that were taken.
const mostSought = 4096

// settle draws the conclusions of an attempt at a batch.
func (d *Dispatcher) settle(l *lane, b *Batch, now time.Time) {
	if b.step.Load() == withdrawn { // its items are elsewhere
		l.failed(now, b.reason())
		d.ask()
		return
	}
	switch b.verdict {
	case Written, Sent:
		d.succeed(l, b, now)
	case Retry:
		d.retry(l, b, now)
	case Unfit, Denied:
		if b.Unheard {
			d.lose(l, b, b.reason())
			return
		}
		d.refuseBatch(l, b)
	case Unheard:
		b.Unheard = true
		d.retry(l, b, now)
	case Lost, Open:
		d.lose(l, b, b.reason())
		l.failed(now, b.reason())
		d.ask()
	}
}

func (b *Batch) reason() error {
	if b.err == nil {
		return kafka.ErrUnavailable
	}
	return b.err
}

// succeed ends the items of a batch that was written.
func (d *Dispatcher) succeed(l *lane, b *Batch, now time.Time) {
	l.batch = nil
	l.fails, l.err, l.pause = 0, nil, time.Time{}
	if l.most *= 2; l.most > mostSought { // what was sought lies further behind, or is gone
		l.most = 0
	}
	for i, item := range b.Items {
		outcome := Outcome{
			Partition: kafka.Partition{Topic: d.config.Topic, ID: l.id},
			Offset:    -1, Timestamp: item.Message.Timestamp, Held: b.verdict == Written, Took: now.Sub(item.Since),
		}
		if b.offset >= 0 {
			outcome.Offset = b.offset + int64(i)
		}
		if b.logged >= 0 {
			outcome.Timestamp = time.UnixMilli(b.logged)
		}
		d.end(item, outcome, nil)
	}
}

// retry keeps a batch that may have been written as it is; of another one the messages are queued as before.
func (d *Dispatcher) retry(l *lane, b *Batch, now time.Time) {
	l.failed(now, b.reason())
	d.ask()
	if b.Unheard {
		d.giveUp(l, now)
		return
	}
	d.takeBack(l, b)
	d.disperse(l, now)
}

// takeBack queues the messages of a batch that was certainly not written; those that were doubted were not either.
func (d *Dispatcher) takeBack(l *lane, b *Batch) {
	l.batch = nil
	for _, item := range b.Items {
		if item.doubted {
			d.refuse(item, l.id, b.reason())
		}
	}
	l.takeBack(b.Items)
}

// giveUp forgets a batch that waits to be repeated once all its messages have their outcome, and nobody waits to hear
// what became of it after all; or once it must not be repeated.
func (d *Dispatcher) giveUp(l *lane, now time.Time) {
	if d.forsakes(l.batch, now) {
		d.lose(l, l.batch, context.DeadlineExceeded)
		return
	}
	for _, item := range l.batch.Items {
		if !item.told || item.doubted && now.Before(item.Deadline.Add(d.config.Settle)) {
			return
		}
	}
	d.lose(l, l.batch, context.DeadlineExceeded)
}

// forsakes says that a batch must not be repeated: GiveUpDoubts was called after a message of it came, whose time is
// over by now. The others may have some left. They share the batch's fate, for it is written as a whole.
func (d *Dispatcher) forsakes(b *Batch, now time.Time) bool {
	return slices.ContainsFunc(b.Items, func(item *Item) bool {
		return item.doubted && item.Since.Before(d.forsaken) && !now.Before(item.Deadline)
	})
}

// refuseBatch ends what no broker takes. Of several messages it may be one's fault: the others are sent without it.
func (d *Dispatcher) refuseBatch(l *lane, b *Batch) {
	l.batch = nil
	if b.verdict == Unfit && len(b.Items) > 1 {
		l.most = (len(b.Items) + 1) / 2
		d.takeBack(l, b)
		return
	}
	if l.most > 0 {
		l.most = 1
	}
	for _, item := range b.Items {
		d.refuse(item, l.id, b.reason())
	}
}

// lose ends the items of a batch that may have been written, and is not to be repeated.
func (d *Dispatcher) lose(l *lane, b *Batch, reason error) {
	l.batch = nil
	d.config.Outlet.GiveUp(l.id)
	for _, item := range b.Items {
		d.doubt(item, d.unknown(l, reason))
		d.end(item, Outcome{}, d.unknown(l, reason)) // nothing more will be known
	}
}

func (d *Dispatcher) unknown(l *lane, reason error) error {
	return fmt.Errorf("%s/%s: unknown whether it was written: %w", d.config.Topic, l.id, reason)
}
