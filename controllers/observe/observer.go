// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/samsa-dev/samsa/controllers/wake"
	"github.com/samsa-dev/samsa/internal/worker"
)

const (
	// maxReads is how many groups are read at once: a reading is a few round trips of a millisecond or two, so that 200
	// groups that all ask at once (an operator's start) are through within a second, and no ensemble notices.
	maxReads = 16
	// maxPolls is how many workers are asked at once. One that does not answer takes 2 s, so that 200 dead ones delay the
	// others by 13 s at worst.
	maxPolls = 32
)

// Observer observes consumer groups, by the name of their ConsumerGroup. Its methods may be called concurrently, before
// Run, too; it observes only while Run runs.
type Observer struct {
	reach  Reach
	ask    func(ctx context.Context, address string) (*worker.Status, error)
	logger *slog.Logger
	bell   wake.Bell
	// numbersEvery is how often numbers wake a reconciler at most.
	numbersEvery time.Duration
	// reads and polls are full when as many as may are under way.
	reads, polls chan struct{}
	// unsettled asks Run to make what is watched what is wanted.
	unsettled chan struct{}
	tally     tally

	// mu protects what follows.
	mu     sync.Mutex
	wanted map[types.NamespacedName]Target
	there  map[types.NamespacedName]*watch
}

// New makes an observer that watches nothing yet. Numbers that messages move wake reconcilers that often at most; 0 is
// for 15 s.
func New(reach Reach, logger *slog.Logger, numbers time.Duration) *Observer {
	return &Observer{
		numbersEvery: cmp.Or(numbers, numbersEvery),
		reach:        reach,
		logger:       logger,
		reads:        make(chan struct{}, maxReads),
		polls:        make(chan struct{}, maxPolls),
		unsettled:    make(chan struct{}, 1),
		wanted:       map[types.NamespacedName]Target{},
		there:        map[types.NamespacedName]*watch{},
	}
}

// Run observes until ctx ends, and returns nil once nothing of it runs any more.
func (o *Observer) Run(ctx context.Context) error {
	if o.ask == nil { // tests have their own
		workers := newPoller()
		defer workers.close()
		o.ask = workers.ask
	}
	var running sync.WaitGroup
	defer running.Wait()
	for {
		o.settle(ctx, &running)
		select {
		case <-ctx.Done():
			return nil
		case <-o.unsettled:
		}
	}
}

// Start implements controller-runtime's manager.Runnable, as Run.
func (o *Observer) Start(ctx context.Context) error { return o.Run(ctx) }

// Watch wants a target to be observed. A target that differs is read at once; one that does not changes nothing.
func (o *Observer) Watch(key types.NamespacedName, target Target) {
	target = target.clone()
	o.mu.Lock()
	defer o.mu.Unlock()
	known, ok := o.wanted[key]
	if ok && known.equal(target) {
		return
	}
	o.wanted[key] = target
	if watching, ok := o.there[key]; ok {
		watching.retarget(target)
		return
	}
	o.unsettle()
}

// Forget wants a group to be observed no more.
func (o *Observer) Forget(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.wanted[key]; !ok {
		return
	}
	delete(o.wanted, key)
	if watching, ok := o.there[key]; ok {
		watching.cancel()
		delete(o.there, key)
	}
}

// Latest is what was last observed of a group; false before anything was. It never blocks for longer than it takes to
// look.
func (o *Observer) Latest(key types.NamespacedName) (Observation, bool) {
	o.mu.Lock()
	watching, ok := o.there[key]
	o.mu.Unlock()
	if !ok {
		return Observation{}, false
	}
	return watching.observed()
}

// Source wakes a controller when an observation differs; the request is the ConsumerGroup's.
func (o *Observer) Source() source.Source { return o.bell.Source() }

// unsettle wakes Run. The caller holds mu.
func (o *Observer) unsettle() {
	select {
	case o.unsettled <- struct{}{}:
	default:
	}
}

// settle starts to watch what is wanted and is not watched yet.
func (o *Observer) settle(ctx context.Context, running *sync.WaitGroup) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, target := range o.wanted {
		if _, ok := o.there[key]; ok {
			continue
		}
		own, cancel := context.WithCancel(ctx)
		watching := newWatch(o, key, target, cancel)
		o.there[key] = watching
		running.Go(func() { watching.keepReading(own) })
		running.Go(func() { watching.keepPolling(own) })
	}
}
