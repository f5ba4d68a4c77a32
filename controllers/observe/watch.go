// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// every is how old an observation may be that nothing hinted at: a lost watch costs at most this. Numbers may stand
	// in a status for 16 s, so that with a reading that hangs (5 s) they are 8 + 5 + 16 = 29 s old at the most; from 30 s
	// on silence would be a lie.
	every = 8 * time.Second
	// troubledEvery is the same of workers that tell of trouble. Its end shows in their answers alone, and is to show in
	// the status within 10 s: workers may take 5 s of that to try the sink again.
	troubledEvery = 3 * time.Second
	// settling is how long a hint waits for others. A rebalance of 50 partitions makes 100 of them within milliseconds;
	// for people, a fifth of a second is at once.
	settling = 200 * time.Millisecond
	// numbersEvery is how often numbers that messages move wake a reconciler at most, unless told otherwise.
	numbersEvery = 15 * time.Second
)

// watch observes one group.
type watch struct {
	observer *Observer
	key      types.NamespacedName
	cancel   context.CancelFunc
	// hint: look again, soon. fresh: look again, now. poll: ask the workers, soon.
	hint, fresh, poll chan struct{}
	onlookers         onlookers

	// mu protects what follows.
	mu     sync.Mutex
	target Target
	latest Observation
	any    bool // something has been observed
	// told is what the reconcilers were last woken for, at which time; late says that numbers wait to be told.
	told   Observation
	toldAt time.Time
	late   bool
}

func newWatch(o *Observer, key types.NamespacedName, target Target, cancel context.CancelFunc) *watch {
	return &watch{
		observer: o, key: key, cancel: cancel, target: target,
		hint: make(chan struct{}, 1), fresh: make(chan struct{}, 1), poll: make(chan struct{}, 1),
	}
}

// signal says something to a loop that may have been told already.
func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// retarget takes over another target.
func (w *watch) retarget(target Target) {
	w.mu.Lock()
	old := w.target
	w.target = target
	w.latest = w.latest.without(old, target)
	w.mu.Unlock()
	if !old.sameQuestion(target) {
		signal(w.fresh)
	}
	signal(w.poll)
}

func (w *watch) current() Target {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.target
}

func (w *watch) observed() (Observation, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest, w.any
}

// change puts something new into the observation of target, unless the target has become another one meanwhile, and
// wakes the reconcilers if that is due. set gets a copy whose maps are its own.
func (w *watch) change(still func(now Target) bool, set func(*Observation)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !still(w.target) {
		return
	}
	next := w.latest
	next.Groups, next.Workers = maps.Clone(next.Groups), maps.Clone(next.Workers)
	set(&next)
	if !sameOwnership(w.latest, next) {
		signal(w.poll)
	}
	first := !w.any
	w.latest, w.any = next, true
	w.late = w.late || !sameNumbers(w.told, next)
	since := time.Since(w.toldAt)
	if first || !sameShape(w.told, next) || w.late && since >= w.observer.numbersEvery {
		w.told, w.toldAt, w.late = next, time.Now(), false
		w.observer.bell.Ring(w.key)
	}
}

// wait is how long until the next reading that nothing asks for: seven or eight seconds, or sooner if numbers wait to
// be told, so that they are fresh when they are.
func (w *watch) wait() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait := jittered(every)
	if w.late {
		wait = min(wait, max(0, w.observer.numbersEvery-time.Since(w.toldAt)))
	}
	return wait
}

// jittered takes up to a tenth off a wait, so that groups do not all come round at once.
func jittered(wait time.Duration) time.Duration { return wait - rand.N(wait/10) }
