// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/controllers/wake"
	"github.com/samsa-dev/samsa/pkg/client"
)

// Target is a topic, of a KafkaCluster's cluster.
type Target struct {
	Cluster types.NamespacedName
	Topic   string
	// Create is how to make the topic if it does not exist; nil for not at all.
	Create *client.TopicSettings
}

func (t Target) equal(other Target) bool {
	if t.Cluster != other.Cluster || t.Topic != other.Topic || (t.Create == nil) != (other.Create == nil) {
		return false
	}
	return t.Create == nil || t.Create.Partitions == other.Create.Partitions &&
		t.Create.Replicas == other.Create.Replicas && maps.Equal(t.Create.Configs, other.Create.Configs)
}

// Found is what was last seen of a topic.
type Found struct {
	// At is when that was; zero if it never was. Err is why it could not be read since, with a text that stays the same
	// while its cause does.
	At  time.Time
	Err error
	// Partitions is their number. Missing says that the topic does not exist, and ByFirstMessage that it does not need to:
	// Kafka 0.7 makes it when the first message is published.
	Partitions     int
	Missing        bool
	ByFirstMessage bool
	// CreateErr is why the topic could not be made.
	CreateErr error
	// Unseen is when brokers said that they made the topic, where it has not been seen for long since; zero otherwise.
	Unseen time.Time
	// Differs are the settings of one that exists that are not what it would have been made with, as in "retention.ms is
	// 1000 where it says 2000". They are looked for where brokers tell them.
	Differs string
}

// same tells that two findings differ in nothing that a status would show.
func (f Found) same(other Found) bool {
	return f.At.IsZero() == other.At.IsZero() && text(f.Err) == text(other.Err) && f.Partitions == other.Partitions &&
		f.Missing == other.Missing && f.Differs == other.Differs && f.ByFirstMessage == other.ByFirstMessage &&
		text(f.CreateErr) == text(other.CreateErr) && f.Unseen.Equal(other.Unseen)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// ErrNoConnection says that there is no connection to the cluster yet, or none any more.
var ErrNoConnection = errors.New("there is no connection to the cluster")

// Keeper looks after topics, by the name of their ProducerBinding. Its methods may be called concurrently, before Run,
// too; it looks only while Run runs.
type Keeper struct {
	connections *connections.Cache
	logger      *slog.Logger
	bell        wake.Bell
	// unsettled asks Run to make what is kept what is wanted.
	unsettled chan struct{}

	// mu protects what follows.
	mu     sync.Mutex
	wanted map[types.NamespacedName]Target
	there  map[types.NamespacedName]*watch
}

// New makes a keeper that looks after nothing yet.
func New(connected *connections.Cache, logger *slog.Logger) *Keeper {
	return &Keeper{
		connections: connected, logger: logger, unsettled: make(chan struct{}, 1),
		wanted: map[types.NamespacedName]Target{}, there: map[types.NamespacedName]*watch{},
	}
}

// Run looks until ctx ends, and returns nil once nothing of it runs any more.
func (k *Keeper) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		k.settle(ctx, &running)
		select {
		case <-ctx.Done():
			return nil
		case <-k.unsettled:
		}
	}
}

// Start implements controller-runtime's manager.Runnable, as Run.
func (k *Keeper) Start(ctx context.Context) error { return k.Run(ctx) }

// Watch wants a topic to be looked after. One that differs is looked at at once; one that does not changes nothing.
func (k *Keeper) Watch(key types.NamespacedName, target Target) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known, ok := k.wanted[key]; ok && known.equal(target) {
		return
	}
	k.wanted[key] = target
	k.drop(key)
	select {
	case k.unsettled <- struct{}{}:
	default:
	}
}

// Forget wants a topic to be looked after no more.
func (k *Keeper) Forget(key types.NamespacedName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.wanted, key)
	k.drop(key)
}

// Latest is what was last seen of a binding's topic; false before anything was. It never blocks.
func (k *Keeper) Latest(key types.NamespacedName) (Found, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if watching, ok := k.there[key]; ok {
		return watching.latest, watching.any
	}
	return Found{}, false
}

// Source wakes a controller when something differs; the request is the ProducerBinding's.
func (k *Keeper) Source() source.Source { return k.bell.Source() }

// drop ends a watch. The caller holds mu.
func (k *Keeper) drop(key types.NamespacedName) {
	if watching, ok := k.there[key]; ok {
		watching.cancel()
		delete(k.there, key)
	}
}

// settle starts to look after what is wanted and is not looked after yet.
func (k *Keeper) settle(ctx context.Context, running *sync.WaitGroup) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, target := range k.wanted {
		if _, ok := k.there[key]; ok {
			continue
		}
		own, cancel := context.WithCancel(ctx)
		watching := &watch{keeper: k, key: key, target: target, cancel: cancel}
		k.there[key] = watching
		running.Go(func() { watching.run(own) })
	}
}
