// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// hangs is the most that a sink waits: longer than a lease, and than a drain may take.
const hangs = 10 * time.Second

// foreignDrain is how long a drain may take with foreign members in the group.
const foreignDrain = 2 * time.Second

var errSink = errors.New("the sink does not take it")

// attempt is one batch at the sink, message by message. It ends with the lease at the latest, even if its process is
// frozen: what a sink gets later is the sender's fault, and is looked for.
type attempt struct {
	*runner
	number  int
	batch   kafka.Batch
	results []sink.Result
	// flying is the message that the sink has not answered, -1 for none.
	flying int
	over   bool
}

// guard ends the attempt with the lease, which may be extended meanwhile.
func (a *attempt) guard() {
	a.at(a.until, func() {
		switch {
		case a.over:
		case a.holds():
			a.guard()
		default:
			a.end("lease over")
		}
	})
}

// try sends one message. Before each, the lease is asked.
func (a *attempt) try(i int) {
	if a.over {
		return
	}
	if !a.holds() {
		a.end("lease over")
		return
	}
	outcome, pause := a.sink.take(a, i)
	a.record(delivered{
		Attempt: a.number, By: a.name, Lane: a.runner.number, Partition: a.partition,
		Offset: a.batch.Message(i).Offset, Outcome: outcome,
	})
	a.flying = i
	a.later(pause, func() { a.answered(i, outcome) })
}

func (a *attempt) answered(i int, outcome sink.Outcome) {
	if a.over {
		return
	}
	a.flying = -1
	a.results[i] = sink.Result{Outcome: outcome}
	if outcome != sink.Done {
		a.results[i].Err = errSink
	}
	if i+1 < a.batch.Len() && (outcome == sink.Done || a.profile.careless) {
		a.later(a.sink.pause(a.runner), func() { a.try(i + 1) })
		return
	}
	a.end("complete")
}

// end answers the lane with what is known.
func (a *attempt) end(why string) {
	if a.over {
		return
	}
	a.over = true
	a.record(attemptEnded{
		Attempt: a.number, By: a.name, Lane: a.runner.number, Partition: a.partition, Why: why, Acked: a.acked(),
	})
	if a.flying >= 0 {
		a.results[a.flying] = sink.Result{Outcome: sink.Unknown, Err: errSink}
	}
	a.attempt = nil
	a.later(0, func() { a.step(lane.Answered{Results: a.results}) })
}

// acked are the offsets that the lane will know to be done.
func (a *attempt) acked() []int64 {
	var acked []int64
	for i, result := range a.results {
		if result.Outcome == sink.Done {
			acked = append(acked, a.batch.Message(i).Offset)
		}
	}
	return acked
}

// sinkModel decides what becomes of messages.
type sinkModel struct {
	// ill is what ails the deliveries of a partition, and until when.
	ill map[kafka.Partition]illness
}

type illness struct {
	until time.Duration
	kind  ailment
}

type ailment int

const (
	refusing ailment = iota // retry, for every message
	choking                 // permanent, for every fourth message
	hanging                 // no answer, now and then, until the sink's own patience or that of others ends
	unsure                  // unknown, now and then
	slow
)

// patience is how long a drain leaves an attempt alone.
func (a *attempt) patience() time.Duration {
	if a.profile.foreign {
		return min(a.profile.drain, foreignDrain)
	}
	return a.profile.drain
}

// pause is the time before a message is sent.
func (s *sinkModel) pause(r *runner) time.Duration { return r.between(0, r.profile.latency/4) }

// take says what the sink does with a message, and how long it takes.
func (s *sinkModel) take(a *attempt, i int) (sink.Outcome, time.Duration) {
	pause := a.between(time.Millisecond/4, a.profile.latency/2)
	if a.chance(0.02) {
		return sink.Retry, pause
	}
	ill, ok := s.ill[a.partition]
	if !ok || a.now >= ill.until {
		return sink.Done, pause
	}
	switch ill.kind {
	case refusing:
		return sink.Retry, pause
	case choking:
		if a.batch.Message(i).Offset%4 == 0 {
			return sink.Permanent, pause
		}
	case hanging:
		if a.chance(0.3) {
			return sink.Unknown, a.between(time.Second, hangs)
		}
	case unsure:
		if a.chance(0.3) {
			return sink.Unknown, pause
		}
	case slow:
		if i == 0 || !a.profile.calm { // in a calm world no attempt takes as long as a drain may
			pause += a.between(0, a.patience()*9/10)
		}
	}
	return sink.Done, pause
}
