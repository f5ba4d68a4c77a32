// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// ErrNoTopic says that a topic does not exist (yet).
var ErrNoTopic = kafka.ErrNoTopic

// Topic is one topic of a cluster. Safe for concurrent use.
type Topic struct {
	cluster *Cluster
	name    string
}

// Name is the topic's name.
func (t *Topic) Name() string { return t.name }

// Partitions are those that the registry knows, in order. The error is ErrNoTopic while the topic does not exist.
func (t *Topic) Partitions(ctx context.Context) ([]kafka.Partition, error) {
	partitions, err := t.cluster.directory.partitions(ctx, t.name)
	if err != nil {
		return nil, fmt.Errorf("partitions of topic %s: %w", t.name, err)
	}
	return partitions, nil
}

// Publish writes values as messages without keys: all to one partition, in order, which is chosen at random. It
// returns nil once the brokers acknowledged all of them, and tries every partition before it gives up; so after an
// error, or a broker's death, some may have been written, and some twice.
func (t *Topic) Publish(ctx context.Context, values ...[]byte) error {
	return t.Publisher(Random()).Publish(ctx, values...)
}

// PublishMessages is Publish for messages with keys, headers and timestamps; their partition is chosen. It returns the
// partition and the position of the first one.
func (t *Topic) PublishMessages(ctx context.Context, messages []kafka.Message) (Published, error) {
	return t.Publisher(Random()).PublishMessages(ctx, messages)
}

// Subscribe makes a member of a consumer group with default options. It joins, and needs ctx no more, with Messages or
// Run; a topic that does not exist yet is waited for there.
func (t *Topic) Subscribe(_ context.Context, group string) (*Consumer, error) {
	return t.cluster.Consumer(ConsumerConfig{Group: group, Topics: []string{t.name}})
}
