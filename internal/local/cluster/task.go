// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"cmp"
	"context"
	"errors"
	"sync"
)

// task is something that runs in a goroutine of its own until it is stopped.
type task struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of an end that was asked for; read after done

	mu      sync.Mutex // protects stopped
	stopped bool
}

// errEnded stands for an end without a reason.
var errEnded = errors.New("without saying why")

// start runs a function. failed is told if it ends though nobody stopped it, always with an error.
func start(run func(context.Context) error, failed func(error)) *task {
	ctx, cancel := context.WithCancel(context.Background())
	t := &task{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer cancel()
		err := run(ctx)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.stopped {
			t.err = err
		} else {
			failed(cmp.Or(err, errEnded))
		}
	}()
	return t
}

// stop ends it and waits. A task that is nil has ended already; the error of one that failed before was told then.
func (t *task) stop() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	t.stopped = true
	t.mu.Unlock()
	t.cancel()
	<-t.done
	return t.err
}
