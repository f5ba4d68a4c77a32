// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// ownTopics is how the names of Kafka's own topics begin.
const ownTopics = "__"

// knownCluster is a cluster of package client: its brokers are named, or a ZooKeeper tells of them, and its groups are
// in the ZooKeeper if there is one.
type knownCluster struct {
	*client.Cluster

	mu     sync.Mutex // guards opened
	opened kafka.Transport
}

func openCluster(ctx context.Context, config client.Config) (cluster, error) {
	known, err := client.Connect(config) //nolint:contextcheck // the cluster outlives ctx, which bounds the wait alone
	if err != nil {
		return nil, &Error{Code: ExitUsage, Err: err}
	}
	if err := reach(ctx, known); err != nil {
		return nil, both(fmt.Errorf("%s: %w", placeOf(config), err), known.Close())
	}
	return &knownCluster{Cluster: known}, nil
}

// placeOf says where a cluster was looked for.
func placeOf(config client.Config) string {
	brokers := strings.Join(config.Bootstrap, ",")
	switch {
	case config.ZooKeeper == "":
		return "cluster of " + brokers + ", which must be brokers of Kafka 0.8 or later"
	case brokers == "":
		return "cluster of " + config.ZooKeeper
	}
	return "cluster of " + config.ZooKeeper + " and " + brokers
}

// reach waits until ZooKeeper and the brokers' registrations were read. That there is no broker is no failure: topics
// and groups can be looked at all the same.
func reach(ctx context.Context, known *client.Cluster) error {
	for {
		changed := known.Changed()
		err := known.Err()
		if err == nil || errors.Is(err, client.ErrNoBrokers) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return err
		}
	}
}

func (k *knownCluster) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opened != nil {
		k.opened.Close()
	}
	return k.Close()
}

func (k *knownCluster) transport(ctx context.Context) (kafka.Transport, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opened == nil {
		opened, err := k.Transport(ctx)
		if err != nil {
			return nil, err
		}
		k.opened = opened
	}
	return k.opened, nil
}

func (k *knownCluster) brokers(context.Context) ([]broker, error) {
	state := k.State()
	rows := make([]broker, len(state.Brokers))
	for i, b := range state.Brokers {
		rows[i] = broker{ID: b.ID, Address: b.Address, Kafka: kafkaModern}
		if b.Kafka07 {
			rows[i].Kafka = kafka07
		}
	}
	if len(state.Problems) > 0 {
		return rows, fmt.Errorf("brokers that cannot be understood: %s: %s", state.Problems[0].Path, state.Problems[0].Reason)
	}
	return rows, state.Err
}

func (k *knownCluster) topics(ctx context.Context) ([]string, error) {
	all, err := k.Topics(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, k.nobody()
	}
	var topics []string
	for _, topic := range all {
		if !strings.HasPrefix(topic, ownTopics) {
			topics = append(topics, topic)
		}
	}
	return topics, nil
}

// nobody says that no broker is registered, if that is so: then there is no cluster, which is not one without topics.
func (k *knownCluster) nobody() error {
	if err := k.State().Err; errors.Is(err, client.ErrNoBrokers) {
		return err
	}
	return nil
}

func (k *knownCluster) partitions(ctx context.Context, topic string) ([]kafka.Partition, error) {
	return k.Topic(topic).Partitions(ctx)
}

func (k *knownCluster) groups(ctx context.Context) ([]groupSummary, error) {
	found, err := k.Groups(ctx)
	if err != nil {
		return nil, noGroups(err)
	}
	if len(found) == 0 {
		return nil, k.nobody()
	}
	rows := make([]groupSummary, len(found))
	for i, g := range found {
		rows[i] = groupSummary{Name: g.Name, Members: number(g.Members)}
	}
	return rows, nil
}

func (k *knownCluster) group(ctx context.Context, name string, topics []string) (groupView, error) {
	group := k.Group(name)
	its, err := group.Topics(ctx)
	if errors.Is(err, client.ErrNoGroup) {
		return groupView{}, fmt.Errorf("group %s: %w", name, client.ErrNoGroup)
	}
	if err != nil {
		return groupView{}, noGroups(err)
	}
	if len(topics) == 0 {
		topics = its
	}
	found, err := group.Inspect(ctx, topics, nil)
	if err != nil {
		return groupView{}, err
	}
	rows, _ := k.brokers(ctx) // whether they can be told decides about the unit alone
	return describe(name, found, unitOf(rows)), found.EndErr
}

func describe(name string, found client.GroupView, unit string) groupView {
	view := groupView{Name: name, Missing: append([]string{}, found.Missing...), Problems: problems(found.Problems)}
	view.Members = make([]groupMember, len(found.Members))
	for i, m := range found.Members {
		view.Members[i] = groupMember{ID: m.ID, Name: m.Pod, State: stateOf(m), Topics: append([]string{}, m.Topics...)}
	}
	view.Partitions = make([]groupPartition, len(found.Partitions))
	for i, p := range found.Partitions {
		owner := p.Owner
		if p.Stray {
			owner += " (no member)"
		}
		view.Partitions[i] = groupPartition{
			Topic: p.Partition.Topic, ID: p.Partition.ID, Owner: owner, Committed: number(p.Committed),
			Earliest: number(p.Earliest), End: number(p.End), Lag: number(p.Lag), Unit: unit,
		}
	}
	return view
}

// stateOf says in a word what is special about a member.
func stateOf(m client.GroupMember) string {
	switch {
	case m.Unreadable:
		return "unreadable"
	case m.Leaving:
		return "leaving"
	case m.Foreign:
		return "foreign"
	}
	return "member"
}

func problems(found []layout.Problem) []string {
	texts := make([]string, len(found))
	for i, p := range found {
		texts[i] = p.Path + ": " + p.Reason
	}
	return texts
}

func (k *knownCluster) publisher(topic string, choice partitioning) publisher {
	partitioner := client.Random()
	switch choice {
	case byKey:
		partitioner = client.ByKey()
	case roundRobin:
		partitioner = client.RoundRobin()
	case random:
	}
	return clientPublisher{k.Topic(topic).Publisher(partitioner)}
}

type clientPublisher struct{ *client.Publisher }

func (p clientPublisher) publish(ctx context.Context, messages []kafka.Message) (kafka.Partition, error) {
	published, err := p.PublishMessages(ctx, messages)
	return published.Partition, err
}

// isNoTopic reports that a topic went while it was looked at.
func isNoTopic(err error) bool {
	return errors.Is(err, client.ErrNoTopic) || registry.KindOf(err) == registry.NoNode
}
