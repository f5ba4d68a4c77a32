// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// committedBy marks positions that samsa committed, for who looks at them with other tools.
const committedBy = "samsa"

// inquiry asks the coordinator of a group in the words of the classic protocol. Its err is why nobody can be asked.
type inquiry struct {
	name   string
	client *kgo.Client
	err    error
}

func (q inquiry) join(ctx context.Context, command coordinator.Join) coordinator.Joined {
	sent := time.Now()
	joined := coordinator.Joined{Serial: command.Serial, Sent: sent}
	request := kmsg.NewPtrJoinGroupRequest()
	request.Group, request.MemberID, request.ProtocolType = q.name, command.Member, coordinator.ProtocolType
	request.SessionTimeoutMillis, request.RebalanceTimeoutMillis = millis(command.Session), millis(command.Rebalance)
	for _, protocol := range command.Protocols {
		offered := kmsg.NewJoinGroupRequestProtocol()
		offered.Name, offered.Metadata = protocol.Name, protocol.Metadata
		request.Protocols = append(request.Protocols, offered)
	}
	if q.err != nil {
		joined.Answer = answerFor(q.err, 0)
		return joined
	}
	response, err := request.RequestWith(ctx, q.client)
	if err != nil {
		joined.Answer = answerFor(err, 0)
		return joined
	}
	joined.Answer = answerFor(nil, response.ErrorCode)
	joined.Member, joined.Generation = response.MemberID, response.Generation
	joined.Leads = response.LeaderID == response.MemberID
	joined.Short = response.Version == 0
	if response.Protocol != nil {
		joined.Protocol = *response.Protocol
	}
	for _, member := range response.Members {
		joined.Members = append(joined.Members, coordinator.Peer{ID: member.MemberID, Metadata: member.ProtocolMetadata})
	}
	return joined
}

func millis(d time.Duration) int32 { return int32(d.Milliseconds()) } //nolint:gosec // sessions and drains: no weeks

func (q inquiry) sync(ctx context.Context, command coordinator.Sync) coordinator.Synced {
	synced := coordinator.Synced{Serial: command.Serial}
	request := kmsg.NewPtrSyncGroupRequest()
	request.Group, request.MemberID, request.Generation = q.name, command.Member, command.Generation
	request.ProtocolType, request.Protocol = new(coordinator.ProtocolType), new(command.Protocol)
	for _, share := range command.Shares {
		given := kmsg.NewSyncGroupRequestGroupAssignment()
		given.MemberID, given.MemberAssignment = share.Member, share.Assignment
		request.GroupAssignment = append(request.GroupAssignment, given)
	}
	if q.err != nil {
		synced.Answer = answerFor(q.err, 0)
		return synced
	}
	response, err := request.RequestWith(ctx, q.client)
	if err != nil {
		synced.Answer = answerFor(err, 0)
		return synced
	}
	synced.Answer, synced.Assignment = answerFor(nil, response.ErrorCode), response.MemberAssignment
	return synced
}

func (q inquiry) beat(ctx context.Context, command coordinator.Beat) coordinator.Beaten {
	beaten := coordinator.Beaten{Member: command.Member, Generation: command.Generation, Sent: time.Now()}
	request := kmsg.NewPtrHeartbeatRequest()
	request.Group, request.MemberID, request.Generation = q.name, command.Member, command.Generation
	if q.err != nil {
		beaten.Answer = answerFor(q.err, 0)
		return beaten
	}
	response, err := request.RequestWith(ctx, q.client)
	if err != nil {
		beaten.Answer = answerFor(err, 0)
		return beaten
	}
	beaten.Answer = answerFor(nil, response.ErrorCode)
	return beaten
}

func (q inquiry) depart(ctx context.Context, command coordinator.Depart) coordinator.Departed {
	request := kmsg.NewPtrLeaveGroupRequest()
	request.Group, request.MemberID = q.name, command.Member
	leaver := kmsg.NewLeaveGroupRequestMember() // as newer brokers want it
	leaver.MemberID = command.Member
	request.Members = append(request.Members, leaver)
	if q.err != nil {
		return coordinator.Departed{Answer: answerFor(q.err, 0)}
	}
	response, err := request.RequestWith(ctx, q.client)
	if err != nil {
		return coordinator.Departed{Answer: answerFor(err, 0)}
	}
	code := response.ErrorCode
	for _, member := range response.Members {
		code = max(code, member.ErrorCode)
	}
	return coordinator.Departed{Answer: answerFor(nil, code)}
}

