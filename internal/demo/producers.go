// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"log/slog"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// inTurn gives each call to the next of several producers.
type inTurn struct {
	topics []topic
	calls  int
}

// PublishMessages implements topic.
func (t *inTurn) PublishMessages(ctx context.Context, messages []kafka.Message) (client.Published, error) {
	next := t.topics[t.calls%len(t.topics)]
	t.calls++
	return next.PublishMessages(ctx, messages)
}

// producers connects those of a world. In Kafka 0.7 they are as different as they were: wrappers of both kinds and
// messages by themselves stand side by side in a log, and only the former have positions that messages share. The
// function ends all of them.
func producers(ctx context.Context, w *world.World, logger *slog.Logger) (topics *inTurn, end func() error, err error) {
	ways := []kafka.Compression{kafka.Uncompressed}
	if w.Kafka07 != nil {
		ways = append(ways, kafka.Gzip, kafka.Snappy)
	}
	topics = &inTurn{}
	var clusters []*client.Cluster
	end = func() (err error) {
		for _, cluster := range clusters {
			err = errors.Join(err, cluster.Close())
		}
		return err
	}
	for _, way := range ways {
		cluster, err := client.Open(ctx, client.Config{
			ZooKeeper: w.Connect(), Bootstrap: w.Bootstrap(), Compression: way,
			Logger: logger.With("producer", way.String()),
		})
		if err != nil {
			return nil, nil, errors.Join(err, end())
		}
		clusters = append(clusters, cluster)
		topics.topics = append(topics.topics, cluster.Topic(lines))
	}
	return topics, end, nil
}
