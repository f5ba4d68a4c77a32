// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// The lanes' backoff: short, so that a run sees many tries.
const (
	initialBackoff = 50 * time.Millisecond
	longestBackoff = time.Second
)

// runner drives one lane.
type runner struct {
	*process
	number    int64
	partition kafka.Partition
	token     int64
	lane      *lane.Lane
	log       *log
	// cursor is where the next fetch begins.
	cursor   int64
	fetching bool
	attempt  *attempt
	gone     bool
	isCut    bool
	tick     int
}

func (p *process) begin(command group.Start) {
	r := &runner{
		process: p, number: command.Lane, partition: command.Partition, token: command.Token,
		log: p.byName[command.Partition], cursor: command.Position,
		lane: lane.New(lane.Config{
			Limits: p.profile.limits, InitialBackoff: initialBackoff, MaxBackoff: longestBackoff, Rand: p.rand.Float64,
		}, command.Position),
	}
	if p.lanes[command.Lane] != nil {
		p.breaks("lanes: %s starts lane %d twice", p.name, command.Lane)
	}
	p.lanes[command.Lane] = r
	p.record(laneStarted{
		By: p.name, Lane: command.Lane, Partition: command.Partition, Position: command.Position, Token: command.Token,
	})
	r.react(lane.Action{})
}

// running are the lanes in order.
func (p *process) running() []*runner {
	lanes := make([]*runner, 0, len(p.lanes))
	for _, r := range inOrder(p.lanes) {
		lanes = append(lanes, r)
	}
	return lanes
}

func (p *process) each(do func(*runner)) {
	for _, r := range p.running() {
		do(r)
	}
}

func (r *runner) pause() {
	r.endAttempt("paused")
	r.step(lane.Pause{})
}

func (r *runner) resume() { r.step(lane.Resume{}) }

func (r *runner) drain() { r.step(lane.Drain{}) }

func (r *runner) cut() {
	r.isCut = true
	r.endAttempt("cut")
}

// discard ends the lane; nothing it did counts any more.
func (r *runner) discard(why string) {
	r.gone = true
	delete(r.lanes, r.number)
	if r.attempt != nil {
		r.attempt.over = true
		r.record(attemptEnded{
			Attempt: r.attempt.number, By: r.name, Lane: r.number, Partition: r.partition, Why: why,
		})
		r.attempt = nil
	}
}

func (r *runner) endAttempt(why string) {
	if r.attempt != nil {
		r.attempt.end(why)
	}
}

// step steps the lane in its process.
func (r *runner) step(event lane.Event) {
	if r.gone {
		return
	}
	r.steps++
	if r.options.Trace != nil {
		r.tracef("%s lane %d <- %s", r.name, r.number, describe(event))
	}
	r.react(r.lane.Step(r.clock(), event))
}

func (r *runner) react(action lane.Action) {
	if action.Deliver.Len() > 0 {
		r.deliver(action.Deliver)
	}
	if action.Seek {
		r.cursor = action.To
	}
	if action.Drained {
		r.gone = true
		delete(r.lanes, r.number)
		r.process.step(group.Drained{Progress: group.Progress{Lane: r.number, Position: r.lane.Position()}})
		return
	}
	if r.lane.Idle() && !r.fetching {
		r.fetch()
	}
	r.schedule()
}

func (r *runner) fetch() {
	r.fetching = true
	r.world.fetch(r.log, r.cursor, func(found kafka.Messages) {
		r.post(func() {
			r.fetching = false
			if !r.gone && r.lane.Idle() {
				r.cursor = found.Next(found.Len() - 1)
				r.step(lane.Fetched{Batch: kafka.NewBatch(r.partition, found)})
			}
		})
	})
}

func (r *runner) schedule() {
	r.tick++
	tick := r.tick
	if next := r.lane.Next(); !next.IsZero() {
		r.at(next.Sub(birthday), func() {
			r.post(func() {
				if r.tick == tick && !r.gone {
					r.step(lane.Tick{})
				}
			})
		})
	}
}

// deliver begins an attempt. Without a lease there is none, and nothing is tried.
func (r *runner) deliver(batch kafka.Batch) {
	a := &attempt{runner: r, batch: batch, results: make([]sink.Result, batch.Len()), flying: -1}
	if !r.holds() || r.isCut {
		r.later(0, func() { r.step(lane.Answered{Results: a.results}) })
		return
	}
	r.attempts++
	a.number = r.attempts
	r.attempt = a
	r.record(attemptBegan{
		Attempt: a.number, By: r.name, Lane: r.number, Partition: r.partition,
		First: batch.Message(0).Offset, Last: batch.Message(batch.Len() - 1).Offset,
	})
	a.guard()
	a.later(a.sink.pause(r), func() { a.try(0) })
}
