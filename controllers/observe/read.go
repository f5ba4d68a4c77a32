// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
)

const (
	// readTimeout bounds one reading of a group: it takes milliseconds, unless brokers are slow to say where their
	// partitions end, which is waited for 3 s at most; see every for what it adds to.
	readTimeout = 5 * time.Second
	// unreachedEvery is how often to look whether there is a connection yet; a look costs nothing.
	unreachedEvery = 500 * time.Millisecond
	// failedEvery is the wait after a reading that failed; what is mended shows within the 10 s that all has to heal in.
	failedEvery = 2 * time.Second
)

// keepReading reads registry and brokers until ctx ends.
func (w *watch) keepReading(ctx context.Context) {
	defer w.onlookers.forget()
	for ctx.Err() == nil {
		changed, wait := w.read(ctx)
		w.rest(ctx, changed, wait)
	}
}

// rest waits until it is time to read again.
func (w *watch) rest(ctx context.Context, changed <-chan struct{}, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-w.fresh:
		return
	case <-timer.C:
		return
	case <-w.hint:
	case <-changed:
	}
	timer.Reset(settling)
	select {
	case <-ctx.Done():
	case <-w.fresh:
	case <-timer.C:
	}
	select { // the reading that follows is for these hints, too
	case <-w.hint:
	default:
	}
}

// read looks once. The channel is closed when the connection changes; wait is until the next reading.
func (w *watch) read(ctx context.Context) (changed <-chan struct{}, wait time.Duration) {
	target := w.current()
	cluster, done, err := w.observer.reach(target.Cluster)
	if err != nil {
		w.fail(target, err)
		return nil, unreachedEvery
	}
	defer done()
	changed = cluster.Changed() // before Err, or a change in between is missed
	if err := cluster.Err(target.Coordination); err != nil {
		w.fail(target, err)
		return changed, failedEvery
	}
	if err := w.inspect(ctx, cluster, target); err != nil {
		if ctx.Err() == nil {
			w.fail(target, err)
		}
		return changed, failedEvery
	}
	return changed, w.wait()
}

func (w *watch) fail(target Target, err error) {
	w.observer.tally.failed.Add(1)
	w.change(target.sameQuestion, func(o *Observation) { o.Err = err })
}

// inspect reads all groups of the target. Those that could be read are new even if others could not.
func (w *watch) inspect(ctx context.Context, cluster Cluster, target Target) error {
	topics, err := w.resolve(ctx, cluster, target)
	if err != nil {
		return err
	}
	groups := w.onlookers.of(cluster, target)
	found := findings{topics: topics, views: map[string]client.GroupView{}}
	var reading sync.WaitGroup
	var mu sync.Mutex // protects found
	for name, group := range groups {
		reading.Go(func() {
			var view client.GroupView
			err := w.bounded(ctx, func(ctx context.Context) (err error) {
				view, err = group.Inspect(ctx, topics, func() { signal(w.hint) })
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			found.add(name, view, err)
		})
	}
	reading.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if found.err == nil {
		w.observer.tally.read.Add(1) // what failed is counted by fail
	}
	found.at = time.Now()
	w.change(target.sameQuestion, found.into)
	return found.err
}

// findings are what one reading of a target brought.
type findings struct {
	at     time.Time
	topics []string
	views  map[string]client.GroupView
	// failed is the first group, by name, that could not be read, and err why.
	failed string
	err    error
}

func (f *findings) add(name string, view client.GroupView, err error) {
	if err == nil {
		f.views[name] = view
	} else if f.err == nil || name < f.failed {
		f.failed, f.err = name, err
	}
}

func (f *findings) into(o *Observation) {
	o.Topics, o.Err = f.topics, f.err
	if o.Groups == nil {
		o.Groups = map[string]client.GroupView{}
	}
	for name, view := range f.views {
		o.Groups[name] = view
		o.Missing = view.Missing // the same for all: it is about topics
	}
	if f.err == nil {
		o.At = f.at
	}
}

func (w *watch) resolve(ctx context.Context, cluster Cluster, target Target) (topics []string, err error) {
	err = w.bounded(ctx, func(ctx context.Context) error {
		topics, err = resolve(ctx, cluster, target)
		return err
	})
	return topics, err
}

// bounded makes a call to a cluster when it may, and for as long as it may.
func (w *watch) bounded(ctx context.Context, call func(context.Context) error) error {
	select {
	case w.observer.reads <- struct{}{}:
		defer func() { <-w.observer.reads }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return call(ctx)
}
