// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// errNoDelete is what brokers before Kafka 1.1 say.
var errNoDelete = errors.New("the brokers delete no groups before Kafka 1.1: its positions expire by themselves")

// ask prepares to ask the group's coordinator with the cluster's own client. From Kafka 0.8.2 on it knows positions.
func (g *Group) ask(ctx context.Context) inquiry {
	client, err := g.cluster.kafkaClient(ctx)
	return inquiry{name: g.name, client: client, err: err}
}

// inquire is ask where the group's members are asked for as well, which Kafka 0.8 knows nothing of.
func (g *Group) inquire(ctx context.Context) inquiry {
	asked := g.ask(ctx)
	if asked.err == nil {
		asked.err = g.cluster.coordinates()
	}
	return asked
}

// inspectCoordinated is Inspect for a group that brokers keep. The topics are sorted.
func (g *Group) inspectCoordinated(ctx context.Context, topics []string, tell func()) (GroupView, error) {
	asked := g.inquire(ctx)
	look, err := asked.look(ctx)
	if err != nil {
		return GroupView{}, explained(err)
	}
	partitions, absent, err := g.cluster.partitionsOf(ctx, topics)
	if err != nil {
		return GroupView{}, err
	}
	var committed map[kafka.Partition]int64
	if len(partitions) > 0 {
		if committed, err = asked.positions(ctx, partitions); err != nil {
			return GroupView{}, explained(err)
		}
	}
	begun := len(committed) > 0
	if !begun {
		if begun, err = asked.anyPosition(ctx, topics, g.cluster.directory.partitions); err != nil {
			return GroupView{}, explained(err)
		}
	}
	g.polled.watch(g, look, partitions, topics, tell) //nolint:contextcheck // it looks on after this call has ended
	view := describeCoordinated(look, partitions, committed, g.cluster.bounds(ctx, partitions))
	view.Missing, view.Begun = absent, begun
	return view, nil
}

// partitionsOf are those of all the topics, and the topics that do not exist.
func (c *Cluster) partitionsOf(
	ctx context.Context, topics []string,
) (all []kafka.Partition, absent []string, err error) {
	for _, topic := range topics {
		partitions, err := c.directory.partitions(ctx, topic)
		switch {
		case errors.Is(err, ErrNoTopic):
			absent = append(absent, topic)
		case err != nil:
			return nil, nil, fmt.Errorf("partitions of topic %s: %w", topic, err)
		}
		all = append(all, partitions...)
	}
	slices.SortFunc(all, kafka.Partition.Compare)
	return all, absent, nil
}

// describeCoordinated says what the findings mean.
func describeCoordinated(
	look groupLook, partitions []kafka.Partition, committed map[kafka.Partition]int64, logs bounds,
) GroupView {
	view := GroupView{EndErr: logs.err, Partitions: make([]GroupPartition, len(partitions))}
	owners := map[kafka.Partition]string{}
	registrations := make([]layout.Registration, 0, len(look.Peers))
	for _, peer := range look.Peers {
		registrations = append(registrations, peer.Registration())
		for _, partition := range peer.Assigned() {
			owners[partition] = peer.ID
		}
	}
	view.Members = members(layout.Inspection{View: layout.View{Members: registrations}})
	if len(registrations) > 0 {
		view.Strategy, view.Why = coordinator.Strategy(look.Protocol, registrations)
	}
	for i, partition := range partitions {
		p := GroupPartition{Partition: partition, Owner: owners[partition], Committed: -1}
		if position, ok := committed[partition]; ok {
			p.Committed = position
		}
		p.Earliest, p.End = logs.of(partition)
		p.Lag = p.lag()
		view.Partitions[i] = p
	}
	return view
}

