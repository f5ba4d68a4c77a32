// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// side is one way to consume. run works until ctx ends; count tells how many messages it has dealt with so far.
type side struct {
	name  string
	start func(e env) (run func(ctx context.Context) error, count func(ctx context.Context) (int64, error), err error)
}

// What all sides fetch with: the defaults of the worker.
func fetchOptions(e env) []kgo.Opt {
	places := make(map[int32]kgo.Offset, partitions)
	for p := range int32(partitions) {
		places[p] = kgo.NewOffset().At(0)
	}
	return []kgo.Opt{
		kgo.SeedBrokers(e.Brokers...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: places}),
		kgo.FetchMaxBytes(wire.DefaultFetchMaxBytes),
		kgo.FetchMaxPartitionBytes(wire.DefaultFetchMaxPartitionBytes),
		kgo.FetchMaxWait(wire.DefaultFetchMaxWait),
		kgo.DisableClientMetrics(),
	}
}

// bareLoop polls franz-go and looks at each message.
func bareLoop(e env) (func(context.Context) error, func(context.Context) (int64, error), error) {
	client, err := kgo.NewClient(fetchOptions(e)...)
	if err != nil {
		return nil, nil, err
	}
	var seen, bytes atomic.Int64
	return func(ctx context.Context) error {
		defer client.Close()
		for ctx.Err() == nil {
			messages, size := 0, 0
			client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
				messages++
				size += len(record.Value)
			})
			seen.Add(int64(messages))
			bytes.Add(int64(size))
		}
		return nil
	}, counting(&seen), nil
}

// transportLoop polls samsa's transport and looks at each message: what the seam costs.
func transportLoop(e env) (func(context.Context) error, func(context.Context) (int64, error), error) {
	transport, err := wire.Open(wire.Config{Brokers: e.Brokers})
	if err != nil {
		return nil, nil, err
	}
	var seen, bytes atomic.Int64
	return func(ctx context.Context) error {
		defer transport.Close()
		positions := make(map[kafka.Partition]int64, partitions)
		for p := range partitions {
			positions[kafka.Partition{Topic: topic, ID: strconv.Itoa(p)}] = 0
		}
		transport.Add(positions)
		for ctx.Err() == nil {
			messages, size := 0, 0
			for _, fetch := range transport.Poll(ctx) {
				for i := range fetch.Batch.Len() {
					message := fetch.Batch.Message(i)
					messages++
					size += len(message.Value)
				}
			}
			seen.Add(int64(messages))
			bytes.Add(int64(size))
		}
		return nil
	}, counting(&seen), nil
}

func counting(n *atomic.Int64) func(context.Context) (int64, error) {
	return func(context.Context) (int64, error) { return n.Load(), nil }
}

// bareHTTP polls franz-go and posts each message, in order and one at a time for each partition.
func bareHTTP(e env) (func(context.Context) error, func(context.Context) (int64, error), error) {
	client, err := kgo.NewClient(fetchOptions(e)...)
	if err != nil {
		return nil, nil, err
	}
	poster := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: partitions}}
	var posted atomic.Int64
	return func(ctx context.Context) error {
		return poll(ctx, client, func(ctx context.Context, records []*kgo.Record) error {
			for _, record := range records {
				if err := post(ctx, poster, e.Sink, record.Value); err != nil {
					return err
				}
				posted.Add(1)
			}
			return nil
		})
	}, counting(&posted), nil
}

// workerTo is samsa's worker as it is shipped, in this process.
func workerTo(sink func(e env) worker.Sink) func(e env) (
	func(context.Context) error, func(context.Context) (int64, error), error,
) {
	groups := 0
	return func(e env) (func(context.Context) error, func(context.Context) (int64, error), error) {
		address, err := freeAddress()
		if err != nil {
			return nil, nil, err
		}
		// A group of its own each time: the one before is leaving still.
		groups++
		config := worker.Default()
		config.Group, config.Member = fmt.Sprintf("bench-%d-%d", time.Now().UnixNano(), groups), "bench-0"
		config.Topics = []string{topic}
		config.Cluster.ZooKeeper = &worker.ZooKeeper{
			Connect: e.ZooKeeper, SessionTimeout: worker.Duration(10 * time.Second),
		}
		config.Sink = sink(e)
		config.Listen = address
		return func(ctx context.Context) error {
				return worker.Run(ctx, config, slog.New(slog.DiscardHandler))
			}, func(ctx context.Context) (int64, error) {
				return scrape(ctx, "http://"+address+"/metrics", "samsa_worker_records_delivered_total")
			}, nil
	}
}

// freeAddress is one that was free a moment ago.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// scrape sums a metric up; 0 while nobody answers.
func scrape(ctx context.Context, url, name string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		// It has not started yet.
		return 0, nil
	}
	defer answer.Body.Close()
	total := 0.0
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 2 || fields[0] != name && !strings.HasPrefix(fields[0], name+"{") {
			continue
		}
		value, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total += value
	}
	return int64(total), nil
}
