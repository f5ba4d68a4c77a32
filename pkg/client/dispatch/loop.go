// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// sweepEvery is how late the end of a message's time may be noticed.
	sweepEvery = 100 * time.Millisecond
	// topologyEvery is how old the topology may grow: new partitions are written to by then.
	topologyEvery = time.Minute
	// topologyPause is between two questions for it, and doubles with each that did not help, up to 1.6 s: what moves is
	// found in a moment, and nobody is stormed.
	topologyPause = 100 * time.Millisecond
	maxPauses     = 4
	// topologyTimeout bounds a question: a broker takes milliseconds, and one that hangs must not hide the others.
	topologyTimeout = 3 * time.Second
	// missingTries is how often a topic is asked for before it is missing: a broker may hear of a new one late.
	missingTries = 4
	// stalledEvery is how often the topology is asked for while lanes are stuck.
	stalledEvery = time.Second
)

// run follows the topology and the clock until the dispatcher is closed.
func (d *Dispatcher) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for d.ctx.Err() == nil {
		select {
		case <-d.ctx.Done():
			return
		case <-d.wake:
		case <-timer.C:
		}
		d.mu.Lock()
		now := time.Now()
		if !d.learning && d.due(now) {
			d.learning, d.asked = true, false
			d.loop.Go(d.learn) // which may take longer than a message has
		}
		d.sweep(now)
		rest := topologyEvery
		if d.underway > 0 || d.doubts > 0 {
			rest = sweepEvery
		}
		d.release()
		timer.Reset(rest)
	}
}

// ask wants a topology that is newer than now.
func (d *Dispatcher) ask() {
	if !d.asked {
		d.asked = true
		d.signal()
	}
}

// due says whether the topology is to be asked for now.
func (d *Dispatcher) due(now time.Time) bool {
	age := now.Sub(d.learned)
	if d.underway == 0 && d.doubts == 0 {
		return false
	}
	return d.asked && age >= topologyPause<<min(d.troubles, maxPauses) ||
		age >= topologyEvery || age >= stalledEvery && d.stuck(now)
}

// stuck says whether something waits for a lane that takes nothing.
func (d *Dispatcher) stuck(now time.Time) bool {
	for _, lane := range d.lanes {
		if (lane.batch != nil || len(lane.queue) > 0) && !lane.takes(now) {
			return true
		}
	}
	return len(d.homeless) > 0
}

// learn asks for the topology and follows it.
func (d *Dispatcher) learn() {
	ctx, cancel := context.WithTimeout(d.ctx, topologyTimeout)
	topology, err := d.config.Outlet.Topology(ctx)
	cancel()
	now := time.Now()
	d.mu.Lock()
	defer d.release()
	d.learning, d.learned, d.failure = false, now, err
	d.troubles++
	switch {
	case err == nil:
		d.missing = 0
		d.follow(topology, now)
		if len(d.homeless) == 0 {
			d.troubles = 0
		}
	case errors.Is(err, ErrClosed):
		d.refuseQueued(err)
	case errors.Is(err, kafka.ErrNoTopic), errors.Is(err, kafka.ErrDenied):
		if d.missing++; d.missing >= missingTries {
			d.troubles = 0 // who comes now is told soon
			d.refuseQueued(err)
			return
		}
		d.asked = true
	default:
		d.asked = true
	}
}

// follow makes the lanes what the topology says.
func (d *Dispatcher) follow(topology Topology, now time.Time) {
	d.key, d.repeatable, d.order = topology.Key, topology.Repeatable, d.order[:0]
	named := make(map[string]bool, len(topology.Places))
	for _, place := range topology.Places {
		known := d.lanes[place.ID]
		if known == nil {
			known = &lane{id: place.ID}
			d.lanes[place.ID] = known
		}
		named[place.ID] = true
		d.order = append(d.order, known)
		d.lead(known, place.Broker, now)
	}
	for id, lane := range d.lanes {
		if !named[id] { // nobody takes what is written there
			d.lead(lane, "", now)
		}
	}
	d.relist()
	for _, lane := range d.lanes { // now that all leaders are known
		d.disperse(lane, now)
		d.offer(lane, now)
	}
	homeless := d.homeless
	d.homeless = nil
	for _, item := range homeless {
		d.route(item, now)
	}
}

