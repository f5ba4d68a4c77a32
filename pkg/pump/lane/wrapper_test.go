// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package lane_test

import (
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// wrapped brings a message by itself, a wrapper of three, and another message.
func (r *rig) wrapped() {
	r.t.Helper()
	r.step(lane.Fetched{Batch: kafka.NewBatch(partition, kafka.Messages{
		{Partition: partition, Offset: 100, Next: 120},
		{Partition: partition, Offset: 120, Index: 0, Next: 120},
		{Partition: partition, Offset: 120, Index: 1, Next: 120},
		{Partition: partition, Offset: 120, Index: 2, Next: 180},
		{Partition: partition, Offset: 180, Next: 200},
	})})
}

func (r *rig) drained(position int64) {
	r.t.Helper()
	r.delivers()
	if !r.action.Drained {
		r.t.Error("not drained")
	}
	r.at(position)
}

// A position stands in front of a wrapper or behind it.
func TestDrainFinishesTheWrapperThatWasBegun(t *testing.T) {
	one := sink.Limits{Messages: 1}
	begun := func(t *testing.T, messages int) *rig {
		t.Helper()
		r := newRig(t, one)
		r.wrapped()
		for range messages {
			r.answered(sink.Done)
		}
		return r
	}
	t.Run("in front of it", func(t *testing.T) {
		r := begun(t, 0) // the first message is at the sink
		r.step(lane.Drain{})
		r.answered(sink.Done)
		r.drained(120)
	})
	t.Run("in it", func(t *testing.T) {
		r := begun(t, 1)
		r.step(lane.Drain{})
		r.answered(sink.Done)
		r.delivers(120)
		r.answered(sink.Done)
		r.delivers(120)
		r.answered(sink.Done)
		r.drained(180)
	})
	t.Run("at its last message", func(t *testing.T) {
		r := begun(t, 3)
		r.step(lane.Drain{})
		r.answered(sink.Done)
		r.drained(180)
	})
	t.Run("in it, as much at once as may be", func(t *testing.T) {
		r := newRig(t, sink.Limits{Messages: 2})
		r.wrapped()
		r.step(lane.Drain{})
		r.answered(sink.Done, sink.Done)
		r.delivers(120, 120)
		r.answered(sink.Done, sink.Done)
		r.drained(180)
	})
	t.Run("in it, and none is said to be tried since the one before", func(t *testing.T) {
		r := begun(t, 1)
		r.step(lane.Drain{})
		r.now = r.now.Add(longest)
		r.answered(sink.Done)
		if s := r.status(); !s.Trying.Equal(r.now) {
			t.Errorf("tried since %s, not %s", s.Trying, r.now)
		}
	})
	t.Run("the sink does not take it", func(t *testing.T) {
		r := begun(t, 1)
		r.step(lane.Drain{})
		r.answered(sink.Done)
		r.answered(sink.Retry)
		r.drained(120)
	})
	t.Run("the sink has not taken it", func(t *testing.T) {
		r := begun(t, 2)
		r.answered(sink.Retry)
		r.step(lane.Drain{})
		r.drained(120)
	})
	t.Run("the lease has lapsed", func(t *testing.T) {
		r := begun(t, 2)
		r.step(lane.Pause{})
		r.step(lane.Drain{})
		r.answered(sink.Done)
		r.drained(120)
	})
}
