// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Options says how a run goes.
type Options struct {
	// Steps is how many steps the disturbed part of the run takes at least.
	Steps int
	// Trace takes a line for everything that happens; nil for none. It does not change what happens.
	Trace func(at time.Duration, line string)
}

// Result is what came of a run.
type Result struct {
	Seed    uint64
	Steps   int
	Elapsed time.Duration
	Profile string
	History History
	// Err is the first broken promise (a *Broken), nil if all were kept.
	Err error
}

const groupName = "billing"

// birthday is when virtual time begins: any instant would do, as long as it is always the same.
var birthday = time.Unix(1_700_000_000, 0) //nolint:gochecknoglobals // a constant, which times cannot be

// world is everything there is in one run.
type world struct {
	now     time.Duration
	queue   queue
	rand    *rand.Rand
	options Options
	profile profile
	steps   int
	history History
	// broken is the first promise that was seen broken while running; the checker finds the others.
	broken error

	server    *server
	logs      []*log
	byName    map[kafka.Partition]*log
	sink      sinkModel
	pods      []*pod
	processes []*process
	foreign   *foreign

	attempts  int
	producing bool
	owned     map[kafka.Partition]string
	// asked are the positions that members ever asked to be written.
	asked map[place]bool
}

// place is a position in a partition.
type place struct {
	partition kafka.Partition
	position  int64
}

// Run runs one seed.
func Run(seed uint64, options Options) Result {
	w := &world{
		rand:    rand.New(rand.NewPCG(seed, 0x5a_35a)), //nolint:gosec // a seed is to be replayed, not guessed
		options: options,
		byName:  map[kafka.Partition]*log{},
		asked:   map[place]bool{},
	}
	w.profile = draw(w.rand)
	// By a number of its own: the worlds without are what they were before there were any with.
	w.profile.pattern = rand.New(rand.NewPCG(seed, 0x7a_77e4)).IntN(4) == 0 //nolint:gosec // a seed is to be replayed
	w.server = newServer(w)
	w.build()
	w.disturb()
	w.settle()
	result := Result{
		Seed: seed, Steps: w.steps, Elapsed: w.now, Profile: w.profile.String(), History: w.history, Err: w.broken,
	}
	if result.Err == nil {
		result.Err = check(w.history, w.profile)
	}
	return result
}

// clock is the wall clock of all processes.
func (w *world) clock() time.Time { return birthday.Add(w.now) }

// after runs something later.
func (w *world) after(d time.Duration, run func()) { w.at(w.now+d, run) }

func (w *world) at(at time.Duration, run func()) { w.queue.push(max(at, w.now), run) }

// runUntil lets time pass until it is that late, or until done says so. It asks done every pollInterval.
func (w *world) runUntil(end time.Duration, done func() bool) bool {
	const pollInterval = 50 * time.Millisecond
	poll := w.now
	for w.broken == nil && w.queue.len() > 0 && w.queue.next() <= end {
		at, run := w.queue.pop()
		w.now = at
		run()
		if w.now >= poll {
			if done() {
				return true
			}
			poll = w.now + pollInterval
		}
	}
	if w.broken == nil {
		w.now = max(w.now, end)
	}
	return false
}

func (w *world) chance(p float64) bool { return p > 0 && w.rand.Float64() < p }

// between gives an evenly spread duration.
func (w *world) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.rand.Int64N(int64(high-low)))
}

func (w *world) record(r any) {
	w.history = append(w.history, Entry{At: w.now, What: r})
	if w.options.Trace != nil {
		w.tracef("%s", describe(r))
	}
}

func (w *world) tracef(format string, args ...any) {
	if w.options.Trace != nil {
		w.options.Trace(w.now, fmt.Sprintf(format, args...))
	}
}

func (w *world) breaks(format string, args ...any) {
	if w.broken == nil {
		w.broken = &Broken{At: w.now, What: fmt.Sprintf(format, args...)}
	}
}
