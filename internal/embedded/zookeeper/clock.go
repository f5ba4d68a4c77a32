// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"slices"
	"sync"
	"time"
)

// Clock is the time a server lives by: stats, expiry of sessions, delay of answers. Its methods are safe for
// concurrent use.
type Clock interface {
	// Now is the time that stats and sessions see.
	Now() time.Time
	// At returns a channel that is closed once Now has reached t, at once where it has already. The time is
	// absolute, so that a clock moved between two calls delays nobody. stop releases what At took; the
	// channel may then stay open for ever.
	At(t time.Time) (reached <-chan struct{}, stop func())
}

// SystemClock is the clock of the machine.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// At implements Clock.
func (SystemClock) At(t time.Time) (<-chan struct{}, func()) {
	reached := make(chan struct{})
	timer := time.AfterFunc(time.Until(t), func() { close(reached) })
	return reached, func() { timer.Stop() }
}

// ManualClock is a [Clock] that stands still until it is told to advance.
type ManualClock struct {
	mu      sync.Mutex // guards what follows
	now     time.Time
	waiters []*waiter
}

type waiter struct {
	at      time.Time
	reached chan struct{}
}

// NewManualClock returns a clock that shows start.
func NewManualClock(start time.Time) *ManualClock { return &ManualClock{now: start} }

// Now returns the time the clock shows.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// At implements [Clock].
func (c *ManualClock) At(t time.Time) (<-chan struct{}, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &waiter{at: t, reached: make(chan struct{})}
	if !t.After(c.now) {
		close(w.reached)
		return w.reached, func() {}
	}
	c.waiters = append(c.waiters, w)
	return w.reached, func() { c.forget(w) }
}

// Advance moves the clock on by d and wakes whoever waits for a time up to the new one. What they then do
// happens after Advance has returned: a test waits for the effect.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waiters = slices.DeleteFunc(c.waiters, func(w *waiter) bool {
		due := !w.at.After(c.now)
		if due {
			close(w.reached)
		}
		return due
	})
}

func (c *ManualClock) forget(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters = slices.DeleteFunc(c.waiters, func(o *waiter) bool { return o == w })
}
