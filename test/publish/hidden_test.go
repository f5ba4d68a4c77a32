// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// checkHidden holds kafka.Written against real brokers, on which it rests that a replica which takes over a key knows
// what the one before it has sent: with all followers frozen, what the leader alone has is behind what consumers see.
func (r *machines) checkHidden(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	producer, err := r.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.LeaderAck()),
		kgo.DisableIdempotentWrite())
	if err != nil {
		return err
	}
	defer producer.Close()
	cluster, err := client.Connect(client.Config{ //nolint:contextcheck // Close ends it
		Bootstrap: strings.Split(r.Bootstrap(), ","),
	})
	if err != nil {
		return err
	}
	defer func() { _ = cluster.Close() }()
	transport, err := cluster.Transport(ctx)
	if err != nil {
		return err
	}
	defer transport.Close()
	for tries := 0; ; tries++ {
		hidden, err := r.hide(ctx, producer, transport)
		if err != nil || hidden {
			return err
		}
		if tries == hidings {
			return errors.New("what the leader alone has was never behind what all have: the followers were stopped in vain," +
				" or kafka.Written is not the end of the leader's log")
		}
	}
}

// hidings is how often it is tried again: leaders may move meanwhile, and then it is the wrong ones that are frozen.
const hidings = 5

// hide writes a message while no follower can get it, and says whether it is behind what consumers see, and not behind
// what was written.
func (r *machines) hide(ctx context.Context, producer *kgo.Client, transport kafka.Transport) (hidden bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	leader, err := fullISR(ctx, producer, len(r.Brokers()))
	if err != nil {
		return false, err
	}
	at := kafka.Partition{Topic: topic, ID: "0"}
	// Connections are made before, and leaders known: who asks a frozen broker first waits longer than its session, and
	// then the leader waits for it no more.
	if err := producer.ProduceSync(ctx, toFirst()).FirstErr(); err != nil {
		return false, fmt.Errorf("a message before: %w", err)
	}
	if _, err := transport.Positions(ctx, []kafka.Partition{at}, kafka.Latest()); err != nil {
		return false, err
	}
	defer func() {
		for _, broker := range r.Brokers() {
			_ = broker.Resume() // also of one that runs
		}
	}()
	for _, broker := range r.Brokers() {
		if broker.ID() == leader {
			continue
		}
		if err := broker.Freeze(); err != nil {
			return false, err
		}
	}
	frozen := time.Now()
	sent := producer.ProduceSync(ctx, toFirst())
	written, errWritten := transport.Positions(ctx, []kafka.Partition{at}, kafka.Written())
	latest, errLatest := transport.Positions(ctx, []kafka.Partition{at}, kafka.Latest())
	took := time.Since(frozen).Round(time.Millisecond)
	switch err := errors.Join(sent.FirstErr(), errWritten, errLatest); {
	case errors.Is(err, context.DeadlineExceeded): // it led no more, and was frozen like the others
		return false, nil
	case err != nil:
		return false, err
	}
	say("Behind what all replicas have: %d; behind what the leader has: %d; the message: %d; asked in %s",
		latest[at], written[at], sent[0].Record.Offset, took)
	if written[at] <= sent[0].Record.Offset {
		return false, fmt.Errorf("the leader has message %d, and says that %d are written", sent[0].Record.Offset,
			written[at])
	}
	return latest[at] < written[at], nil
}

// toFirst is a message to the first partition.
func toFirst() *kgo.Record { return &kgo.Record{Topic: topic, Partition: 0, Value: []byte("hidden")} }

// fullISR waits until all replicas of the first partition count, and says who leads it. That is asked of the leader
// itself: a broker that was frozen before knows only what was so then.
func fullISR(ctx context.Context, franz *kgo.Client, replicas int) (leader int, err error) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		said, err := firstPartition(ctx, franz)
		if err == nil && said.Leader >= 0 {
			said, err = firstPartition(ctx, franz.Broker(int(said.Leader)))
		}
		if err == nil && len(said.ISR) == replicas {
			return int(said.Leader), nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("not all replicas are in sync: %w", errors.Join(ctx.Err(), err))
		case <-ticker.C:
		}
	}
}

// firstPartition is what a broker knows of it.
func firstPartition(
	ctx context.Context, broker kmsg.Requestor,
) (said kmsg.MetadataResponseTopicPartition, err error) {
	of := kmsg.NewMetadataRequestTopic()
	of.Topic = new(topic)
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{of}
	answer, err := request.RequestWith(ctx, broker)
	if err != nil {
		return said, fmt.Errorf("metadata: %w", err)
	}
	for _, known := range answer.Topics {
		for _, partition := range known.Partitions {
			if partition.Partition == 0 {
				return partition, nil
			}
		}
	}
	return said, errors.New("metadata: there is no first partition")
}