// describe looks at the group; one that nobody ever made is empty.
func (q inquiry) describe(ctx context.Context, command coordinator.Describe) coordinator.Described {
	described := coordinator.Described{Serial: command.Serial}
	view, err := q.view(ctx)
	if err != nil {
		described.Answer = answerFor(err, 0)
		return described
	}
	described.View = view.View
	return described
}

// groupLook is a group as its coordinator describes it.
type groupLook struct {
	coordinator.View
	// state is the coordinator's word for it, kind what its members are.
	state, kind string
}

func (q inquiry) view(ctx context.Context) (groupLook, error) {
	if q.err != nil {
		return groupLook{}, q.err
	}
	request := kmsg.NewPtrDescribeGroupsRequest()
	request.Groups = []string{q.name}
	response, err := request.RequestWith(ctx, q.client)
	if err != nil {
		return groupLook{}, err
	}
	var look groupLook
	for _, found := range response.Groups {
		err := kerr.ErrorForCode(found.ErrorCode)
		if errors.Is(err, kerr.GroupIDNotFound) { // newer coordinators say so of a group that is not there
			return groupLook{state: stateDead}, nil
		}
		if err != nil {
			return groupLook{}, err
		}
		look.state, look.kind = found.State, found.ProtocolType
		look.Stable, look.Protocol = found.State == stateStable, found.Protocol
		for _, member := range found.Members {
			look.Peers = append(look.Peers, coordinator.Peer{
				ID: member.MemberID, Client: member.ClientID,
				Metadata: member.ProtocolMetadata, Assignment: member.MemberAssignment,
			})
		}
	}
	return look, nil
}

// The states of a group, in its coordinator's words.
const (
	stateStable = "Stable"
	stateEmpty  = "Empty"
	stateDead   = "Dead"
)

// locate reads positions. Where brokers cannot tell all there are (before Kafka 0.10.2), those of the topics are asked
// for one by one.
func (q inquiry) locate(
	ctx context.Context, command coordinator.Locate,
	partitionsOf func(ctx context.Context, topic string) ([]kafka.Partition, error),
) coordinator.Located {
	located := coordinator.Located{Serial: command.Serial, Positions: map[kafka.Partition]int64{}}
	positions, err := q.positions(ctx, command.Partitions)
	if err == nil && command.Any && len(positions) == 0 {
		located.Any, err = q.anyPosition(ctx, command.Topics, partitionsOf)
		if err == nil && located.Any { // the group may have begun between the two questions, also in these partitions
			positions, err = q.positions(ctx, command.Partitions)
		}
	}
	located.Answer = answerFor(err, 0)
	if err == nil {
		located.Positions = positions
	}
	return located
}

// positions are the committed ones of those partitions that have one.
func (q inquiry) positions(ctx context.Context, partitions []kafka.Partition) (map[kafka.Partition]int64, error) {
	found, _, err := q.offsets(ctx, partitions)
	return found, err
}

// anyPosition reports whether the group has committed any.
func (q inquiry) anyPosition(
	ctx context.Context, topics []string,
	partitionsOf func(ctx context.Context, topic string) ([]kafka.Partition, error),
) (bool, error) {
	found, version, err := q.offsets(ctx, nil)
	if err != nil || len(found) > 0 || version >= allOffsets {
		return len(found) > 0, err
	}
	for _, topic := range topics {
		partitions, err := partitionsOf(ctx, topic)
		if errors.Is(err, ErrNoTopic) {
			continue
		}
		if err != nil {
			return false, err
		}
		found, _, err := q.offsets(ctx, partitions)
		if err != nil || len(found) > 0 {
			return len(found) > 0, err
		}
	}
	return false, nil
}

// allOffsets is the version of OffsetFetch from which no topics means all there are: Kafka 0.10.2.
const allOffsets = 2

// offsets are the committed positions of partitions; of all there are if nil. A group that is not there has none. The
// version is that of the answer.
func (q inquiry) offsets(
	ctx context.Context, partitions []kafka.Partition,
) (found map[kafka.Partition]int64, version int16, err error) {
	found, version, err = q.readOffsets(ctx, partitions)
	if errors.Is(err, kerr.GroupIDNotFound) { // newer coordinators say so
		return map[kafka.Partition]int64{}, allOffsets, nil
	}
	return found, version, err
}

