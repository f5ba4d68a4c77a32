// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"slices"
	"time"
)

const (
	// anyFlights is how many requests a broker has at a time that are not full. It executes those of a connection one
	// after the other: the second is there when it is done with the first, and more would only make batches smaller.
	anyFlights = 2
	// maxFlights is how many it has with full ones: Kafka's own clients' number. While one is executed others are read
	// and answered, and the next is encoded: with two at a time a broker waited for a third of its time.
	maxFlights = 5
	// requestBytes is what a full request carries, and the last batch beyond it: 17 ms of a gigabit link. A broker
	// executes those of a connection one after the other, and reads the next when it has answered: of half a MiB, a
	// tenth less passed.
	requestBytes = 2 << 20
)

// broker is one that takes batches.
type broker struct {
	name string
	// ready are the lanes that are listed, bytes what a request takes of each, added up.
	ready []*lane
	bytes int
	// flights are the requests underway, small those of them that were not full.
	flights, small int
}

// takes says whether the broker gets another request.
func (b *broker) takes() bool {
	return len(b.ready) > 0 && b.flights < maxFlights && (b.small < anyFlights || b.bytes >= requestBytes)
}

// flight is one request underway.
type flight struct {
	broker *broker
	lanes  []*lane
	small  bool
	since  time.Time
	ctx    context.Context //nolint:containedctx // the request's
	cancel context.CancelFunc
}

// offer lists a lane with its broker if it has something to send now, and sends.
func (d *Dispatcher) offer(l *lane, now time.Time) {
	if l.listed != nil { // it may have grown
		d.weigh(l)
		d.launch(l.listed, now)
		return
	}
	if l.broker == "" || l.flight != nil || l.batch == nil && len(l.queue) == 0 {
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
		b = &broker{name: l.broker}
		d.brokers[l.broker] = b
	}
	l.listed = b
	b.ready = append(b.ready, l)
	d.weigh(l)
	d.launch(b, now)
}

// weigh keeps the sum of what a request takes of the lanes that are listed. It may turn out to be less: messages whose
// time is over are left out only then.
func (d *Dispatcher) weigh(l *lane) {
	share := min(l.bytes, d.config.BatchBytes)
	if l.batch != nil || l.most > 0 { // one that is repeated, or sought what no broker takes in, is not what fills
		share = 0
	}
	l.listed.bytes += share - l.share
	l.share = share
}

// unlist is for a lane that is about to be taken off its broker's list.
func (l *lane) unlist() {
	l.listed.bytes -= l.share
	l.listed, l.share = nil, 0
}

// relist takes lanes off the lists of brokers that lead them no more.
func (d *Dispatcher) relist() {
	for _, b := range d.brokers {
		b.ready = slices.DeleteFunc(b.ready, func(l *lane) bool {
			moved := l.broker != b.name
			if moved {
				l.unlist()
			}
			return moved
		})
	}
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
func (d *Dispatcher) launch(b *broker, now time.Time) {
	for b.takes() && d.ctx.Err() == nil {
		f, batches := d.load(b, now)
		if len(batches) == 0 {
			f.cancel()
			continue
		}
		b.flights++
		if f.small {
			b.small++
		}
		d.flying.Go(func() { d.fly(f, batches) })
	}
}

// load takes lanes off those that are ready, as many as one request carries.
func (d *Dispatcher) load(b *broker, now time.Time) (*flight, []*Batch) {
	f := &flight{broker: b, since: now}
	f.ctx, f.cancel = context.WithCancel(d.ctx)
	var batches []*Batch
	size, taken := 0, 0
	for _, lane := range b.ready {
		if taken > 0 && size >= requestBytes {
			break
		}
		taken++
		lane.unlist()
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
	f.small = size < requestBytes
	b.ready = append(b.ready[:0], b.ready[taken:]...)
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
	d.config.Outlet.Send(f.ctx, f.broker.name, batches)
	d.mu.Lock()
	now := time.Now()
	f.broker.flights--
	if f.small {
		f.broker.small--
	}
	for i, lane := range f.lanes {
		lane.flight = nil
		d.settle(lane, batches[i], now)
		d.offer(lane, now)
	}
	d.launch(f.broker, now)
	d.release()
}