// coordinatedTopics are those that members subscribe to or were given, and that there are positions of.
func (g *Group) coordinatedTopics(ctx context.Context) ([]string, error) {
	asked := g.inquire(ctx)
	look, err := asked.look(ctx)
	if err != nil {
		return nil, explained(err)
	}
	committed, err := g.everyPosition(ctx, asked)
	if err != nil {
		return nil, explained(err)
	}
	if len(look.Peers) == 0 && len(committed) == 0 && (look.state == stateDead || look.state == "") {
		return nil, ErrNoGroup
	}
	var topics []string
	for partition := range committed {
		topics = append(topics, partition.Topic)
	}
	for _, peer := range look.Peers {
		for topic := range peer.Registration().Topics {
			topics = append(topics, topic)
		}
		for _, partition := range peer.Assigned() {
			topics = append(topics, partition.Topic)
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics), nil
}

// everyPosition are all committed ones. Brokers that cannot tell of all there are (before Kafka 0.10.2) are asked for
// the partitions of every topic.
func (g *Group) everyPosition(ctx context.Context, asked inquiry) (map[kafka.Partition]int64, error) {
	committed, version, err := asked.offsets(ctx, nil)
	if err != nil || version >= allOffsets || len(committed) > 0 {
		return committed, err
	}
	topics, err := g.cluster.Topics(ctx)
	if err != nil {
		return nil, err
	}
	partitions, _, err := g.cluster.partitionsOf(ctx, topics)
	if err != nil || len(partitions) == 0 {
		return nil, err
	}
	return asked.positions(ctx, partitions)
}

// coordinatedGroups are those of consumers that the brokers know.
func (c *Cluster) coordinatedGroups(ctx context.Context) ([]registry.GroupCount, error) {
	client, err := c.kafkaClient(ctx)
	if err == nil {
		err = c.coordinates()
	}
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	admin := kadm.NewClient(client)
	listed, err := admin.ListGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	var names []string
	for name, group := range listed {
		if group.ProtocolType == coordinator.ProtocolType || group.ProtocolType == "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 { // of none, the description is that of all
		return nil, nil
	}
	described, err := admin.DescribeGroups(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	var others []string // not there, to the classic question
	for _, name := range names {
		if len(described[name].Members) == 0 && described[name].State != stateEmpty {
			others = append(others, name)
		}
	}
	peers := newProtocolPeers(ctx, client, others...)
	groups := make([]registry.GroupCount, 0, len(names))
	for _, name := range names {
		groups = append(groups, registry.GroupCount{Name: name, Members: len(described[name].Members) + len(peers[name])})
	}
	slices.SortFunc(groups, func(a, b registry.GroupCount) int { return strings.Compare(a.Name, b.Name) })
	return groups, nil
}

// deleteCoordinated is Delete for a group that brokers keep.
func (g *Group) deleteCoordinated(ctx context.Context) error {
	failed := func(err error) error { return fmt.Errorf("delete group %s: %w", g.name, explained(err)) }
	asked := g.inquire(ctx)
	look, err := asked.look(ctx)
	if err != nil {
		return failed(err)
	}
	if len(look.Peers) > 0 {
		return g.inUse(look)
	}
	answers, err := kadm.NewClient(asked.client).DeleteGroups(ctx, g.name)
	if err == nil {
		err = answers[g.name].Err
	}
	switch {
	case err == nil, errors.Is(err, kerr.GroupIDNotFound):
		return nil
	case errors.Is(err, kerr.NonEmptyGroup): // somebody joined meanwhile
		if look, err = asked.look(ctx); err != nil {
			return failed(err)
		}
		return g.inUse(look)
	case tooOld(err):
		return failed(errNoDelete)
	}
	return failed(err)
}

// tooOld reports whether brokers do not know the request, which franz-go says in texts alone: one for those that told
// what they know, another for those that cannot.
func tooOld(err error) bool {
	text := err.Error()
	return errors.Is(err, kerr.UnsupportedVersion) ||
		strings.Contains(text, "broker is too old") || strings.Contains(text, "request key is unknown")
}

func (g *Group) inUse(look groupLook) error {
	inUse := &GroupInUseError{Group: g.name}
	for _, peer := range look.Peers {
		r := peer.Registration()
		inUse.Members = append(inUse.Members, GroupMember{ID: r.ID, Pod: r.Pod, Foreign: r.Foreign})
	}
	return inUse
}
