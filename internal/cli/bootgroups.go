// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// isUnknownTopic reports what brokers say of a topic that does not exist.
func isUnknownTopic(err error) bool {
	return errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.InvalidTopicException)
}

// coordinates says why the brokers have no groups; nil if they may have some.
func (b *bootstrapCluster) coordinates() error {
	if b.config.Release == wire.Kafka08 {
		return usage("the brokers of --bootstrap coordinate no groups, which are older than Kafka 0.9: " +
			"give --zookeeper for those that ZooKeeper has")
	}
	return nil
}

func (b *bootstrapCluster) groups(ctx context.Context) ([]groupSummary, error) {
	if err := b.coordinates(); err != nil {
		return nil, err
	}
	listed, err := b.admin.ListGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	rows := make([]groupSummary, 0, len(listed))
	for _, name := range listed.Groups() {
		members, _, err := b.members(ctx, name)
		if errors.Is(err, client.ErrNoGroup) {
			continue // it went in between
		}
		row := groupSummary{Name: name, Members: number(len(members))}
		if err != nil {
			row.Members = unknown
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// coordinated is a group as its coordinator has it.
type coordinated struct {
	owners map[kafka.Partition]string
	topics []string
}

// members asks for a group's members: in the classic protocol, and in that of Kafka 4 where it is not known there.
func (b *bootstrapCluster) members(ctx context.Context, name string) ([]groupMember, coordinated, error) {
	found, err := b.admin.DescribeGroups(ctx, name)
	if err != nil {
		return nil, coordinated{}, err
	}
	group := found[name]
	switch {
	case errors.Is(group.Err, kerr.GroupIDNotFound), group.Err == nil && group.State == "Dead":
		return b.members848(ctx, name)
	case group.Err != nil:
		return nil, coordinated{}, group.Err
	}
	view := coordinated{owners: map[kafka.Partition]string{}, topics: group.JoinTopics()}
	members := make([]groupMember, len(group.Members))
	for i, m := range group.Members {
		members[i] = groupMember{
			ID: m.MemberID, Name: nameOf(m.InstanceID, m.ClientID), State: group.State, Topics: []string{},
		}
		if join, ok := m.Join.AsConsumer(); ok {
			members[i].Topics = slices.Sorted(slices.Values(join.Topics))
		}
		if assigned, ok := m.Assigned.AsConsumer(); ok {
			for _, topic := range assigned.Topics {
				view.own(m.MemberID, topic.Topic, topic.Partitions)
			}
		}
	}
	return members, view, nil
}

// members848 asks for the members of a group of KIP-848.
func (b *bootstrapCluster) members848(ctx context.Context, name string) ([]groupMember, coordinated, error) {
	found, err := b.admin.DescribeConsumerGroups(ctx, name)
	group, described := found[name]
	if err != nil || !described || group.Err != nil {
		return nil, coordinated{}, client.ErrNoGroup
	}
	view := coordinated{owners: map[kafka.Partition]string{}, topics: group.SubscribedTopics()}
	members := make([]groupMember, len(group.Members))
	for i, m := range group.Members {
		members[i] = groupMember{
			ID: m.MemberID, Name: nameOf(m.InstanceID, m.ClientID), State: group.State,
			Topics: append([]string{}, m.SubscribedTopics...),
		}
		for topic, partitions := range m.Assignment {
			for partition := range partitions {
				view.own(m.MemberID, topic, []int32{partition})
			}
		}
	}
	return members, view, nil
}

func nameOf(instance *string, otherwise string) string {
	if instance != nil {
		return *instance
	}
	return otherwise
}

func (c coordinated) own(member, topic string, partitions []int32) {
	for _, number := range partitions {
		c.owners[kafka.Partition{Topic: topic, ID: strconv.Itoa(int(number))}] = member
	}
}

func (b *bootstrapCluster) group(ctx context.Context, name string, topics []string) (groupView, error) {
	if err := b.coordinates(); err != nil {
		return groupView{}, err
	}
	offsets, err := b.committed(ctx, name, topics)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return groupView{}, fmt.Errorf("group %s: its positions: %w", name, err)
	}
	members, its, err := b.members(ctx, name)
	if err != nil && !(errors.Is(err, client.ErrNoGroup) && len(offsets) > 0) {
		return groupView{}, fmt.Errorf("group %s: %w", name, err)
	}
	if len(topics) == 0 {
		topics = its.with(offsets)
	}
	view := groupView{Name: name, Members: append([]groupMember{}, members...), Missing: []string{}, Problems: []string{}}
	var partitions []kafka.Partition
	for _, topic := range topics {
		found, err := b.partitions(ctx, topic)
		switch {
		case isNoTopic(err):
			view.Missing = append(view.Missing, topic)
		case err != nil:
			return groupView{}, err
		}
		partitions = append(partitions, found...)
	}
	earliest, ends, err := bounds(ctx, b, partitions)
	view.Partitions = make([]groupPartition, len(partitions))
	for i, p := range partitions {
		view.Partitions[i] = groupPartition{
			Topic: p.Topic, ID: p.ID, Owner: its.owners[p], Committed: committed(offsets, p),
			Earliest: at(earliest, p), End: at(ends, p), Unit: unitMessages,
		}
		row := &view.Partitions[i]
		row.Lag = lag(row.Committed, row.Earliest, row.End)
	}
	return view, err
}

// committed are a group's positions. Brokers before Kafka 0.10.2 tell of none where all are asked for, so then they are
// asked for all partitions there are; of some topics alone if it says so.
func (b *bootstrapCluster) committed(ctx context.Context, group string, topics []string) (kadm.OffsetResponses, error) {
	found, err := b.admin.FetchOffsets(ctx, group)
	if err != nil || len(found) > 0 {
		return found, err
	}
	listed, err := b.admin.ListTopics(ctx, topics...)
	if err != nil {
		return nil, err
	}
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Group = group
	for _, topic := range listed.Sorted() {
		asked := kmsg.NewOffsetFetchRequestTopic()
		asked.Topic, asked.Partitions = topic.Topic, topic.Partitions.Numbers()
		request.Topics = append(request.Topics, asked)
	}
	answer, err := request.RequestWith(ctx, b.client)
	if err != nil {
		return nil, err
	}
	return told(answer), nil
}

// told are the positions in an answer of brokers before Kafka 0.10.2; those that are none are left out.
func told(answer *kmsg.OffsetFetchResponse) kadm.OffsetResponses {
	found := kadm.OffsetResponses{}
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			if p.Offset >= 0 || p.ErrorCode != 0 {
				found.Add(kadm.OffsetResponse{
					Offset: kadm.Offset{Topic: topic.Topic, Partition: p.Partition, At: p.Offset, LeaderEpoch: -1},
					Err:    kerr.ErrorForCode(p.ErrorCode),
				})
			}
		}
	}
	return found
}

// with are the group's topics: those of its members, and of its positions.
func (c coordinated) with(offsets kadm.OffsetResponses) []string {
	topics := slices.Clone(c.topics)
	for topic := range offsets {
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

func committed(offsets kadm.OffsetResponses, p kafka.Partition) number {
	n, err := strconv.ParseInt(p.ID, 10, 32)
	if err != nil {
		return unknown
	}
	found, ok := offsets.Lookup(p.Topic, int32(n))
	if !ok || found.Err != nil {
		return unknown
	}
	return number(found.At)
}
