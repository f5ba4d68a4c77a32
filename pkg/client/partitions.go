// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// topicRead is what was read of a topic. It stands until a watch, or the end of the session that has the watch, says
// otherwise: so publishing asks ZooKeeper nothing.
type topicRead struct {
	partitions []kafka.Partition
	// asked is what is known of it where brokers told.
	asked
	session *registry.Session
	at      time.Time
	// news counts what the registry told of the topic, seen what it had told when this was read. All readings of a topic
	// share the count: of those at the same time the registry tells one alone, and not always the one that is kept.
	news *atomic.Uint64
	seen uint64
}

// stands reports whether nobody has said that the topic changed, and a lost watch could not have hidden it for long.
func (r *topicRead) stands(session *registry.Session) bool {
	return r.session == session && r.news.Load() == r.seen && time.Since(r.at) < directoryResync
}

// partitions gives those of a topic. While they cannot be read, those read before are as good: brokers serve what
// ZooKeeper does not tell.
func (d directory) partitions(ctx context.Context, topic string) ([]kafka.Partition, error) {
	if d.byBrokers() {
		return d.askPartitions(ctx, topic)
	}
	d.mu.Lock()
	known := d.topics[topic]
	d.mu.Unlock()
	if state := d.registry.State(); known != nil && (!state.Connected || known.stands(state.Session)) {
		return slices.Clone(known.partitions), nil
	}
	read, err := d.readTopic(ctx, topic)
	for registry.KindOf(err) == registry.Lost && known == nil { // the session has ended under it; the next one tells
		read, err = d.readTopic(ctx, topic)
	}
	switch {
	case registry.KindOf(err) == registry.NoNode:
		return nil, ErrNoTopic
	case err != nil && known != nil:
		return slices.Clone(known.partitions), nil
	case err != nil:
		return nil, err
	}
	d.mu.Lock()
	d.topics[topic] = read
	d.mu.Unlock()
	return slices.Clone(read.partitions), nil
}

func (d directory) readTopic(ctx context.Context, topic string) (*topicRead, error) {
	session, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, directoryTimeout)
	defer cancel()
	news := d.newsOf(topic)
	read := &topicRead{session: session, at: time.Now(), news: news, seen: news.Load()}
	read.partitions, err = session.Partitions(ctx, topic, func() { news.Add(1) })
	return read, err
}

func (d directory) newsOf(topic string) *atomic.Uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.news[topic] == nil {
		d.news[topic] = new(atomic.Uint64)
	}
	return d.news[topic]
}
