// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package lane_test

import (
	"slices"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

func TestMessagesGoInOrder(t *testing.T) {
	r := newRig(t)
	if !r.lane.Idle() || !r.lane.Next().IsZero() {
		t.Error("a new lane waits for messages, and for nothing else")
	}
	r.fetched(100, 102, 104)
	r.delivers(100, 102, 104)
	r.at(100)
	if r.lane.Idle() || !r.lane.Next().IsZero() {
		t.Error("with an attempt under way, only its answer counts")
	}
	r.answered(sink.Done, sink.Done, sink.Done)
	r.delivers()
	r.at(106)
	r.fetched(106)
	r.delivers(106)
}

func TestPartialResults(t *testing.T) {
	const d, r, u, p, o = sink.Done, sink.Retry, sink.Unknown, sink.Permanent, sink.Untried
	for name, test := range map[string]struct {
		outcomes []sink.Outcome
		position int64
		again    []int64
	}{
		"nothing":                       {[]sink.Outcome{r, o, o, o}, 100, []int64{100, 102, 104, 106}},
		"a prefix":                      {[]sink.Outcome{d, d, r, o}, 104, []int64{104, 106}},
		"unknown counts as not done":    {[]sink.Outcome{d, u, o, o}, 102, []int64{102, 104, 106}},
		"permanent is tried again":      {[]sink.Outcome{d, p, o, o}, 102, []int64{102, 104, 106}},
		"what is done behind it stays":  {[]sink.Outcome{d, r, d, d}, 102, []int64{102}},
		"and is stepped over":           {[]sink.Outcome{r, d, r, d}, 100, []int64{100}},
		"untried first: at its own say": {[]sink.Outcome{o, o, o, o}, 100, []int64{100, 102, 104, 106}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.fetched(100, 102, 104, 106)
			r.answered(test.outcomes...)
			r.delivers()
			r.at(test.position)
			wait := initial
			if slices.Contains(test.outcomes, p) {
				wait = longest
			}
			r.waits(wait)
			r.delivers(test.again...)
		})
	}
}

func TestPositionStepsOverWhatWasDoneBefore(t *testing.T) {
	r := newRig(t)
	r.fetched(100, 102, 104, 106, 108)
	r.answered(sink.Retry, sink.Done, sink.Retry, sink.Done, sink.Done)
	r.at(100)
	r.waits(initial)
	r.delivers(100)
	r.answered(sink.Done)
	r.at(104)
	r.delivers(104)
	r.answered(sink.Done)
	r.at(110)
	if !r.lane.Idle() {
		t.Error("nothing is left, and the lane takes nothing")
	}
}

