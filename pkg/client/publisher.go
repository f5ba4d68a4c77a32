// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// newsFrom is how long news of a broker may take that comes just as all others fail: a watch and two readings, which
// are a few milliseconds, of a ZooKeeper that is busy.
const newsFrom = time.Second

// Publisher publishes to a topic, with a partitioner. Safe for concurrent use.
type Publisher struct {
	topic       *Topic
	partitioner Partitioner
	// turn counts the calls, for RoundRobin.
	turn atomic.Uint64
}

// Publisher makes one. Keep it: RoundRobin goes on from call to call.
func (t *Topic) Publisher(partitioner Partitioner) *Publisher {
	return &Publisher{topic: t, partitioner: partitioner}
}

// Publish writes values as messages without keys; see PublishMessages.
func (p *Publisher) Publish(ctx context.Context, values ...[]byte) error {
	messages := make([]kafka.Message, len(values))
	for i, value := range values {
		messages[i].Value = value
	}
	_, err := p.PublishMessages(ctx, messages)
	return err
}

// PublishMessages writes messages: all to one partition, in order, which is returned. It returns once the brokers
// acknowledged all of them. Before it gives up it tries every partition of the topic (with ByKey, the one that the
// key says), and in Kafka 0.7 every broker twice, also one that comes meanwhile. So after an error, or a broker's
// death, some may have been written, and some twice. A message that is too large (kafka.ErrTooLarge), or that no broker
// of Kafka 0.7 can store (kafka.ErrUnfit, which covers both), is not written and not tried elsewhere.
func (p *Publisher) PublishMessages(ctx context.Context, messages []kafka.Message) (Published, error) {
	if len(messages) == 0 {
		return Published{}, nil
	}
	key, err := p.partitioner.keyOf(messages)
	if err != nil {
		return Published{}, fmt.Errorf("publish: %w", err)
	}
	dialect, err := p.topic.cluster.directory.dialect(ctx)
	if err != nil {
		return Published{}, fmt.Errorf("publish: %w", err)
	}
	partitions, err := p.topic.writable(ctx, dialect, key == nil)
	if err != nil {
		return Published{}, err
	}
	order := p.order(dialect, partitions, key)
	if dialect != layout.Kafka07 {
		return p.topic.cluster.producer.publish(ctx, order, messages)
	}
	order = brokersInTurn(order)
	published, err := p.topic.cluster.producer.publish(ctx, order, messages)
	if err == nil || key != nil || errors.Is(err, kafka.ErrUnfit) {
		return published, err
	}
	return p.elsewhere(ctx, order, messages, err)
}

// elsewhere tries brokers of Kafka 0.7 that were not there when the others, which all failed, were asked. Those may
// have died just as one came back that had died before, and what ZooKeeper tells takes its time.
func (p *Publisher) elsewhere(
	ctx context.Context, tried []kafka.Partition, messages []kafka.Message, failure error,
) (Published, error) {
	waiting, cancel := context.WithTimeout(ctx, newsFrom)
	defer cancel()
	failed := map[string]bool{}
	for _, partition := range tried {
		broker, _ := split07(partition)
		failed[broker] = true
	}
	for {
		changed := p.topic.cluster.directory.changes()
		live, _ := p.topic.cluster.directory.reachable()
		maps.DeleteFunc(failed, func(id string, _ bool) bool { _, lives := live[id]; return !lives })
		others := map[string]Broker{}
		for id, broker := range live {
			if !failed[id] {
				others[id] = broker
			}
		}
		if len(others) > 0 {
			order := p.order(layout.Kafka07, writable07(p.topic.name, nil, others, true), nil)
			published, err := p.topic.cluster.producer.publish(ctx, brokersInTurn(order), messages)
			if err != nil {
				err = errors.Join(failure, err)
			}
			return published, err
		}
		select {
		case <-changed:
		case <-waiting.Done():
			return Published{}, failure
		}
	}
}

// order is that in which partitions are tried.
func (p *Publisher) order(dialect layout.Dialect, partitions []kafka.Partition, key []byte) []kafka.Partition {
	n := len(partitions)
	switch {
	case n == 0:
		return nil
	case key != nil:
		return []kafka.Partition{partitions[place(dialect, key, n)]}
	case p.partitioner.kind == roundRobin:
		first := int((p.turn.Add(1) - 1) % uint64(n)) //nolint:gosec // below n
		return append(append(make([]kafka.Partition, 0, n), partitions[first:]...), partitions[:first]...)
	}
	order := make([]kafka.Partition, n)
	for i, at := range rand.Perm(n) {
		order[i] = partitions[at]
	}
	return order
}
