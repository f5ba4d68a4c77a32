// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry"
)

// Cluster is what is asked of a Kafka cluster.
type Cluster interface {
	// Err is why groups of a coordination cannot be read right now, of stable text; nil if they can.
	Err(coordination client.Coordination) error
	// Changed is closed at the next change of what Err tells.
	Changed() <-chan struct{}
	// Topics are the names of all topics.
	Topics(ctx context.Context) ([]string, error)
	// Group gives a group of a coordination, to look at again and again.
	Group(coordination client.Coordination, name string) Group
}

// Group is a *client.Group.
type Group interface {
	Inspect(ctx context.Context, topics []string, tell func()) (client.GroupView, error)
	Forget()
}

// Reach gives the connection to a KafkaCluster's cluster, and done to be called when it is not used any more; or the
// reason why there is none.
type Reach func(key types.NamespacedName) (cluster Cluster, done func(), err error)

// ErrNoConnection is what stands until a KafkaCluster has been seen: nothing is wrong yet.
var ErrNoConnection = errors.New("there is no connection to the KafkaCluster yet")

// Through reaches clusters by a cache of connections.
func Through(cache *connections.Cache) Reach {
	return func(key types.NamespacedName) (Cluster, func(), error) {
		connected, release, ok := cache.Acquire(key)
		if ok {
			return cluster{connected}, release, nil
		}
		if err := cache.Failure(key); err != nil {
			return nil, nil, err
		}
		return nil, nil, ErrNoConnection
	}
}

// cluster is a client's.
type cluster struct{ *client.Cluster }

// Err implements Cluster. Groups in ZooKeeper can be read without brokers: only what brokers know is unknown then.
// Those that brokers coordinate can be read without the ZooKeeper that told of the brokers.
func (c cluster) Err(coordination client.Coordination) error {
	state := c.State()
	_, ofZooKeeper := errors.AsType[*registry.Error](state.Err)
	byBrokers := coordination == client.CoordinationKafka
	if byBrokers && ofZooKeeper && len(state.Brokers) > 0 || !byBrokers && state.Connected {
		return nil
	}
	return state.Err
}

// Group implements Cluster.
func (c cluster) Group(coordination client.Coordination, name string) Group {
	return c.GroupIn(coordination, name)
}

// resolve gives the topics that a target means: to the letter those that the workers take up.
func resolve(ctx context.Context, from Cluster, target Target) ([]string, error) {
	if target.Pattern == "" {
		return target.Topics, nil
	}
	pattern, err := client.CompilePattern(target.Pattern)
	if err != nil {
		return nil, fmt.Errorf("the pattern for topics: %w", err)
	}
	all, err := from.Topics(ctx)
	if err != nil {
		return nil, err
	}
	return client.MatchTopics(pattern, all), nil
}
