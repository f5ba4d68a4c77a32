// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// runner drives one lane: its goroutine waits, calls the sink and steps the lane; all else reaches it through its
// inbox.
type runner struct {
	config     Config
	assignment client.Assignment
	claim      sink.Claim
	inbox      *inbox

	// cut ends attempts at once; stopped says that the lane is to end with them.
	cut    context.Context //nolint:containedctx // ends the attempts of this lane, from another goroutine
	cutNow context.CancelFunc
	// attempts is what bounds attempts under lease, until unbind.
	lease, attempts context.Context //nolint:containedctx // kept from one attempt to the next
	unbind          context.CancelFunc

	stopped  atomic.Bool
	position atomic.Int64
	progress atomic.Int64 // Unix nanoseconds of the last move of position

	// stuck says that the last fetch with an answer brought nothing that can be delivered. It is Fetched's alone.
	stuck bool

	// mu protects lane for status; only the goroutine of run changes it, and what follows.
	mu      sync.Mutex
	lane    *lane.Lane
	results []sink.Result
	// failures counts the attempts in a row that failed; told says that the log knows, quiet until when it need not again.
	failures int
	told     bool
	quiet    time.Time
}

func newRunner(config Config, assignment client.Assignment) *runner {
	r := &runner{
		config: config, assignment: assignment, inbox: newInbox(config.Buffer),
		claim: sink.Claim{Group: assignment.Group, Token: assignment.Token},
		lane:  lane.New(config.lane(), assignment.Position), unbind: func() {},
	}
	r.cut, r.cutNow = context.WithCancel(context.Background())
	r.position.Store(assignment.Position)
	r.progress.Store(time.Now().UnixNano())
	return r
}

// run drives the lane until it is stopped or drained.
func (r *runner) run() {
	defer r.cutNow()
	defer func() { r.unbind() }()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !r.stopped.Load() {
		action := r.step(r.await(timer))
		for action.Deliver.Len() > 0 && !r.stopped.Load() {
			results := r.deliver(action.Deliver)
			r.takeOrders()
			action = r.step(lane.Answered{Results: results})
		}
		if action.Drained {
			r.assignment.Drained(r.position.Load())
			return
		}
	}
}

// await waits for the next thing that concerns the lane: an order, a batch if it can take one, or its time.
func (r *runner) await(timer *time.Timer) lane.Event {
	for {
		if r.stopped.Load() {
			return lane.Tick{}
		}
		if order, ok := r.inbox.takeOrder(); ok {
			return order
		}
		if r.lane.Idle() {
			event, room := r.inbox.take()
			if room {
				r.assignment.Ready()
			}
			if event != nil {
				return event
			}
		}
		wait := time.Hour
		if next := r.lane.Next(); !next.IsZero() {
			wait = time.Until(next)
		}
		timer.Reset(wait)
		select {
		case <-r.inbox.mail:
		case <-timer.C:
			return lane.Tick{}
		}
	}
}

// takeOrders hands over orders that came during an attempt before its answer: a lane that is to drain must not begin
// another.
func (r *runner) takeOrders() {
	for {
		order, ok := r.inbox.takeOrder()
		if !ok {
			return
		}
		r.step(order)
	}
}

// step steps the lane and does at once what does not take time.
func (r *runner) step(event lane.Event) lane.Action {
	now := time.Now()
	r.mu.Lock()
	action := r.lane.Step(now, event)
	position := r.lane.Position()
	r.mu.Unlock()
	if position != r.position.Load() {
		r.position.Store(position)
		r.progress.Store(now.UnixNano())
	}
	if action.Jumped {
		r.config.Observer.Jumped(r.assignment.Partition, action.Jump)
		r.config.Logger.Warn("Position is not in the log, going on elsewhere", "partition", r.assignment.Partition.String(),
			"from", action.Jump.From, "to", action.Jump.To, "lost", action.Jump.Lost)
	}
	if action.Seek {
		r.assignment.Seek(action.To)
	}
	return action
}

// deliver makes one attempt. Its context ends with the lease, with a cut, and with the claim.
func (r *runner) deliver(batch kafka.Batch) []sink.Result {
	r.results = r.results[:0]
	for range batch.Len() {
		r.results = append(r.results, sink.Result{})
	}
	ctx := r.bounds()
	if ctx.Err() != nil {
		return r.results
	}
	begun := time.Now()
	r.config.Sink.Deliver(ctx, r.claim, batch, r.results)
	if ctx.Err() != nil {
		excuse(r.results)
	}
	r.observe(batch, time.Since(begun))
	return r.results
}

// excuse makes what failed untried: the attempt was ended from our side, which says nothing about the sink.
func excuse(results []sink.Result) {
	for i := range results {
		if results[i].Outcome != sink.Done {
			results[i] = sink.Result{}
		}
	}
}

// bounds is the context of an attempt. It is the same as long as the lease's is: a message must not pay for contexts of
// its own.
func (r *runner) bounds() context.Context {
	lease := r.assignment.Lease.Context()
	if lease == r.lease {
		return r.attempts
	}
	r.unbind()
	ctx, cancel := context.WithCancel(lease)
	stop := context.AfterFunc(r.cut, cancel)
	r.lease, r.attempts = lease, ctx
	r.unbind = func() {
		stop()
		cancel()
	}
	return ctx
}

