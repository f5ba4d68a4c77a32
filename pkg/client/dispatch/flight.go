// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"time"
)

const (
	// anyFlights is how many requests a broker has at a time, whatever they carry. It executes those of a connection one
	// after the other: the second is there when it is done with the first, and more would only make batches smaller.
	anyFlights = 2
	// maxFlights is how many it has if they are full: Kafka's own clients' number. While one is executed others are read
	// and answered, and the next is encoded: with two at a time a broker waited for a third of its time.
	maxFlights = 5
	// requestBytes is what a full request carries, and the last batch beyond it: 17 ms of a gigabit link. A broker
	// executes those of a connection one after the other, and reads the next when it has answered: of half a MiB, a
	// tenth less passed.
	requestBytes = 2 << 20
)

// flight is one request underway.
type flight struct {
	broker string
	lanes  []*lane
	since  time.Time
	ctx    context.Context //nolint:containedctx // the request's
	cancel context.CancelFunc
}

// offer lists a lane with its broker if it has something to send now, and sends.
func (d *Dispatcher) offer(l *lane, now time.Time) {
	if l.listed && l.bytes >= requestBytes && d.brokers[l.broker] != nil { // it waits, and has become a full request
		d.launch(l.broker, d.brokers[l.broker], now)
	}
	if l.listed || l.broker == "" || l.flight != nil || l.batch == nil && len(l.queue) == 0 {
		return
	}
	if wait := d.wait(l, now); wait > 0 {
		if l.timer == nil {
			l.timer = time.AfterFunc(wait, func() { d.resume(l) })
		}
		return
	}
	b := d.brokers[l.broker]
	if b == nil {
		b = &broker{}
		d.brokers[l.broker] = b
	}
	l.listed = true
	b.ready = append(b.ready, l)
	d.launch(l.broker, b, now)
}

// wait is how long a lane must wait before it sends.
func (d *Dispatcher) wait(l *lane, now time.Time) time.Duration {
	wait := l.pause.Sub(now)
	if l.batch == nil && !l.hurry && l.bytes < d.config.BatchBytes && d.config.Linger > 0 {
		wait = max(wait, l.first.Add(d.config.Linger).Sub(now))
	}
	return wait
}

// resume offers a lane whose wait is over.
func (d *Dispatcher) resume(l *lane) {
	d.mu.Lock()
	l.timer = nil
	d.offer(l, time.Now())
	d.release()
}

// launch sends what is ready for a broker, if it may have another request.
func (d *Dispatcher) launch(name string, b *broker, now time.Time) {
	for b.takes() && d.ctx.Err() == nil {
		f, batches := d.load(name, b, now)
		if len(batches) == 0 {
			f.cancel()
			continue
		}
		b.flights++
		d.flying.Go(func() { d.fly(f, batches) })
	}
}

// takes says whether the broker gets another request.
func (b *broker) takes() bool {
	if len(b.ready) == 0 || b.flights >= maxFlights {
		return false
	}
	if b.flights < anyFlights {
		return true
	}
	size := 0
	for _, lane := range b.ready {
		if size += lane.bytes; size >= requestBytes {
			return true
		}
	}
	return false
}

// load takes lanes off those that are ready, as many as one request carries.
func (d *Dispatcher) load(name string, b *broker, now time.Time) (*flight, []*Batch) {
	f := &flight{broker: name, since: now}
	f.ctx, f.cancel = context.WithCancel(d.ctx)
	var batches []*Batch
	var moved []*lane
	size, taken := 0, 0
	for _, lane := range b.ready {
		if taken > 0 && size >= requestBytes {
			break
		}
		taken++
		lane.listed = false
		if lane.broker != name || lane.flight != nil { // since it was listed
			moved = append(moved, lane)
			continue
		}
		if batch := d.cut(lane, now); batch != nil {
			lane.flight = f
			f.lanes = append(f.lanes, lane)
			batches = append(batches, batch)
			size += batch.size()
		}
		if d.sticky == lane {
			d.sticky = nil // the next batch elsewhere
		}
	}
	b.ready = append(b.ready[:0], b.ready[taken:]...)
	for _, lane := range moved { // now that this list is whole: others may be loaded, who offer lanes to this broker
		d.offer(lane, now)
	}
	return f, batches
}

func (b *Batch) size() (size int) {
	for _, item := range b.Items {
		size += item.Size
	}
	return size
}

// fly sends a request and settles what came of it.
func (d *Dispatcher) fly(f *flight, batches []*Batch) {
	defer f.cancel()
	d.config.Outlet.Send(f.ctx, f.broker, batches)
	d.mu.Lock()
	now := time.Now()
	b := d.brokers[f.broker]
	b.flights--
	for i, lane := range f.lanes {
		lane.flight = nil
		d.settle(lane, batches[i], now)
		d.offer(lane, now)
	}
	d.launch(f.broker, b, now)
	d.release()
}
