// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

const (
	// lookEvery is how old a finding may be: who makes or deletes a topic sees it within the 10 s in which everything
	// else shows. It is a question of some hundred bytes, mostly answered out of what the connection knows anyway.
	lookEvery = 8 * time.Second
	// lookSoon is the wait after a look that failed, and while a topic that is to be there is not.
	lookSoon = time.Second
	// createdSoon is the wait after a topic was made: brokers tell each other within tens of milliseconds.
	createdSoon = 200 * time.Millisecond
	// lookTimeout bounds one look, and createTimeout one attempt to make a topic: a controller makes it in milliseconds,
	// and brokers hold such a request for no longer than 15 s.
	lookTimeout   = 5 * time.Second
	createTimeout = 15 * time.Second
	// unseenAfter is how long a topic that was made may be on its way: brokers register it within a second, and one that
	// looks anew every second has missed it 30 times by then.
	unseenAfter = 30 * time.Second
)

// watch looks after one topic.
type watch struct {
	keeper *Keeper
	key    types.NamespacedName
	target Target
	cancel context.CancelFunc
	// created is when brokers said first that they made it; zero if they never did. Only run's goroutine uses it.
	created time.Time

	// What follows is protected by the keeper's mu.
	latest Found
	any    bool
}

// run looks again and again until ctx ends.
func (w *watch) run(ctx context.Context) {
	for ctx.Err() == nil {
		changed, wait := w.look(ctx)
		timer := time.NewTimer(wait - rand.N(wait/10)) //nolint:gosec // so that bindings do not all look at once
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look looks once. The channel is closed when the connection changes; wait is until the next look.
func (w *watch) look(ctx context.Context) (changed <-chan struct{}, wait time.Duration) {
	cluster, release, ok := w.keeper.connections.Acquire(w.target.Cluster)
	if !ok {
		w.failed(ErrNoConnection)
		return nil, lookSoon
	}
	defer release()
	changed = cluster.Changed() // before State, or a change in between is missed
	state := cluster.State()
	if state.Err != nil {
		w.failed(state.Err)
		return changed, lookSoon
	}
	found, err := w.read(ctx, cluster)
	switch {
	case ctx.Err() != nil:
		return nil, lookSoon
	case err != nil:
		w.failed(err)
		return changed, lookSoon
	case !found.Missing:
		w.created = time.Time{} // one that is deleted later is made anew
		w.put(found)
		return changed, lookEvery
	case state.DialectKnown && state.Dialect == layout.Kafka07:
		found.ByFirstMessage = true
		w.put(found)
		return changed, lookEvery
	case w.target.Create == nil:
		w.put(found)
		return changed, lookSoon
	}
	return changed, w.create(ctx, cluster, found)
}

func (w *watch) read(ctx context.Context, cluster *client.Cluster) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	partitions, err := cluster.Topic(w.target.Topic).Partitions(ctx)
	switch {
	case errors.Is(err, client.ErrNoTopic):
		return Found{At: time.Now(), Missing: true}, nil
	case errors.Is(err, context.DeadlineExceeded):
		return Found{}, fmt.Errorf("the cluster does not tell within %v whether the topic exists", lookTimeout)
	case err != nil:
		return Found{}, err
	}
	return Found{At: time.Now(), Partitions: len(partitions), Differs: w.differs(ctx, cluster)}, nil
}

// differs compares the topic's settings with those that it would be made with. That they cannot be read is no fault of
// the topic's: brokers before 0.11 do not tell them, others do not tell everybody.
func (w *watch) differs(ctx context.Context, cluster *client.Cluster) string {
	if w.target.Create == nil || len(w.target.Create.Configs) == 0 {
		return ""
	}
	configs, err := cluster.Topic(w.target.Topic).Configs(ctx)
	if err != nil {
		return ""
	}
	var differs []string
	for _, name := range slices.Sorted(maps.Keys(w.target.Create.Configs)) {
		if value, known := configs[name]; known && value != w.target.Create.Configs[name] {
			differs = append(differs, fmt.Sprintf("%s is %s where it says %s", name, value, w.target.Create.Configs[name]))
		}
	}
	return strings.Join(differs, ", ")
}

// create makes the topic.
func (w *watch) create(ctx context.Context, cluster *client.Cluster, found Found) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	logger := w.keeper.logger.With("producerBinding", w.key.String(), "topic", w.target.Topic)
	found.CreateErr = cluster.Topic(w.target.Topic).Create(ctx, *w.target.Create)
	if found.CreateErr == nil && w.created.IsZero() {
		w.created = time.Now()
		logger.Info("Created a topic", "partitions", w.target.Create.Partitions)
		return createdSoon
	}
	if ctx.Err() != nil {
		found.CreateErr = errors.New("the brokers have not made it in time")
	}
	found.Unseen = unseen(w.created, found.CreateErr, time.Now())
	w.put(found)
	return lookSoon
}

// unseen is when a topic was made that is to be seen by now and is not; zero while it may still come. err is what the
// brokers say when they are asked for it again.
func unseen(created time.Time, err error, now time.Time) time.Time {
	if err != nil || created.IsZero() || now.Sub(created) < unseenAfter {
		return time.Time{}
	}
	return created
}

// failed keeps what was seen before, with its time.
func (w *watch) failed(err error) {
	w.change(func(f *Found) { f.Err = err })
}

func (w *watch) put(found Found) { w.change(func(f *Found) { *f = found }) }

// change wakes the listeners if there is something to show.
func (w *watch) change(set func(*Found)) {
	w.keeper.mu.Lock()
	defer w.keeper.mu.Unlock()
	before, first := w.latest, !w.any
	set(&w.latest)
	w.any = true
	if w.keeper.there[w.key] == w && (first || !before.same(w.latest)) {
		w.keeper.bell.Ring(w.key)
	}
}
