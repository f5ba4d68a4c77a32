// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Producer writes to chosen partitions, for tests: with a client that is not samsa's. For one goroutine.
type Producer interface {
	// Produce writes messages to one partition and gives the position of each, once brokers hold them.
	Produce(ctx context.Context, partition kafka.Partition, values ...[]byte) ([]int64, error)
	// Close ends its connections.
	Close()
}

// Producer makes one. It connects when it has something to write.
func (w *World) Producer() (Producer, error) {
	if w.Kafka07 != nil {
		return newProducer07(w.Kafka07), nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(w.brokers.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0))
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	return producer{client}, nil
}

// producer is for Kafka as it is today.
type producer struct{ *kgo.Client }

// Produce implements Producer.
func (p producer) Produce(ctx context.Context, partition kafka.Partition, values ...[]byte) ([]int64, error) {
	number, err := strconv.ParseInt(partition.ID, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("produce to %s: %w", partition, err)
	}
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		records[i] = &kgo.Record{Topic: partition.Topic, Partition: int32(number), Value: value}
	}
	if err := p.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return nil, fmt.Errorf("produce to %s: %w", partition, err)
	}
	positions := make([]int64, len(records))
	for i, record := range records {
		positions[i] = record.Offset
	}
	return positions, nil
}
