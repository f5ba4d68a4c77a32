// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// compression is how messages that belong together are stored.
type compression int

// The codecs that there have been.
const (
	uncompressed compression = iota
	gzipped
	snappied
	lz4ed
	zstded
)

// write puts records where they say, and fills in their positions.
func (b *bench) write(ctx context.Context, records []*kgo.Record) error {
	return b.servers.write(ctx, records, uncompressed)
}

func (b *bench) readAll(ctx context.Context, topic string, least int) ([]*kgo.Record, error) {
	return b.servers.readAll(ctx, topic, least)
}

// values makes records of one partition.
func values(topic string, partition int32, from, count int) []*kgo.Record {
	records := make([]*kgo.Record, 0, count)
	for i := range count {
		records = append(records, &kgo.Record{
			Topic: topic, Partition: partition, Value: fmt.Appendf(nil, "%d/%d", partition, from+i),
		})
	}
	return records
}

// spans is by how much records take positions on.
func (b *bench) spans(records []*kgo.Record) (sum int64) {
	for _, r := range records {
		sum += b.servers.span(r.Value)
	}
	return sum
}

// newTopic is for a topic with the default settings and one partition.
func (b *bench) newTopic(ctx context.Context) (string, error) { return b.topic(ctx, "", 1, nil) }

// brokers can die.
func (b *bench) brokers() []node { return b.servers.nodes() }
