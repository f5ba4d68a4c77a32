// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// appendWithin bounds one attempt at one partition, as package client does: three times what a leader's move takes a
// healthy cluster (about 2 s), after which another partition is the better bet.
const appendWithin = 6 * time.Second

// bootstrapPublisher writes to a topic by its brokers alone, with the promises of package client. It is used by one
// goroutine.
type bootstrapPublisher struct {
	cluster *bootstrapCluster
	topic   string
	choice  partitioning
	hash    kgo.TopicPartitioner
	turn    int

	partitions []kafka.Partition
}

func (b *bootstrapCluster) publisher(topic string, choice partitioning) publisher {
	return &bootstrapPublisher{
		cluster: b, topic: topic, choice: choice, turn: rand.Int(), //nolint:gosec // spreading needs no secrets
		hash: kgo.StickyKeyPartitioner(nil).ForTopic(topic), // of keys, as Kafka's own producer in Java
	}
}

func (p *bootstrapPublisher) publish(ctx context.Context, messages []kafka.Message) (kafka.Partition, error) {
	if p.partitions == nil {
		found, err := p.cluster.partitions(ctx, p.topic)
		if err != nil {
			return kafka.Partition{}, &kafka.Refused{Partition: kafka.Partition{Topic: p.topic}, Err: err}
		}
		p.partitions = found
	}
	var failures []error
	for _, partition := range p.order(messages[0].Key) {
		err := p.append(ctx, partition, messages)
		if err == nil {
			return partition, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil || errors.Is(err, kafka.ErrUnfit) {
			break
		}
	}
	p.partitions = nil // what fails may have changed
	return kafka.Partition{}, fmt.Errorf("no partition took the messages: %w", errors.Join(failures...))
}

func (p *bootstrapPublisher) append(ctx context.Context, partition kafka.Partition, messages []kafka.Message) error {
	ctx, cancel := context.WithTimeout(ctx, appendWithin)
	defer cancel()
	_, err := p.cluster.wire.Append(ctx, partition, messages)
	return err
}

// order are the partitions to try. A key has one alone, or its messages would lose their order.
func (p *bootstrapPublisher) order(key []byte) []kafka.Partition {
	n := len(p.partitions)
	if p.choice == byKey {
		return p.partitions[p.hash.Partition(&kgo.Record{Key: key}, n):][:1]
	}
	order := make([]kafka.Partition, 0, n)
	if p.choice == roundRobin {
		first := p.turn % n
		p.turn++
		return append(append(order, p.partitions[first:]...), p.partitions[:first]...)
	}
	for _, i := range rand.Perm(n) {
		order = append(order, p.partitions[i])
	}
	return order
}
