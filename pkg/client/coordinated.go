// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// joinSlack is what the answer to a join may take beyond the round: the way there and back, and one reconnection.
const joinSlack = 10 * time.Second

// ErrNoCoordinator says that a group is to be kept by brokers that keep none: those of Kafka 0.7 and 0.8.
var ErrNoCoordinator = errors.New(
	"the brokers coordinate no groups before Kafka 0.9: give the group ZooKeeper for its coordination")

// coordinates is ErrNoCoordinator where no broker keeps groups, as far as is known.
func (c *Cluster) coordinates() error {
	if live, dialect := c.directory.reachable(); dialect == layout.Kafka07 || oldest(live) == wire.Kafka08 {
		return ErrNoCoordinator
	}
	return nil
}

// coordinated keeps a group at the brokers. It has a client of its own: what a member says must not wait behind what
// others ask.
type coordinated struct {
	*driver

	// mu guards what follows.
	mu      sync.Mutex
	client  *kgo.Client // nil until the first request
	brokers []string
	release wire.Release
}

// follow keeps the client at the live brokers. There is no session to be told of.
func (k *coordinated) follow(context.Context) (changed, found, over <-chan struct{}) {
	directory := k.consumer.cluster.directory
	found = directory.changes()
	live, _ := directory.reachable()
	known := addresses(live)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.client == nil || len(known) == 0:
	case oldest(live) != k.release: // it has to be spoken to in other words
		k.client.Close()
		k.client = nil
	case !slices.Equal(known, k.brokers):
		if err := k.client.UpdateSeedBrokers(known...); err != nil {
			k.consumer.cluster.logger.Warn("Broker addresses refused", "reason", err)
		}
		k.brokers = known
	}
	return nil, found, nil
}

// connect gives the client, once brokers are known.
func (k *coordinated) connect(ctx context.Context) (*kgo.Client, error) {
	c := k.consumer.cluster
	if err := c.directory.wait(ctx); err != nil {
		return nil, err
	}
	if err := c.coordinates(); err != nil {
		return nil, err
	}
	live, _ := c.directory.reachable()
	release := oldest(live)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.client != nil {
		return k.client, nil
	}
	// The client id is how the members of a group know each other.
	options := append(c.kafkaOptions(), kgo.ClientID(coordinator.ClientPrefix+k.consumer.config.Name))
	if release == wire.Negotiated {
		options = append(options, kgo.MaxVersions(byName()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("client to the group's coordinator: %w", err)
	}
	k.client, k.brokers, k.release = client, addresses(live), release
	return client, nil
}

// offsetsByName is the last version of OffsetCommit and OffsetFetch that names topics by their names: ids would have to
// be asked for before, and asked again whenever a topic is made anew.
const offsetsByName = 9

func byName() *kversion.Versions {
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(kmsg.OffsetCommit.Int16(), offsetsByName)
	versions.SetMaxKeyVersion(kmsg.OffsetFetch.Int16(), offsetsByName)
	return versions
}

// close implements keeper.
func (k *coordinated) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.client != nil {
		k.client.Close()
	}
}

// request carries out a command that only the coordinator, or the brokers, can answer.
func (k *coordinated) request(ctx context.Context, command group.Command) {
	k.running.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, k.patience(command))
		defer cancel()
		k.consumer.events.send(k.ask(ctx, command))
	})
}

// patience is how long a request may take: three fit into a session, so one that hangs is known to before the lease
// lapses. Rounds take as long as their members.
func (k *coordinated) patience(command group.Command) time.Duration {
	switch command := command.(type) {
	case coordinator.Join:
		return command.Rebalance + joinSlack
	case coordinator.Sync:
		return k.consumer.cluster.config.SessionTimeout
	}
	return k.consumer.cluster.config.SessionTimeout / answersPerSession
}

func (k *coordinated) ask(ctx context.Context, command group.Command) group.Event {
	client, err := k.connect(ctx)
	asked := inquiry{name: k.consumer.config.Group, client: client, err: err}
	var event group.Event
	switch command := command.(type) {
	case coordinator.Join:
		event = asked.join(ctx, command)
	case coordinator.Sync:
		event = asked.sync(ctx, command)
	case coordinator.Beat:
		beaten := asked.beat(ctx, command)
		k.note(beaten.Answer)
		event = beaten
	case coordinator.Describe:
		event = asked.describe(ctx, command)
	case coordinator.Locate:
		event = asked.locate(ctx, command, k.consumer.cluster.directory.partitions)
	case coordinator.Commit:
		event = asked.commit(ctx, command)
	case coordinator.Survey:
		event = k.survey(ctx, command)
	case coordinator.Depart:
		event = asked.depart(ctx, command)
	default:
		event = group.Tick{}
	}
	return event
}

// note remembers whether the coordinator answers.
func (k *coordinated) note(answer coordinator.Answer) {
	k.consumer.mu.Lock()
	defer k.consumer.mu.Unlock()
	k.consumer.silence = nil
	if answer.Verdict == coordinator.Unavailable {
		k.consumer.silence = answer.Err
	}
}

// survey asks the directory for the partitions of topics.
func (k *coordinated) survey(ctx context.Context, command coordinator.Survey) coordinator.Surveyed {
	found := make(map[string][]kafka.Partition, len(command.Topics))
	for _, topic := range command.Topics {
		partitions, err := k.consumer.cluster.directory.partitions(ctx, topic)
		if err != nil && !errors.Is(err, ErrNoTopic) {
			return coordinator.Surveyed{Answer: coordinator.Answer{
				Verdict: coordinator.Unavailable, Err: fmt.Errorf("partitions of topic %s: %w", topic, err),
			}}
		}
		found[topic] = partitions
	}
	return coordinator.Surveyed{Partitions: found}
}
