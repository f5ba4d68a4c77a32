// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package lane_test

import (
	"math"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const askEvery = 3 * time.Second

func newRigWith(t *testing.T, rule lane.Rule) *rig {
	t.Helper()
	r := newRig(t)
	r.lane = lane.New(lane.Config{
		InitialBackoff: initial, MaxBackoff: longest, OutOfRange: rule, Rand: func() float64 { return 0 },
	}, 100)
	return r
}

func TestRules(t *testing.T) {
	behind, beyond := outOfRange(100, 150, 300), outOfRange(100, 20, 50)
	const blocks = -1
	for name, test := range map[string]struct {
		rule     lane.Rule
		event    lane.OutOfRange
		to, lost int64
	}{
		"EarliestOrBlock, behind": {lane.EarliestOrBlock, behind, 150, 50},
		"EarliestOrBlock, beyond": {lane.EarliestOrBlock, beyond, blocks, 0},
		"Block, behind":           {lane.BlockOutOfRange, behind, blocks, 0},
		"Block, beyond":           {lane.BlockOutOfRange, beyond, blocks, 0},
		"Earliest, behind":        {lane.ToEarliest, behind, 150, 50},
		"Earliest, beyond":        {lane.ToEarliest, beyond, 20, 0},
		"Latest, behind":          {lane.ToLatest, behind, 300, 50},
		"Latest, beyond":          {lane.ToLatest, beyond, 50, 0},
		"Nearest, behind":         {lane.ToNearest, behind, 150, 50},
		"Nearest, beyond":         {lane.ToNearest, beyond, 50, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRigWith(t, test.rule)
			r.step(test.event)
			if test.to == blocks {
				if s := r.status(); r.action.Seek || !s.Blocked || s.Err == nil || s.Position != 100 {
					t.Errorf("%+v, %+v: it does not block", r.action, s)
				}
				return
			}
			want := lane.Jump{At: r.now, From: 100, To: test.to, Lost: test.lost}
			if !r.action.Seek || r.action.To != test.to || !r.action.Jumped || r.action.Jump != want {
				t.Errorf("%+v, want %+v", r.action, want)
			}
			if s := r.status(); s.Blocked || s.Position != test.to || s.Lost != test.lost || s.Jump != want {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestLossesAddUp(t *testing.T) {
	r := newRig(t)
	r.step(outOfRange(100, 150, 300))
	r.step(outOfRange(150, 160, 300))
	if s := r.status(); s.Lost != 60 || s.Jump.From != 150 || s.Jump.Lost != 10 {
		t.Errorf("%+v", s)
	}
}

func TestPositionInRangeIsNoJump(t *testing.T) {
	r := newRigWith(t, lane.ToLatest)
	r.step(outOfRange(100, 50, 300))
	if !r.action.Seek || r.action.To != 100 || r.action.Jumped {
		t.Errorf("%+v, want to try 100 again", r.action)
	}
}

func TestReplaced(t *testing.T) {
	t.Run("blocks, and does not ask again", func(t *testing.T) {
		r := newRig(t)
		r.step(lane.Replaced{Err: errSink})
		if !r.status().Blocked || !r.lane.Next().IsZero() {
			t.Errorf("%+v, next %s", r.status(), r.lane.Next())
		}
	})
	t.Run("goes on at the start", func(t *testing.T) {
		r := newRigWith(t, lane.ToEarliest)
		r.step(lane.Replaced{Err: errSink})
		if !r.action.Seek || r.action.To != 0 || r.action.Jump.From != 100 || r.status().Blocked {
			t.Errorf("%+v", r.action)
		}
		r.at(0)
		r.step(outOfRange(0, 7, 9)) // retention was there already
		r.at(7)
	})
	t.Run("goes on at the same number, or what is nearest to it", func(t *testing.T) {
		r := newRigWith(t, lane.ToNearest)
		r.step(lane.Replaced{Err: errSink})
		if want := (lane.Jump{At: r.now, From: 100, To: 100}); !r.action.Jumped || r.action.Jump != want || !r.action.Seek {
			t.Errorf("%+v, want %+v", r.action, want)
		}
		r.at(100)
		r.step(outOfRange(100, 2, 9))
		if r.action.To != 9 || r.status().Blocked {
			t.Errorf("%+v", r.action)
		}
		r.at(9)
	})
	t.Run("goes on at the end", func(t *testing.T) {
		r := newRigWith(t, lane.ToLatest)
		r.step(lane.Replaced{Err: errSink})
		if !r.action.Seek || r.action.To != math.MaxInt64 || r.action.Jumped {
			t.Errorf("%+v, want to learn where the end is", r.action)
		}
		r.at(100)
		r.step(outOfRange(math.MaxInt64, 2, 9))
		if r.action.To != 9 || r.action.Jump.From != 100 || r.action.Jump.Lost != 0 {
			t.Errorf("%+v", r.action)
		}
		r.at(9)
	})
}

func TestBlockedPositionAsksWhetherItIsOver(t *testing.T) {
	asks := func(t *testing.T, r *rig) {
		t.Helper()
		if wait := r.lane.Next().Sub(r.now); wait <= 0 || wait > askEvery {
			t.Fatalf("asks again in %s", wait)
		}
		r.now = r.lane.Next()
		r.step(lane.Tick{})
	}
	begin := func(t *testing.T) *rig {
		t.Helper()
		r := newRig(t)
		r.now = r.now.Add(time.Second)
		r.step(outOfRange(100, 0, 50))
		return r
	}
	t.Run("at the same times as all others", func(t *testing.T) {
		r := begin(t)
		if next := r.lane.Next(); !next.Truncate(askEvery).Equal(next) {
			t.Errorf("asks at %s", next)
		}
	})
	t.Run("and stays blocked since the first time", func(t *testing.T) {
		r := begin(t)
		since := r.now
		for range 3 {
			asks(t, r)
			if !r.action.Seek || r.action.To != 100 {
				t.Fatalf("%+v, want to ask for 100", r.action)
			}
			r.step(outOfRange(100, 0, 60))
			if s := r.status(); !s.Blocked || !s.Since.Equal(since) {
				t.Errorf("%+v", s)
			}
		}
	})
	t.Run("and goes on with the next message", func(t *testing.T) {
		r := begin(t)
		asks(t, r)
		r.fetched(100)
		r.delivers(100)
		r.answered(sink.Done)
		if r.status().Blocked || !r.lane.Next().IsZero() {
			t.Errorf("%+v", r.status())
		}
	})
	t.Run("or when nothing speaks against it, at the very end", func(t *testing.T) {
		r := begin(t)
		asks(t, r)
		if !r.status().Blocked {
			t.Error("healed before anybody answered")
		}
		asks(t, r)
		if r.status().Blocked || r.action.Seek {
			t.Errorf("%+v, %+v", r.status(), r.action)
		}
	})
	t.Run("but not because nobody answers", func(t *testing.T) {
		r := begin(t)
		for range 3 {
			asks(t, r)
			if !r.action.Seek || !r.status().Blocked {
				t.Fatalf("%+v, %+v", r.status(), r.action)
			}
			r.step(lane.Unfetched{})
		}
	})
	t.Run("not while it is paused, and ends when it drains", func(t *testing.T) {
		r := begin(t)
		r.step(lane.Pause{})
		if !r.lane.Next().IsZero() {
			t.Error("a paused lane waits for a time")
		}
		r.now = r.now.Add(time.Minute)
		r.step(lane.Tick{})
		if r.action.Seek {
			t.Error("a paused lane asks")
		}
		r.step(lane.Drain{})
		if !r.action.Drained || r.action.Seek {
			t.Errorf("%+v", r.action)
		}
	})
}