func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		limits sink.Limits
		first  []int64
	}{
		"none":                        {sink.Limits{}, []int64{100, 102, 104, 106}},
		"messages":                    {sink.Limits{Messages: 3}, []int64{100, 102, 104}},
		"one message":                 {sink.Limits{Messages: 1}, []int64{100}},
		"bytes":                       {sink.Limits{Bytes: 25}, []int64{100, 102}},
		"exactly so many bytes":       {sink.Limits{Bytes: 20}, []int64{100, 102}},
		"one is larger than may be":   {sink.Limits{Bytes: 5}, []int64{100}},
		"whichever is reached first":  {sink.Limits{Messages: 3, Bytes: 20}, []int64{100, 102}},
		"limits that are not reached": {sink.Limits{Messages: 9, Bytes: 99}, []int64{100, 102, 104, 106}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.limits)
			r.fetched(100, 102, 104, 106)
			r.delivers(test.first...)
			done := make([]sink.Outcome, len(test.first))
			for i := range done {
				done[i] = sink.Done
			}
			r.answered(done...)
			if rest := r.action.Deliver; len(test.first) < 4 && rest.Message(0).Offset != 100+2*int64(len(done)) {
				t.Errorf("goes on with %s", rest.Message(0).ID())
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	r := newRig(t)
	r.fetched(100)
	for i := range 12 {
		r.delivers(100)
		r.answered(sink.Retry)
		r.waits(min(longest, initial<<i))
	}
	r.random = 0.999999
	r.answered(sink.Retry)
	if wait := r.lane.Next().Sub(r.now); wait < longest*4/5 || wait >= longest {
		t.Errorf("spread to %s, want between four and five fifths of %s", wait, longest)
	}
}

func TestBackoffNeverOverflows(t *testing.T) {
	config := lane.Config{InitialBackoff: 17 * time.Second, MaxBackoff: time.Hour, Rand: func() float64 { return 0 }}
	r := newRig(t)
	r.lane = lane.New(config, 100)
	r.fetched(100)
	for range 100 {
		r.answered(sink.Retry)
		if wait := r.lane.Next().Sub(r.now); wait < 17*time.Second || wait > time.Hour {
			t.Fatalf("waits %s", wait)
		}
		r.now = r.lane.Next()
		r.step(lane.Tick{})
	}
}

func TestSinkThatAsksForTime(t *testing.T) {
	r := newRig(t)
	r.fetched(100)
	r.step(lane.Answered{Results: []sink.Result{{Outcome: sink.Retry, After: time.Minute}}})
	r.waits(time.Minute)
	r.step(lane.Answered{Results: []sink.Result{{Outcome: sink.Retry, After: time.Millisecond}}})
	r.waits(2 * initial)
}

func TestPermanentIsNotAskedOften(t *testing.T) {
	r := newRig(t)
	r.fetched(100)
	r.answered(sink.Permanent)
	if s := r.status(); !s.Blocked || s.Attempts != 1 || s.Message != "orders/3/100" || s.Err == nil {
		t.Errorf("%+v", s)
	}
	r.waits(longest)
	r.delivers(100)
}

func TestBlocked(t *testing.T) {
	t.Run("after ten attempts", func(t *testing.T) {
		r := newRig(t)
		r.fetched(100)
		for i := range 10 {
			if r.status().Blocked {
				t.Fatalf("blocked after %d attempts", i)
			}
			r.answered(sink.Retry)
			if i < 9 {
				r.waits(min(longest, initial<<i))
			}
		}
		if s := r.status(); !s.Blocked || s.Attempts != 10 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("after a minute", func(t *testing.T) {
		r := newRig(t)
		r.fetched(100)
		since := r.now
		r.answered(sink.Retry)
		r.now = since.Add(time.Minute - 1)
		if r.status().Blocked {
			t.Error("blocked too early")
		}
		r.now = since.Add(time.Minute)
		if s := r.status(); !s.Blocked || !s.Since.Equal(since) {
			t.Errorf("%+v", s)
		}
	})
	t.Run("heals by itself", func(t *testing.T) {
		r := newRig(t)
		r.fetched(100, 102)
		r.answered(sink.Permanent, sink.Untried)
		r.waits(longest)
		r.answered(sink.Done, sink.Retry)
		if s := r.status(); s.Blocked || s.Attempts != 1 || s.Message != "orders/3/102" {
			t.Errorf("%+v, want the trouble of the next message alone", s)
		}
	})
}

func TestPauseAndResume(t *testing.T) {
	r := newRig(t)
	r.fetched(100, 102)
	r.step(lane.Pause{})
	r.answered(sink.Done, sink.Unknown) // ended with the lease, which says nothing about the sink
	r.delivers()
	r.at(102)
	if s := r.status(); !s.Paused || s.Attempts != 0 {
		t.Errorf("%+v", s)
	}
	if !r.lane.Next().IsZero() {
		t.Error("a lane that is paused waits for a time")
	}
	r.step(lane.Tick{})
	r.delivers()
	r.step(lane.Resume{})
	r.delivers(102)
}

func TestResumeDoesNotWaitForTheBackoff(t *testing.T) {
	r := newRig(t)
	r.fetched(100)
	r.answered(sink.Permanent)
	r.step(lane.Pause{})
	r.step(lane.Resume{})
	r.delivers(100)
}

func TestPausedLaneTakesMessages(t *testing.T) {
	r := newRig(t)
	r.step(lane.Pause{})
	r.fetched(100)
	r.delivers()
	r.step(lane.Resume{})
	r.delivers(100)
}

func TestDrain(t *testing.T) {
	t.Run("at once without an attempt", func(t *testing.T) {
		r := newRig(t)
		r.step(lane.Drain{})
		if !r.action.Drained {
			t.Error("it does not end")
		}
	})
	t.Run("at once when it waits for a backoff", func(t *testing.T) {
		r := newRig(t)
		r.fetched(100)
		r.answered(sink.Permanent)
		r.step(lane.Drain{})
		if !r.action.Drained {
			t.Error("a blocked lane keeps its claim")
		}
	})
	t.Run("after the attempt", func(t *testing.T) {
		r := newRig(t, sink.Limits{Messages: 2})
		r.fetched(100, 102, 104)
		r.step(lane.Drain{})
		if r.action.Drained || !r.status().Draining {
			t.Error("it ends with an attempt under way")
		}
		r.answered(sink.Done, sink.Retry)
		r.delivers()
		if !r.action.Drained {
			t.Error("it does not end")
		}
		r.at(102)
		if s := r.status(); s.Attempts != 0 {
			t.Errorf("%+v: an attempt that we ended says nothing about the sink", s)
		}
	})
	t.Run("ends it for good", func(t *testing.T) {
		r := newRig(t)
		r.step(lane.Drain{})
		r.step(lane.Resume{})
		if r.action.Drained || r.lane.Idle() || !r.lane.Next().IsZero() {
			t.Error("it goes on")
		}
	})
}

func outOfRange(position, earliest, latest int64) lane.OutOfRange {
	return lane.OutOfRange{Err: &kafka.OutOfRange{
		Partition: partition, Position: position, Earliest: earliest, Latest: latest,
	}}
}

func TestRetentionWasFaster(t *testing.T) {
	r := newRig(t)
	r.step(outOfRange(100, 150, 300))
	if !r.action.Seek || r.action.To != 150 || r.lane.Lost() != 50 {
		t.Errorf("%+v, lost %d; want to go on at 150 with 50 lost", r.action, r.lane.Lost())
	}
	r.at(150)
	if s := r.status(); s.Blocked || s.Lost != 50 {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsNoMessageIsSkippedBehindWhatIsAcknowledged(t *testing.T) {
	r := newRig(t)
	r.step(lane.Skipped{To: 102})
	r.at(102)
	r.fetched(102)
	r.step(lane.Skipped{To: 110})
	r.at(102)
	r.answered(sink.Retry)
	r.step(lane.Skipped{To: 110})
	r.at(102)
	r.waits(initial)
	r.answered(sink.Done)
	r.at(104)
	r.step(lane.Skipped{To: 110})
	r.at(110)
	r.step(lane.Skipped{To: 105})
	r.at(110)
	r.step(lane.Drain{})
	r.step(lane.Skipped{To: 120})
	r.at(110)
}

func TestRetentionDoesNotSkipWhatWasFetched(t *testing.T) {
	r := newRig(t)
	r.fetched(100, 102)
	r.step(outOfRange(104, 150, 300))
	r.at(100)
	r.answered(sink.Done, sink.Retry)
	r.at(102)
	r.waits(initial)
	r.delivers(102)
	r.answered(sink.Done)
	r.at(104)
	r.fetched(150)
	r.answered(sink.Done)
	r.at(152)
}

func TestRetentionWhilePausedNeverTakesThePositionBack(t *testing.T) {
	r := newRig(t)
	r.step(lane.Pause{})
	r.step(outOfRange(100, 150, 300))
	r.at(150)
	r.fetched(150)
	r.step(lane.Resume{})
	r.delivers(150)
	r.answered(sink.Done)
	r.at(152)
}

func TestPositionThatTheLogHoldsAfterAll(t *testing.T) {
	r := newRig(t)
	r.step(outOfRange(100, 50, 300))
	if !r.action.Seek || r.action.To != 100 || r.lane.Lost() != 0 {
		t.Errorf("%+v, lost %d; want to try 100 again", r.action, r.lane.Lost())
	}
	r.at(100)
}

func TestBeyondTheEnd(t *testing.T) {
	for name, event := range map[string]lane.Event{
		"truncated": outOfRange(100, 0, 50), "replaced": lane.Replaced{Err: errSink},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.fetched(100)
			r.step(event)
			if r.action.Seek {
				t.Errorf("%+v: it guesses where to go on", r.action)
			}
			if s := r.status(); !s.Blocked || s.Err == nil || !s.Since.Equal(r.now) {
				t.Errorf("%+v", s)
			}
			r.answered(sink.Done)
			r.at(102) // what was fetched before is still delivered
			if !r.status().Blocked {
				t.Error("a delivery heals it")
			}
			r.fetched(102)
			if r.status().Blocked {
				t.Error("it stays blocked although messages come again")
			}
		})
	}
}

func TestStatusInFlight(t *testing.T) {
	r := newRig(t, sink.Limits{Messages: 2})
	r.fetched(100, 102, 104)
	if s := r.status(); s.InFlight != 2 || s.Pending != 3 || s.Position != 100 || s.Message != "" {
		t.Errorf("%+v", s)
	}
}

func TestTryingSinceTheFirstAttempt(t *testing.T) {
	r := newRig(t, sink.Limits{Messages: 1})
	trying := func() time.Time { return r.lane.Status(r.now).Trying }
	if !trying().IsZero() {
		t.Error("tries nothing, and says so")
	}
	begin := r.now
	r.fetched(100, 102)
	r.now = r.now.Add(30 * time.Second)
	r.answered(sink.Retry)
	r.now = r.now.Add(time.Second)
	r.step(lane.Tick{})
	if !trying().Equal(begin) {
		t.Errorf("trying since %v, want %v", trying(), begin)
	}
	r.answered(sink.Done)
	if !trying().Equal(r.now) {
		t.Errorf("the next message is tried since %v, want %v", trying(), r.now)
	}
	r.answered(sink.Done)
	if !trying().IsZero() {
		t.Errorf("trying since %v, want nothing", trying())
	}
}