func (q inquiry) readOffsets(
	ctx context.Context, partitions []kafka.Partition,
) (map[kafka.Partition]int64, int16, error) {
	if q.err != nil {
		return nil, 0, q.err
	}
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Group, request.RequireStable = q.name, true
	topics := numbered(partitions)
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		asked := kmsg.NewOffsetFetchRequestTopic()
		asked.Topic, asked.Partitions = topic, topics[topic]
		request.Topics = append(request.Topics, asked)
	}
	response, err := request.RequestWith(ctx, q.client)
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	if err != nil {
		return nil, 0, err
	}
	found := map[kafka.Partition]int64{}
	take := func(topic string, partition int32, code int16, offset int64) {
		failure := kerr.ErrorForCode(code)
		// Of all positions there are, those of a topic that is gone may come without its name.
		gone := errors.Is(failure, kerr.UnknownTopicOrPartition) ||
			partitions == nil && errors.Is(failure, kerr.UnknownTopicID)
		if failure != nil && !gone {
			err = failure
		} else if failure == nil && offset >= 0 {
			found[kafka.Partition{Topic: topic, ID: strconv.Itoa(int(partition))}] = offset
		}
	}
	if err := eachOffset(response, take); err != nil {
		return nil, 0, err
	}
	return found, response.Version, err
}

// eachOffset reads an answer in whichever of its two shapes it came.
func eachOffset(
	response *kmsg.OffsetFetchResponse, take func(topic string, partition int32, code int16, offset int64),
) error {
	for _, group := range response.Groups {
		if err := kerr.ErrorForCode(group.ErrorCode); err != nil {
			return err
		}
		for _, topic := range group.Topics {
			for _, p := range topic.Partitions {
				take(topic.Topic, p.Partition, p.ErrorCode, p.Offset)
			}
		}
	}
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			take(topic.Topic, p.Partition, p.ErrorCode, p.Offset)
		}
	}
	return nil
}

// numbered are partitions by topic, as the protocol has them.
func numbered(partitions []kafka.Partition) map[string][]int32 {
	topics := map[string][]int32{}
	for _, partition := range partitions {
		if number, err := strconv.ParseInt(partition.ID, 10, 32); err == nil {
			topics[partition.Topic] = append(topics[partition.Topic], int32(number))
		}
	}
	return topics
}

func (q inquiry) commit(ctx context.Context, command coordinator.Commit) coordinator.Committed {
	committed := coordinator.Committed{Serial: command.Serial, Sent: time.Now()}
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group, request.MemberID, request.Generation = q.name, command.Member, command.Generation
	for _, position := range command.Positions {
		number, err := strconv.ParseInt(position.Partition.ID, 10, 32)
		if err != nil {
			continue
		}
		if n := len(request.Topics); n == 0 || request.Topics[n-1].Topic != position.Partition.Topic {
			topic := kmsg.NewOffsetCommitRequestTopic()
			topic.Topic = position.Partition.Topic
			request.Topics = append(request.Topics, topic)
		}
		written := kmsg.NewOffsetCommitRequestTopicPartition()
		written.Partition, written.Offset = int32(number), position.Offset
		written.Metadata = new(committedBy)
		topic := &request.Topics[len(request.Topics)-1]
		topic.Partitions = append(topic.Partitions, written)
	}
	if q.err != nil {
		committed.Answer = answerFor(q.err, 0)
		return committed
	}
	response, err := request.RequestWith(ctx, q.client)
	if err != nil {
		committed.Answer = answerFor(err, 0)
		return committed
	}
	return outcomeOf(response, committed)
}

// outcomeOf reads the answer to a commit: what concerns the member concerns all of it, and the rest single partitions.
func outcomeOf(response *kmsg.OffsetCommitResponse, committed coordinator.Committed) coordinator.Committed {
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			err := kerr.ErrorForCode(p.ErrorCode)
			if err == nil {
				continue
			}
			gone := errors.Is(err, kerr.UnknownTopicOrPartition)
			if !gone && !aboutPartition(err) {
				committed.Answer = answerFor(err, 0)
				return committed
			}
			if committed.Failed == nil {
				committed.Failed = map[kafka.Partition]coordinator.Failure{}
			}
			partition := kafka.Partition{Topic: topic.Topic, ID: strconv.Itoa(int(p.Partition))}
			committed.Failed[partition] = coordinator.Failure{NoTopic: gone, Err: explained(err)}
		}
	}
	return committed
}

// aboutPartition reports whether a commit was refused for what it says of one partition.
func aboutPartition(err error) bool {
	return errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.OffsetMetadataTooLarge) ||
		errors.Is(err, kerr.InvalidCommitOffsetSize)
}
