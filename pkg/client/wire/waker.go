// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"sync"
	"time"
)

// waker ends a wait in Poll early: for news that franz-go does not tell through its polls.
type waker struct {
	// mu guards what follows.
	mu   sync.Mutex
	woke bool
	end  context.CancelFunc // nil while nobody waits
}

func newWaker() *waker { return &waker{} }

// wake ends the wait underway, or the next one before it begins. Safe for concurrent use.
func (w *waker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woke = true
	if w.end != nil {
		w.end()
	}
}

// wait gives the context of one wait, which ends with ctx, on wake, and after limit unless that is 0. The function
// returned must be called when the wait is over.
func (w *waker) wait(ctx context.Context, limit time.Duration) (context.Context, func()) {
	var end context.CancelFunc
	if limit > 0 {
		ctx, end = context.WithTimeout(ctx, limit)
	} else {
		ctx, end = context.WithCancel(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.woke {
		end()
	}
	w.woke = false
	w.end = end
	return ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.end = nil
		end()
	}
}
