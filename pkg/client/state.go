// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// ClusterState is how a cluster stands, as far as its ZooKeeper and its brokers tell.
type ClusterState struct {
	// Connected says that ZooKeeper answers; of a cluster without, that a broker does. Fenced is false if the ZooKeeper's
	// servers have no transactions, or none is known; a group that brokers coordinate is always fenced.
	Connected, Fenced bool
	// SessionTimeout is the negotiated one, 0 without a session.
	SessionTimeout time.Duration
	// Warning says what about the session makes a member's lease unsound; empty if nothing does.
	Warning string
	// Err is why the cluster cannot be reached, nil if it can; ErrNoBrokers where ZooKeeper answers and knows no broker,
	// ErrBrokersMixed where it knows some that do not belong together. Its text stays the same while the cause does, and
	// says what to do. Kind is its kind, 0 for none.
	Err  error
	Kind registry.Kind
	// Brokers are the live ones, by number. While ZooKeeper is away they are those last known.
	Brokers []Broker
	// Problems are the brokers' nodes that cannot be understood, by path.
	Problems []layout.Problem
	// Dialect is which Kafka this is, as its brokers registered; what it was while none is registered. DialectKnown is
	// false until the first one has been seen.
	Dialect      layout.Dialect
	DialectKnown bool
	// Controller is what keeps the cluster's metadata, MinVersion and MaxVersion the oldest and newest Kafka that the
	// brokers' answers fit ("3.9"; "4.4+" where it is newer than what this build knows); empty while unknown.
	Controller             Controller
	MinVersion, MaxVersion string
	// ClusterID is what the cluster calls itself, empty where it does not (before Kafka 0.10.1).
	ClusterID string
	// Degraded says what works less well with this Kafka, and why; a sentence each, stable.
	Degraded []string
}

// Controller is what keeps a cluster's metadata.
type Controller string

// What may keep a cluster's metadata.
const (
	ControllerZooKeeper Controller = "ZooKeeper"
	ControllerKRaft     Controller = "KRaft"
)

// State says how the cluster stands. It never waits.
func (c *Cluster) State() ClusterState {
	zookeeper := c.zookeeper()
	state := ClusterState{
		Connected: zookeeper.Connected, Fenced: zookeeper.Fenced, Warning: zookeeper.Warning,
		Err:      zookeeper.Err,
		Brokers:  slices.SortedFunc(maps.Values(c.directory.brokers()), compareBrokers),
		Problems: c.directory.malformed(),
	}
	state.Dialect, state.DialectKnown = c.directory.era()
	if state.Err == nil {
		state.Err = c.brokersErr()
	}
	state.Kind = registry.KindOf(state.Err)
	if _, refused := errors.AsType[*wire.NotAdmitted](state.Err); refused {
		state.Kind = registry.Denied
	}
	if zookeeper.Session != nil {
		state.SessionTimeout = zookeeper.Session.Timeout()
	}
	c.describe(&state)
	return state
}

// zookeeper is how the session stands. Without ZooKeeper there is nothing to be in the way, and the brokers are what is
// connected to.
func (c *Cluster) zookeeper() registry.State {
	if c.registry != nil {
		return c.registry.State()
	}
	answers := c.directory.err() == nil
	return registry.State{Connected: answers, Fenced: answers}
}

// Changed gives a channel that is closed at the next change of State. Take it before asking for State, or a change in
// between is missed.
func (c *Cluster) Changed() <-chan struct{} { return c.changes.next() }

// Topics are the names of all topics, sorted. It waits for ZooKeeper, or for a broker where those tell, as long as ctx
// allows.
func (c *Cluster) Topics(ctx context.Context) ([]string, error) {
	topics, err := c.topicsOf(ctx)
	if err != nil {
		return nil, fmt.Errorf("topics: %w", err)
	}
	return topics, nil
}

// topicsOf are the names of all topics, sorted, as ZooKeeper or the brokers tell them.
func (c *Cluster) topicsOf(ctx context.Context) ([]string, error) {
	if c.directory.byBrokers() {
		return c.directory.askTopics(ctx)
	}
	session, err := c.directory.session(ctx)
	if err != nil {
		return nil, err
	}
	return session.Topics(ctx, nil)
}

func compareBrokers(a, b Broker) int { return compareNumbers(a.ID, b.ID) }

// changes announces that something changed.
type changes struct {
	mu     sync.Mutex // guards coming
	coming chan struct{}
}

func newChanges() *changes { return &changes{coming: make(chan struct{})} }

func (c *changes) next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.coming
}

func (c *changes) announce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.coming)
	c.coming = make(chan struct{})
}

// sources are closed when what State is made of changes.
type sources struct{ zookeeper, directory, admission, surveyed <-chan struct{} }

func (c *Cluster) sources() sources {
	next := sources{
		directory: c.directory.changes(), admission: c.admission.Changed(), surveyed: c.surveyed.changes(),
	}
	if c.registry != nil {
		next.zookeeper = c.registry.Changed()
	}
	return next
}

// follow announces changes of what State is made of, beginning with those that next tells, until ctx ends. What it
// waits for next is taken before it announces: so a change that nobody waited for yet is in the State of whoever hears
// of the one before.
func (c *Cluster) follow(ctx context.Context, next sources) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.zookeeper:
		case <-next.directory:
		case <-next.admission:
		case <-next.surveyed:
		}
		next = c.sources()
		c.changes.announce()
	}
}
