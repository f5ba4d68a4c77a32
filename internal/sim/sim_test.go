// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/sim"
)

var (
	seeds   = flag.Int("seeds", 100, "how many seeds to run")
	steps   = flag.Int("steps", 500, "how many steps the disturbed part of a run takes at least")
	seed    = flag.Int64("seed", -1, "the one seed to run")
	verbose = flag.Bool("v", false, "with -seed: print the whole trace")
)

// tail is how many lines of a trace are shown of a failing seed, up to where it breaks.
const tail = 150

// TestSeeds runs many worlds. Every one that fails can be run again by its number.
func TestSeeds(t *testing.T) {
	if *seed >= 0 {
		report(t, replay(uint64(*seed), *verbose))
		return
	}
	var next, total atomic.Int64
	var failed sync.Map
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for n := next.Add(1); n <= int64(*seeds) && !t.Failed(); n = next.Add(1) {
				result := sim.Run(uint64(n), sim.Options{Steps: *steps})
				total.Add(int64(result.Steps))
				if result.Err == nil && result.Steps < *steps {
					result.Err = fmt.Errorf("only %d steps", result.Steps)
				}
				if result.Err != nil {
					failed.Store(uint64(n), result.Err)
					t.Fail()
				}
			}
		})
	}
	workers.Wait()
	t.Logf("%d seeds, %d steps", *seeds, total.Load())
	for n := range uint64(*seeds) + 1 {
		if _, ok := failed.Load(n); ok {
			report(t, replay(n, false))
			return
		}
	}
}

type outcome struct {
	sim.Result
	trace []line
}

type line struct {
	at   time.Duration
	text string
}

// replay runs a seed with a trace, and prints all of it or keeps it.
func replay(n uint64, all bool) outcome {
	var o outcome
	o.Result = sim.Run(n, sim.Options{Steps: *steps, Trace: func(at time.Duration, text string) {
		if all {
			fmt.Fprintf(os.Stdout, "%10.4f  %s\n", at.Seconds(), text)
			return
		}
		o.trace = append(o.trace, line{at, text})
	}})
	return o
}

func report(t *testing.T, o outcome) {
	t.Helper()
	t.Logf("seed %d: %s", o.Seed, o.Profile)
	t.Logf("%d steps, %s of virtual time, %d entries of history", o.Steps, o.Elapsed, len(o.History))
	if o.Err == nil {
		return
	}
	shown := o.trace
	if at := (*sim.Broken)(nil); errors.As(o.Err, &at) {
		shown = slices.DeleteFunc(shown, func(l line) bool { return l.at > at.At })
	}
	for _, l := range shown[max(0, len(shown)-tail):] {
		t.Logf("%10.4f  %s", l.at.Seconds(), l.text)
	}
	t.Errorf("SEED %d BREAKS %v\nreplay it with:\n"+
		"\tgo test ./internal/sim -run TestSeeds -args -steps=%d -seed=%d -v", o.Seed, o.Err, *steps, o.Seed)
}

// TestReplay proves that a run depends on nothing but its seed.
func TestReplay(t *testing.T) {
	for n := uint64(1); n <= 20; n++ {
		first := sim.Run(n, sim.Options{Steps: *steps})
		second := sim.Run(n, sim.Options{Steps: *steps, Trace: func(time.Duration, string) {}})
		if first.History.String() != second.History.String() {
			t.Fatalf("seed %d gives two histories", n)
		}
	}
}
