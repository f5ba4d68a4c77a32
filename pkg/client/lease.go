// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"sync"
	"time"
)

// Lease is the time for which a consumer's session certainly lives. Nothing may be delivered outside of it: others may
// own the partitions by then. Safe for concurrent use.
type Lease interface {
	// Context ends when the lease lapses; it is over already if the lease does not hold. Ask for it anew for each attempt:
	// a lease that was extended after it had lapsed has a new one.
	Context() context.Context
}

// lease is the driver's end of a Lease.
type lease struct {
	// mu protects what follows.
	mu     sync.Mutex
	until  time.Time
	ctx    context.Context //nolint:containedctx // it is what the lease hands out: a context that ends when it lapses
	cancel context.CancelFunc
	timer  *time.Timer
}

func newLease() *lease {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return &lease{ctx: ctx, cancel: cancel}
}

// Context implements Lease. The clock is asked, so that a process that was stopped and wakes up is not fooled by timers
// that have yet to fire.
func (l *lease) Context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !time.Now().Before(l.until) {
		l.cancel()
	}
	return l.ctx
}

// extend moves the end of the lease. One that has lapsed begins anew, with a context of its own.
func (l *lease) extend(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := time.Until(until)
	if left <= 0 {
		return
	}
	l.until = until
	if l.ctx.Err() != nil {
		l.ctx, l.cancel = context.WithCancel(context.Background())
	}
	if l.timer == nil {
		l.timer = time.AfterFunc(left, l.expire)
		return
	}
	l.timer.Reset(left)
}

// expire runs when the timer fires, which may be just after the lease was extended again.
func (l *lease) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left := time.Until(l.until); left > 0 {
		l.timer.Reset(left)
		return
	}
	l.cancel()
}

// endBefore is when the lease ended, or now if it holds.
func (l *lease) endBefore(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.until.Before(now) {
		return l.until
	}
	return now
}

// end ends the lease now.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Time{}
	l.cancel()
	if l.timer != nil {
		l.timer.Stop()
	}
}
