// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// byClient is the book of Kafka 0.8 and later, by another client.
type byClient struct {
	open func(options ...kgo.Opt) (*kgo.Client, error)
}

func (byClient) partition(_ string, number int32) string { return strconv.Itoa(int(number)) }

func (byClient) span([]byte) int64 { return 1 }

// linger lets messages that are written together become one batch.
const linger = 5 * time.Millisecond

func (c byClient) write(ctx context.Context, records []*kgo.Record, with compression) error {
	options := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableIdempotentWrite(),
		kgo.UnknownTopicRetries(-1), // a broker that has just come back may not know its topics yet
	}
	switch with {
	case uncompressed:
		options = append(options, kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	case gzipped:
		options = append(options, kgo.ProducerLinger(linger), kgo.ProducerBatchCompression(kgo.GzipCompression()))
	case snappied:
		options = append(options, kgo.ProducerLinger(linger), kgo.ProducerBatchCompression(kgo.SnappyCompression()))
	case lz4ed:
		options = append(options, kgo.ProducerLinger(linger), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	case zstded:
		options = append(options, kgo.ProducerLinger(linger), kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	}
	client, err := c.open(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("the reference client writes: %w", err)
	}
	return nil
}

// readAll reads until the last position before each partition's end has come and there is so much. Where that position
// holds no message, as a transaction's marker, silence has to do.
func (c byClient) readAll(ctx context.Context, topic string, least int) ([]*kgo.Record, error) {
	client, err := c.open(
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	open := openEnds(ctx, client, topic)
	var records []*kgo.Record
	for {
		const silence = 2 * time.Second // ten fetches that bring nothing
		poll, cancel := context.WithTimeout(ctx, silence)
		fetches := client.PollFetches(poll)
		cancel()
		for _, r := range fetches.Records() {
			records = append(records, r)
			if end, there := open[r.Partition]; there && r.Offset >= end-1 {
				delete(open, r.Partition)
			}
		}
		if ctx.Err() != nil {
			return records, fmt.Errorf("the reference client has read %d of %d messages: %w",
				len(records), least, context.Cause(ctx))
		}
		if (len(open) == 0 && open != nil || fetches.NumRecords() == 0) && len(records) >= least {
			return records, nil
		}
	}
}

// openEnds are the ends of partitions that have something to read; nil where they cannot be told: until 0.10 the
// answer has another form.
func openEnds(ctx context.Context, client *kgo.Client, topic string) map[int32]int64 {
	admin := kadm.NewClient(client)
	starts, errStarts := admin.ListStartOffsets(ctx, topic)
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil || errStarts != nil || starts.Error() != nil || ends.Error() != nil || len(ends[topic]) == 0 {
		return nil
	}
	open := map[int32]int64{}
	known := true
	ends.Each(func(end kadm.ListedOffset) {
		known = known && end.Offset >= 0
		if start, there := starts.Lookup(topic, end.Partition); !there || start.Offset < end.Offset {
			open[end.Partition] = end.Offset
		}
	})
	if !known {
		return nil
	}
	return open
}
