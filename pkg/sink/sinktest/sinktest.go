// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sinktest holds what every sink must do, as tests that each sink runs against itself: the contract of
// sink.Sink.
package sinktest

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// patience is how long anything may take that should take milliseconds.
const patience = 10 * time.Second

// Fixture is a sink with its far side. What a sink cannot do is nil, and the tests that need it are skipped.
type Fixture struct {
	Sink sink.Sink
	// Delivered gives what the far side has taken, in the order in which it came. Only Next need not have travelled.
	Delivered func() []kafka.Message
	// Refuse makes the far side take n more messages and then none, until Heal.
	Refuse func(n int)
	// Hang makes the far side take n more messages and then not answer, until Heal. The channel is closed when the
	// sink waits for an answer.
	Hang func(n int) <-chan struct{}
	// Heal ends Refuse or Hang.
	Heal func()
}

// Run tests sinks made by open, one for each test. open registers what its far side needs to be cleaned up; the
// sink itself is closed by the test.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for name, test := range map[string]func(t *testing.T, f Fixture){
		"takes every message as it is":           takesEverything,
		"takes batches of any length":            takesAnyLength,
		"stops at the first that is not done":    stopsAtFirstNotDone,
		"says the same about the same failure":   staysStable,
		"begins nothing after the context ended": beginsNothing,
		"returns when the context ends":          returnsWhenCanceled,
		"takes partitions concurrently":          takesPartitionsConcurrently,
		"bounds its batches sensibly":            boundsSensibly,
	} {
		t.Run(name, func(t *testing.T) {
			running := goleak.IgnoreCurrent()
			t.Run("sink", func(t *testing.T) {
				f := open(t)
				test(t, f)
				if err := f.Sink.Close(); err != nil {
					t.Errorf("closing: %v", err)
				}
			})
			goleak.VerifyNone(t, running)
		})
	}
}

var claim = sink.Claim{Group: "conformance", Token: 7}

func (f Fixture) deliver(ctx context.Context, t *testing.T, batch kafka.Batch) []sink.Result {
	t.Helper()
	results := make([]sink.Result, batch.Len())
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		f.Sink.Deliver(ctx, claim, batch, results)
	}()
	select {
	case <-returned:
	case <-time.After(patience):
		t.Fatalf("Deliver did not return within %s", patience)
	}
	return results
}

// expectShape checks that results are as many Done as said, then one of the given outcomes, then Untried ones.
func expectShape(t *testing.T, results []sink.Result, done int, then ...sink.Outcome) {
	t.Helper()
	for i, result := range results {
		want := []sink.Outcome{sink.Done}
		if i == done {
			want = then
		} else if i > done {
			want = []sink.Outcome{sink.Untried}
		}
		if !slices.Contains(want, result.Outcome) {
			t.Errorf("result %d of %d is %s (%v), want one of %v", i, len(results), result.Outcome, result.Err, want)
		}
		failed := result.Outcome != sink.Done && result.Outcome != sink.Untried
		if failed != (result.Err != nil) {
			t.Errorf("result %d is %s with error %v", i, result.Outcome, result.Err)
		}
		if result.Outcome == sink.Untried && result != (sink.Result{}) {
			t.Errorf("result %d is untried, but was touched: %+v", i, result)
		}
	}
}

func (f Fixture) expectDelivered(t *testing.T, want []kafka.Message) {
	t.Helper()
	if f.Delivered == nil {
		return
	}
	got := f.Delivered()
	if len(got) != len(want) {
		t.Fatalf("%d messages were delivered, want %d", len(got), len(want))
	}
	for i := range want {
		if problem := Difference(got[i], want[i]); problem != "" {
			t.Errorf("message %d: %s", i, problem)
		}
	}
}
