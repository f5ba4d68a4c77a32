// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/realkafka"
)

// write puts records where they say, with the reference client, and fills in their positions.
func (b *bench) write(ctx context.Context, records []*kgo.Record, options ...kgo.Opt) error {
	client, err := b.servers.reference(append([]kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.DisableIdempotentWrite(),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, options...)...)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("the reference client writes: %w", err)
	}
	return nil
}

// readAll gives what the reference client reads of a topic until its partitions' ends: until nothing has come for some
// time, and at least so many.
func (b *bench) readAll(ctx context.Context, topic string, least int) ([]*kgo.Record, error) {
	client, err := b.servers.reference(
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var records []*kgo.Record
	for {
		const silence = 2 * time.Second // ten fetches that bring nothing
		poll, cancel := context.WithTimeout(ctx, silence)
		fetches := client.PollFetches(poll)
		cancel()
		records = append(records, fetches.Records()...)
		if ctx.Err() != nil {
			return records, fmt.Errorf("the reference client has read %d of %d messages: %w",
				len(records), least, context.Cause(ctx))
		}
		if fetches.NumRecords() == 0 && len(records) >= least {
			return records, nil
		}
	}
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

// newTopic is for a topic with the default settings and one partition.
func (b *bench) newTopic(ctx context.Context) (string, error) { return b.topic(ctx, "", 1, nil) }

// brokers are the real ones.
func (b *bench) brokers() []*realkafka.Broker { return b.servers.real().Brokers() }