const (
	// tellAfter is how many attempts fail in a row before the log says so: one or two are what retries are for.
	tellAfter = 3
	// tellAgain is how long a partition that failed and recovered says nothing of doing so again: a sink that fails now
	// and then would fill the log otherwise. The metrics have every failure.
	tellAgain = time.Minute
)

// observe counts one attempt, and logs when a lane begins to fail and when it is over: once each, not with every
// attempt.
func (r *runner) observe(batch kafka.Batch, took time.Duration) {
	attempt := summarize(batch, r.results)
	attempt.Took = took
	if r.failures > 0 {
		attempt.Retried = min(1, attempt.Done+attempt.Failed)
	}
	r.config.Observer.Delivered(r.assignment.Partition, attempt)
	switch {
	case attempt.Failed > 0:
		r.failures++
		r.tellFailing(attempt)
	case attempt.Done > 0:
		r.failures = 0
		r.tellHealed()
	}
}

func (r *runner) tellFailing(attempt Attempt) {
	if now := time.Now(); !r.told && r.failures >= tellAfter && now.After(r.quiet) {
		r.told, r.quiet = true, now.Add(tellAgain)
		r.config.Logger.Warn("Deliveries fail, trying again", "partition", r.assignment.Partition.String(),
			"attempts", r.failures, "outcome", attempt.Outcome.String(), "reason", attempt.Err)
	}
}

func (r *runner) tellHealed() {
	if r.told {
		r.told = false
		r.config.Logger.Info("Deliveries succeed again", "partition", r.assignment.Partition.String())
	}
}

func summarize(batch kafka.Batch, results []sink.Result) Attempt {
	var attempt Attempt
	newest := -1
	for i, result := range results {
		switch result.Outcome {
		case sink.Done:
			attempt.Done++
			newest = i
			continue
		case sink.Untried:
			attempt.Untried++
			continue
		case sink.Retry, sink.Permanent, sink.Unknown:
		}
		if attempt.Failed == 0 {
			attempt.Outcome, attempt.Err = result.Outcome, result.Err
		}
		attempt.Failed++
	}
	if newest >= 0 {
		attempt.Newest = batch.Message(newest).Timestamp
	}
	return attempt
}

func (r *runner) status() LaneStatus {
	r.mu.Lock()
	status := LaneStatus{Partition: r.assignment.Partition, Status: r.lane.Status(time.Now())}
	r.mu.Unlock()
	status.BufferedBytes, status.BufferedMessages = r.inbox.buffered()
	status.LastProgress = time.Unix(0, r.progress.Load())
	return status
}

// Fetched implements client.Processor.
func (r *runner) Fetched(fetch kafka.Fetch) bool {
	room := true
	if n := fetch.Batch.Len(); n > 0 {
		size := fetch.Batch.Bytes()
		r.stuck = false
		r.config.Observer.Fetched(fetch.Partition, n, size)
		room = r.inbox.put(parcel{batch: fetch.Batch, size: size})
	}
	if fetch.Skip > 0 {
		r.stuck = false
		room = r.inbox.put(parcel{event: lane.Skipped{To: fetch.Skip}})
	}
	outOfRange := (*kafka.OutOfRange)(nil)
	switch {
	case errors.As(fetch.Err, &outOfRange):
		r.inbox.put(parcel{event: lane.OutOfRange{Err: outOfRange}})
	case errors.Is(fetch.Err, kafka.ErrReplaced):
		r.inbox.put(parcel{event: lane.Replaced{Err: fetch.Err}})
	case fetch.Stopped:
		r.stuck = true
		r.inbox.put(parcel{event: lane.Stuck{Err: fetch.Err}})
	case fetch.Err != nil:
		r.inbox.put(parcel{event: lane.Unfetched{}})
	case r.stuck && r.atEnd(fetch):
		r.stuck = false
		r.inbox.put(parcel{event: lane.Unstuck{}})
	}
	return room
}

// atEnd tells that there is nothing at the position any more that could not be fetched. An answer without messages
// alone does not say so: transports tell of a log's end before they have fetched anything.
func (r *runner) atEnd(fetch kafka.Fetch) bool {
	return fetch.Batch.Len() == 0 && fetch.End >= 0 && fetch.End <= r.position.Load()
}

// Pause implements client.Processor.
func (r *runner) Pause() { r.inbox.order(lane.Pause{}) }

// Resume implements client.Processor.
func (r *runner) Resume() { r.inbox.order(lane.Resume{}) }

// Drain implements client.Processor.
func (r *runner) Drain() { r.inbox.order(lane.Drain{}) }

// Cut implements client.Processor.
func (r *runner) Cut() { r.cutNow() }

// Stop implements client.Processor.
func (r *runner) Stop() {
	r.stopped.Store(true)
	r.cutNow()
	r.inbox.notify()
}

// Position implements client.Processor.
func (r *runner) Position() int64 { return r.position.Load() }