// lead notes who takes what is written to a lane. A batch that hangs at who did before is let go, if it can be
// repeated.
func (d *Dispatcher) lead(l *lane, broker string, now time.Time) {
	if l.broker != broker {
		l.broker, l.pause, l.fails = broker, time.Time{}, 0
		if d.sticky == l {
			d.sticky = nil
		}
	}
	if l.flight != nil && broker != "" && l.flight.broker.name != broker && l.stalls(now) && d.repeatable {
		l.flight.cancel()
	}
}

// refuseQueued ends all that is in no batch.
func (d *Dispatcher) refuseQueued(reason error) {
	for _, item := range d.homeless {
		d.refuse(item, item.Message.Partition.ID, reason)
	}
	d.homeless = nil
	for _, lane := range d.lanes {
		lane.filter(func(item *Item) bool { d.refuse(item, lane.id, reason); return false })
	}
}

// sweep ends what is late, and moves what is stuck and may move.
func (d *Dispatcher) sweep(now time.Time) {
	for _, lane := range d.lanes {
		d.sweepLane(lane, now)
	}
	waiting := d.homeless[:0]
	for _, item := range d.homeless {
		if late := item.late(now); late != nil {
			d.refuseLate(item, nil, late)
			continue
		}
		waiting = append(waiting, item)
	}
	clear(d.homeless[len(waiting):])
	d.homeless = waiting
}

func (d *Dispatcher) sweepLane(l *lane, now time.Time) {
	if l.flight != nil && l.stalls(now) && l.batch != nil && l.batch.withdraw() {
		d.takeBack(l, l.batch)
	}
	l.filter(func(item *Item) bool {
		late := item.late(now)
		if late != nil {
			d.refuseLate(item, l, late)
		}
		return late == nil
	})
	d.disperse(l, now)
	if l.batch == nil {
		return
	}
	d.sweepBatch(l, now)
}

// sweepBatch ends what is late of a batch that is underway.
func (d *Dispatcher) sweepBatch(l *lane, now time.Time) {
	var late error
	for _, item := range l.batch.Items {
		if !item.told && item.late(now) != nil {
			late = item.late(now)
			break
		}
	}
	switch {
	case l.flight == nil:
		d.giveUp(l, now)
	case d.repeatable && d.forsakes(l.batch, now):
		l.flight.cancel() // it may not have left yet; others that fly with it are repeated
	}
	if late == nil || l.batch == nil {
		return
	}
	if l.flight != nil && l.batch.withdraw() {
		d.takeBack(l, l.batch)
		l.filter(func(item *Item) bool {
			late := item.late(now)
			if late != nil {
				d.refuseLate(item, l, late)
			}
			return late == nil
		})
		return
	}
	// Looked at after the batch could not be withdrawn, since it may begin to be read at any time: then its messages'
	// memory is theirs until it has been, and their time ends a moment later.
	if l.batch.step.Load() == loading {
		return
	}
	for _, item := range l.batch.Items {
		if late := item.late(now); late != nil {
			d.doubt(item, d.unknown(l, late))
		}
	}
	if l.flight == nil {
		d.giveUp(l, now)
	}
}

// refuseLate ends an item whose time is over and that was certainly not written.
func (d *Dispatcher) refuseLate(item *Item, l *lane, late error) {
	reason, at := d.failure, item.Message.Partition.ID
	if l != nil {
		reason, at = l.err, l.id
		if reason == nil && l.broker == "" {
			reason = errNoLeader
		}
	}
	if errors.Is(late, context.Canceled) {
		d.refuse(item, at, late)
		return
	}
	if reason == nil {
		d.refuse(item, at, kafka.ErrUnavailable)
		return
	}
	d.refuse(item, at, fmt.Errorf("%w: %w", kafka.ErrUnavailable, reason))
}

var errNoLeader = errors.New("no broker leads the partition")
