// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
)

const (
	// settle is how long a planned change may show its effects: starting two pods takes some two seconds, moving their
	// partitions a few round trips, and a status is renewed within ten.
	settle = 12 * time.Second
	// aftermath is how long nothing else happens once a fault must be over.
	aftermath = 5 * time.Second
	// away is how long nobody answers kubectl.
	away = 30 * time.Second
)

// crew is what the script does to the system. Each returns when it has happened, not when its effects have.
type crew interface {
	// scale is kubectl scale.
	scale(ctx context.Context, replicas int) error
	// kill ends a pod's process outright; freeze stops it, and thaw lets it go on.
	kill(pod string) error
	freeze(pod string) error
	thaw(pod string) error
	// cut kills the API server and the manager, mend brings them back.
	cut() error
	mend(ctx context.Context) error
}

// phase is one act of the script.
type phase struct {
	title string
	// unplanned acts are faults: what follows from them is held to other limits.
	unplanned bool
	act       func(ctx context.Context, c crew) error
	// lasts is the least time from the act to the next phase.
	lasts time.Duration
}

func nothing(context.Context, crew) error { return nil }

func scaleTo(replicas int) func(context.Context, crew) error {
	return func(ctx context.Context, c crew) error { return c.scale(ctx, replicas) }
}

// script is what happens while messages flow: 5+12+12+12.5+14+35+4 = 94.5 s with a ZooKeeper. That the API server and
// the manager are away is no fault of the workers', so it is held to the limits of what is planned.
func script(p pace) []phase {
	return []phase{
		{title: "3 workers", lasts: 5 * time.Second, act: nothing},
		{title: "kubectl scale --replicas=5", lasts: settle, act: scaleTo(5)},
		{title: "kubectl scale --replicas=2", lasts: settle, act: scaleTo(2)},
		{title: "kill -9 the process of pod demo-1", unplanned: true, lasts: p.limits().unplanned + aftermath,
			act: func(_ context.Context, c crew) error { return c.kill("demo-1") }},
		{title: "freeze the process of pod demo-0 past its session", unplanned: true,
			lasts: p.frozen() + p.handover + aftermath,
			act: func(ctx context.Context, c crew) error {
				if err := c.freeze("demo-0"); err != nil {
					return err
				}
				pause(ctx, p.frozen())
				return c.thaw("demo-0")
			}},
		{title: "kill the API server and the manager for 30 s", lasts: away + 5*time.Second,
			act: func(ctx context.Context, c crew) error {
				if err := c.cut(); err != nil {
					return err
				}
				pause(ctx, away)
				return c.mend(ctx)
			}},
		{title: "2 workers", lasts: 4 * time.Second, act: nothing},
	}
}

// length is how long a script lasts at least.
func length(phases []phase) time.Duration {
	var sum time.Duration
	for _, phase := range phases {
		sum += phase.lasts
	}
	return sum
}

// play goes through the phases, announcing each, and returns the windows of the unplanned ones.
func play(ctx context.Context, phases []phase, c crew, announce func(title string)) ([]ledger.Window, error) {
	var windows []ledger.Window
	for _, phase := range phases {
		announce(phase.title)
		begin := time.Now()
		err := phase.act(ctx, c)
		pause(ctx, time.Until(begin.Add(phase.lasts)))
		if phase.unplanned {
			windows = append(windows, ledger.Window{From: begin, To: time.Now()})
		}
		if cause := context.Cause(ctx); cause != nil { // whatever else failed, failed because of it
			return windows, fmt.Errorf("%s during %q: %w", ending(cause), phase.title, cause)
		}
		if err != nil {
			return windows, fmt.Errorf("%s: %w", phase.title, err)
		}
	}
	return windows, nil
}

// publishFailure is why the script ends although nobody interrupted it.
type publishFailure struct{ error }

func (f publishFailure) Unwrap() error { return f.error }

// ending says how a script ends that ends before its time.
func ending(cause error) string {
	if errors.As(cause, &publishFailure{}) {
		return "publishing failed"
	}
	return "interrupted"
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
