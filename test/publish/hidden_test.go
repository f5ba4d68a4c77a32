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

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// checkHidden holds kafka.Written against real brokers, on which it rests that a replica which takes over a key knows
// what the one before it has sent: with all followers frozen, what the leader alone has is behind what consumers see.
func (r *machines) checkHidden(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	producer, err := r.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.LeaderAck()),
		kgo.DisableIdempotentWrite())
	if err != nil {
		return err
	}
	defer producer.Close()
	topics, err := kadm.NewClient(producer).ListTopics(ctx, topic)
	if err != nil {
		return err
	}
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
	leader := int(topics[topic].Partitions[0].Leader)
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
			return err
		}
	}
	sent := producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: 0, Value: []byte("hidden")})
	at := kafka.Partition{Topic: topic, ID: "0"}
	written, errWritten := transport.Positions(ctx, []kafka.Partition{at}, kafka.Written())
	latest, errLatest := transport.Positions(ctx, []kafka.Partition{at}, kafka.Latest())
	if err := errors.Join(sent.FirstErr(), errWritten, errLatest); err != nil {
		return err
	}
	say("Behind what all replicas have: %d; behind what the leader has: %d; the message: %d",
		latest[at], written[at], sent[0].Record.Offset)
	if written[at] <= sent[0].Record.Offset || latest[at] >= written[at] {
		return fmt.Errorf("the leader has %d messages, and says %d, all have %d", sent[0].Record.Offset+1, written[at],
			latest[at])
	}
	return nil
}
