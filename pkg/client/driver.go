// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// driver carries out what a consumer's member asks for. One goroutine steps the member; what takes time happens in
// goroutines that answer with an event, and that run waits for.
type driver struct {
	consumer *Consumer
	handler  Handler
	lease    *lease
	lanes    map[int64]*source
	keeper   keeper
	lapses   lapses
	// taken are positions that the group has where it is not kept: what begins, begins there.
	taken atomic.Pointer[map[kafka.Partition]int64]

	running sync.WaitGroup
	left    bool
	clean   bool
}

func newDriver(c *Consumer, handler Handler) *driver {
	d := &driver{consumer: c, handler: handler, lease: newLease(), lanes: map[int64]*source{}, lapses: newLapses(c)}
	if c.config.Coordination == CoordinationKafka {
		d.keeper = &coordinated{driver: d}
	} else {
		d.keeper = &zookeeper{driver: d}
	}
	return d
}

// run works until asked ends and the member has left. Requests outlive asked: leaving takes some, too.
func (d *driver) run(asked context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(asked))
	defer d.keeper.close()
	defer d.running.Wait()
	defer cancel()
	defer d.lease.end()
	if d.consumer.config.Pattern != nil {
		d.running.Go(func() { d.consumer.followTopics(ctx) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	leave := asked.Done()
	var events []group.Event
	for !d.left {
		changed, found, over := d.keeper.follow(ctx)
		d.wake(timer)
		select {
		case <-leave:
			leave = nil
			d.step(ctx, group.Leave{})
		case <-timer.C:
			d.step(ctx, group.Tick{})
		case <-changed:
		case <-found:
		case <-over:
		case <-d.consumer.events.mail:
			events = d.consumer.events.take(events)
			for _, event := range events {
				d.receive(ctx, event)
			}
		}
	}
}

// receive takes an answer. A lane that has drained has ended: it is no longer fetched.
func (d *driver) receive(ctx context.Context, event group.Event) {
	if drained, ok := event.(group.Drained); ok && d.lanes[drained.Lane] != nil {
		d.end(drained.Lane)
	}
	d.step(ctx, event)
}

// wake sets the timer to when the member wants its next tick.
func (d *driver) wake(timer *time.Timer) {
	d.consumer.mu.Lock()
	defer d.consumer.mu.Unlock()
	d.consumer.beat = time.Now()
	if next := d.consumer.member.Next(); !next.IsZero() {
		timer.Reset(time.Until(next))
		return
	}
	timer.Reset(time.Second) // for the beat that shows the loop alive
}

// step feeds the member one event and carries out what it asks for. Collect is answered at once, within the same step.
func (d *driver) step(ctx context.Context, event group.Event) {
	for event != nil {
		d.lapses.hear(event)
		running := len(d.lanes) // also of those that end because the lease does
		commands := d.decide(event)
		event = nil
		for _, command := range commands {
			if _, ok := command.(group.Collect); ok {
				event = d.collect()
				continue
			}
			d.tellLapse(command, running)
			d.execute(ctx, command)
		}
	}
	d.consumer.settleCommits()
}

// tellLapse notes that the lease ends or holds again.
func (d *driver) tellLapse(command group.Command, running int) {
	now := time.Now()
	switch command.(type) {
	case group.Pause:
		d.lapses.paused(d.lease.endBefore(now), now, running)
	case group.Resume:
		d.lapses.resumed(now)
	}
}

// decide copies the commands out of the member's memory: executing one may lead to another step.
func (d *driver) decide(event group.Event) []group.Command {
	d.consumer.mu.Lock()
	defer d.consumer.mu.Unlock()
	return append([]group.Command(nil), d.consumer.member.Step(time.Now(), event)...)
}

func (d *driver) collect() group.Event {
	collected := group.Collected{Progress: make([]group.Progress, 0, len(d.lanes))}
	for number, lane := range d.lanes {
		collected.Progress = append(collected.Progress, group.Progress{
			Lane: number, Position: lane.processor.Position(),
		})
	}
	return collected
}
