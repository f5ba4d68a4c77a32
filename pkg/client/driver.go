// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// driver carries out what a consumer's member asks for. One goroutine steps the member; what takes time happens in
// goroutines that answer with an event, and that run waits for.
type driver struct {
	consumer *Consumer
	handler  Handler
	lease    *lease
	lanes    map[int64]*source

	// session is the one the member knows of, nil for none; dialect what it was told of it.
	session *registry.Session
	dialect layout.Dialect
	running sync.WaitGroup
	left    bool
	clean   bool
}

func newDriver(c *Consumer, handler Handler) *driver {
	return &driver{consumer: c, handler: handler, lease: newLease(), lanes: map[int64]*source{}}
}

// run works until asked ends and the member has left. Requests outlive asked: leaving takes some, too.
func (d *driver) run(asked context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(asked))
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
		changed, found := d.followSession(ctx)
		d.wake(timer)
		select {
		case <-leave:
			leave = nil
			d.step(ctx, group.Leave{})
		case <-timer.C:
			d.step(ctx, group.Tick{})
		case <-changed:
		case <-found:
		case <-d.over():
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

// followSession tells the member of a session that began or ended. It hears of none before the brokers have said which
// Kafka this is: what it writes depends on it. Should they say something else later, everything begins anew in another
// session. The channels say when to look again.
func (d *driver) followSession(ctx context.Context) (changed, found <-chan struct{}) {
	client, directory := d.consumer.cluster.registry, d.consumer.cluster.directory
	changed, found = client.Changed(), directory.changes()
	session := client.State().Session
	dialect, known := directory.era()
	if !known {
		session = nil
	}
	if session != nil && session == d.session && dialect != d.dialect {
		session.Abandon()
	}
	if session == d.session {
		return changed, found
	}
	if d.session != nil {
		lost := group.SessionLost{Epoch: d.session.Epoch()}
		d.session = nil
		d.step(ctx, lost)
	}
	if session != nil {
		d.session, d.dialect = session, dialect
		d.step(ctx, group.SessionUp{
			Epoch: session.Epoch(), ID: session.ID(), Timeout: session.Timeout(), Dialect: dialect,
		})
	}
	return changed, found
}

// over is closed when the session ends.
func (d *driver) over() <-chan struct{} {
	if d.session == nil {
		return nil
	}
	return d.session.Done()
}

// step feeds the member one event and carries out what it asks for. Collect is answered at once, within the same step.
func (d *driver) step(ctx context.Context, event group.Event) {
	for event != nil {
		commands := d.decide(event)
		event = nil
		for _, command := range commands {
			if _, ok := command.(group.Collect); ok {
				event = d.collect()
				continue
			}
			d.execute(ctx, command)
		}
	}
	d.consumer.settleCommits()
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
