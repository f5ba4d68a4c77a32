// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package lane_test

import (
	"errors"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

var errTooLarge = errors.New("a message of 2000000 bytes")

func TestStuckBlocksAtOnce(t *testing.T) {
	r := newRig(t)
	since := r.now
	for range 3 { // the transport asks again and again, and the lane does not
		r.step(lane.Stuck{Err: errTooLarge})
		s := r.status()
		if !s.Blocked || !errors.Is(s.Err, errTooLarge) || !s.Since.Equal(since) || s.Message != "" || s.Position != 100 {
			t.Fatalf("%+v", s)
		}
		if r.action.Seek || !r.lane.Next().IsZero() {
			t.Fatalf("%+v, next %s", r.action, r.lane.Next())
		}
		r.now = r.now.Add(2 * time.Second)
	}
}

func TestStuckIsOver(t *testing.T) {
	for name, over := range map[string]func(*rig){
		"with the next message": func(r *rig) {
			r.fetched(100)
			r.answered(sink.Done)
		},
		"with the end of the log": func(r *rig) { r.step(lane.Unstuck{}) },
		"with another position":   func(r *rig) { r.step(outOfRange(100, 150, 300)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.step(lane.Stuck{Err: errTooLarge})
			over(r)
			if s := r.status(); s.Blocked || s.Err != nil {
				t.Errorf("%+v", s)
			}
		})
	}
	t.Run("but not because nobody answers", func(t *testing.T) {
		r := newRig(t)
		r.step(lane.Stuck{Err: errTooLarge})
		r.step(lane.Unfetched{})
		if s := r.status(); !s.Blocked {
			t.Errorf("%+v", s)
		}
	})
}

func TestTheEndOfTheLogDoesNotHealAPositionBeyondIt(t *testing.T) {
	r := newRig(t)
	r.step(outOfRange(100, 0, 50))
	r.step(lane.Unstuck{})
	if s := r.status(); !s.Blocked {
		t.Errorf("%+v: the log does not hold the position", s)
	}
}

func TestStuckComesAfterWhatWasFetched(t *testing.T) {
	r := newRig(t)
	r.fetched(100)
	r.answered(sink.Retry)
	r.step(lane.Stuck{Err: errTooLarge})
	if s := r.status(); s.Blocked || !errors.Is(s.Err, errSink) {
		t.Errorf("%+v: the message that fails comes first", s)
	}
}
