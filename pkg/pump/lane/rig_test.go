// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package lane_test

import (
	"errors"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const (
	initial = 100 * time.Millisecond
	longest = 10 * time.Second
)

var (
	partition = kafka.Partition{Topic: "orders", ID: "3"}
	errSink   = errors.New("the sink is on fire")
)

// rig steps one lane by hand.
type rig struct {
	t      *testing.T
	lane   *lane.Lane
	now    time.Time
	action lane.Action
	random float64
}

func newRig(t *testing.T, limits ...sink.Limits) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Unix(1_700_000_000, 0)}
	config := lane.Config{InitialBackoff: initial, MaxBackoff: longest, Rand: func() float64 { return r.random }}
	for _, l := range limits {
		config.Limits = l
	}
	r.lane = lane.New(config, 100)
	return r
}

func (r *rig) step(event lane.Event) {
	r.t.Helper()
	r.action = r.lane.Step(r.now, event)
}

// fetched brings messages at offsets; each is followed by a gap of one, so that Next is never offset + 1.
func (r *rig) fetched(offsets ...int64) {
	r.t.Helper()
	if !r.lane.Idle() {
		r.t.Fatal("the lane takes no messages now")
	}
	messages := make(kafka.Messages, len(offsets))
	for i, offset := range offsets {
		messages[i] = kafka.Message{Partition: partition, Offset: offset, Next: offset + 2, Value: make([]byte, 10)}
	}
	r.step(lane.Fetched{Batch: kafka.NewBatch(partition, messages)})
}

// answered gives the outcomes of the attempt under way.
func (r *rig) answered(outcomes ...sink.Outcome) {
	r.t.Helper()
	results := make([]sink.Result, len(outcomes))
	for i, outcome := range outcomes {
		results[i].Outcome = outcome
		if outcome != sink.Done && outcome != sink.Untried {
			results[i].Err = errSink
		}
	}
	r.step(lane.Answered{Results: results})
}

// delivers checks what the last step gives to the sink.
func (r *rig) delivers(offsets ...int64) {
	r.t.Helper()
	var got []int64
	for i := range r.action.Deliver.Len() {
		got = append(got, r.action.Deliver.Message(i).Offset)
	}
	if len(got) != len(offsets) {
		r.t.Fatalf("delivers %v, want %v", got, offsets)
	}
	for i := range got {
		if got[i] != offsets[i] {
			r.t.Fatalf("delivers %v, want %v", got, offsets)
		}
	}
}

func (r *rig) at(position int64) {
	r.t.Helper()
	if r.lane.Position() != position {
		r.t.Errorf("position %d, want %d", r.lane.Position(), position)
	}
}

// waits lets the lane's time come, and checks how long it was.
func (r *rig) waits(want time.Duration) {
	r.t.Helper()
	next := r.lane.Next()
	if next.IsZero() {
		r.t.Fatal("the lane waits for nothing")
	}
	if got := next.Sub(r.now); got != want {
		r.t.Errorf("waits %s, want %s", got, want)
	}
	r.now = next.Add(-1)
	r.step(lane.Tick{})
	r.delivers()
	r.now = next
	r.step(lane.Tick{})
}

func (r *rig) status() lane.Status { return r.lane.Status(r.now) }
