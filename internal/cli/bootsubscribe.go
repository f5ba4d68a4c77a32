// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// pollMost messages are printed between two commits: what a member that dies delivers again, and for how long a
	// rebalance waits for it.
	pollMost = 1000
	// pollWait bounds how long a broker holds a fetch that has nothing to bring, and so a member that leaves.
	pollWait = 500 * time.Millisecond
	// metadataMaxAge is how long a new partition may go unnoticed; franz-go's own is 5 minutes. One small request.
	metadataMaxAge = 10 * time.Second
	// memberSession is how long a member may be silent before it is expelled: the most that brokers of Kafka 0.9 and
	// 0.10.0 allow by default; franz-go's own, 45 s, they refuse. Ten heartbeats of 3 s.
	memberSession = 30 * time.Second
)

// groupReader is a member of a group of the brokers' coordinator.
type groupReader struct {
	subscription

	client    *kgo.Client
	wire      *wire.Transport
	delivered int
	// printed are the positions behind what was delivered and is not committed.
	printed map[string]map[int32]kgo.EpochOffset
}

func (b *bootstrapCluster) subscribe(ctx context.Context, s subscription) error {
	if err := b.coordinates(); err != nil {
		return err
	}
	ends, err := b.endsOf(ctx, s)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(b.options(
		kgo.ConsumerGroup(s.group),
		kgo.SessionTimeout(memberSession),
		kgo.ConsumeTopics(s.topics...),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.AdjustFetchOffsetsFn(ends.adjust),
		// A position that is not in the log is looked into, and not guessed around.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		// What a transaction wrote that was aborted is no message.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.MetadataMaxAge(metadataMaxAge),
		kgo.DisableAutoCommit(),
		// Nobody else gets a partition between a message's printing and its commit.
		kgo.BlockRebalanceOnPoll(),
		kgo.FetchMaxWait(pollWait),
		// They are told once in a while, where somebody would otherwise wait in front of silence.
		kgo.KeepRetryableFetchErrors(),
	)...)
	if err != nil {
		return &Error{Code: ExitUsage, Err: err}
	}
	r := &groupReader{subscription: s, client: client, wire: b.wire}
	err = r.run(ctx)
	client.CloseAllowingRebalance() // this leaves the group
	return err
}

// endsOf are the ends of the topics' partitions, where a group is to begin there: as they are now, or it would begin
// somewhere behind, at the moment when the coordinator has assigned the partitions. A partition that is added later
// begins at its first message.
func (b *bootstrapCluster) endsOf(ctx context.Context, s subscription) (positions, error) {
	if !s.start.IsLatest() {
		return nil, nil
	}
	var partitions []kafka.Partition
	for _, topic := range s.topics {
		found, err := b.partitions(ctx, topic)
		if err != nil && !isNoTopic(err) {
			return nil, err
		}
		partitions = append(partitions, found...)
	}
	return b.wire.Positions(ctx, partitions, kafka.Latest())
}

// adjust gives partitions that have no committed position the one that is known here. It is kgo.AdjustFetchOffsetsFn.
func (p positions) adjust(
	_ context.Context, offsets map[string]map[int32]kgo.Offset,
) (map[string]map[int32]kgo.Offset, error) {
	for topic, partitions := range offsets {
		for number, offset := range partitions {
			end := at(p, kafka.Partition{Topic: topic, ID: strconv.Itoa(int(number))})
			if offset.EpochOffset().Offset < 0 && end >= 0 {
				partitions[number] = kgo.NewOffset().At(int64(end))
			}
		}
	}
	return offsets, nil
}

// run prints until ctx ends, or enough was printed.
func (r *groupReader) run(ctx context.Context) error {
	for {
		most := pollMost
		if r.count > 0 {
			most = min(most, r.count-r.delivered)
		}
		fetches := r.client.PollRecords(ctx, most)
		failure := r.take(ctx, fetches)
		ended := failure != nil || ctx.Err() != nil || r.delivered == r.count && r.count > 0
		if err := r.commit(ctx); err != nil {
			if ended {
				return errors.Join(failure, fmt.Errorf("what was printed last is not committed, "+
					"and will be delivered again: %w", err))
			}
			r.warn(fmt.Errorf("commit: %w", err))
		}
		r.client.AllowRebalance()
		if ended {
			return failure
		}
	}
}

// take delivers what came.
func (r *groupReader) take(ctx context.Context, fetches kgo.Fetches) error {
	fetches.EachError(func(topic string, partition int32, err error) {
		switch {
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		case topic == "":
			r.warn(err)
		case isUnknownTopic(err):
			r.warn(waitingFor(topic))
		case errors.Is(err, kerr.OffsetOutOfRange):
			r.warn(r.outOfRange(ctx, kafka.Partition{Topic: topic, ID: strconv.Itoa(int(partition))}, partition))
		default:
			r.warn(fmt.Errorf("%s/%d: %w", topic, partition, err))
		}
	})
	for _, record := range fetches.Records() {
		if err := r.deliver(messageOf(record)); err != nil {
			return err
		}
		r.delivered++
		if r.printed == nil {
			r.printed = map[string]map[int32]kgo.EpochOffset{}
		}
		if r.printed[record.Topic] == nil {
			r.printed[record.Topic] = map[int32]kgo.EpochOffset{}
		}
		r.printed[record.Topic][record.Partition] = kgo.EpochOffset{Epoch: record.LeaderEpoch, Offset: record.Offset + 1}
	}
	return nil
}

// outOfRange goes on at the first message that is still there where retention removed what came before it. A position
// behind the end is another topic's of the same name, or the log was cut off: nobody can say where to go on, and it
// stays. Either way it says so.
func (r *groupReader) outOfRange(ctx context.Context, p kafka.Partition, number int32) error {
	earliest, err := r.wire.Positions(ctx, []kafka.Partition{p}, kafka.Earliest())
	if err != nil {
		return fmt.Errorf("%s: its position is not in the log: %w", p, err)
	}
	position := r.client.CommittedOffsets()[p.Topic][number]
	first := int64(at(earliest, p))
	if first <= position.Offset {
		return fmt.Errorf("%s: position %d is not in the log, which begins at %d: was the topic made anew?",
			p, position.Offset, first)
	}
	r.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{p.Topic: {number: {Epoch: -1, Offset: first}}})
	return fmt.Errorf("%s: retention removed the messages from %d to %d; it goes on behind them",
		p, position.Offset, first-1)
}

// commit writes the positions of what was delivered, also while ctx has ended.
func (r *groupReader) commit(ctx context.Context) error {
	if len(r.printed) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	var failure error
	r.client.CommitOffsetsSync(ctx, r.printed, func(
		_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error,
	) {
		failure = err
		if err != nil {
			return
		}
		for _, topic := range answer.Topics {
			for _, partition := range topic.Partitions {
				if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
					failure = fmt.Errorf("%s/%d: %w", topic.Topic, partition.Partition, err)
				}
			}
		}
	})
	if failure == nil {
		r.printed = nil
	}
	return failure
}

func messageOf(record *kgo.Record) kafka.Message {
	m := kafka.Message{
		Partition: kafka.Partition{Topic: record.Topic, ID: strconv.Itoa(int(record.Partition))},
		Offset:    record.Offset, Next: record.Offset + 1,
		Key: record.Key, Value: record.Value, Timestamp: record.Timestamp,
	}
	for _, h := range record.Headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return m
}
