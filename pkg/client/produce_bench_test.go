// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	benchTopic = "bench"
	atOnce     = 64
)

// Both write the same messages of 1 KiB to the same embedded broker, as franz-go's ProduceSync and Produce do.
func BenchmarkProduce(b *testing.B) {
	w, err := world.Start(b.Context(), world.Config{Topics: map[string]int32{benchTopic: 6}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.Close() })
	cluster, err := client.Open(b.Context(), client.Config{ZooKeeper: w.Connect()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cluster.Close() })
	producer, err := cluster.Topic(benchTopic).Producer(client.ProducerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(producer.Close)
	franz, err := kgo.NewClient(kgo.SeedBrokers(w.Brokers().Addrs()...), kgo.DefaultProduceTopic(benchTopic),
		// As ours: by default it waits 10 ms for more, and compresses.
		kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(franz.Close)
	value := make([]byte, 1024)

	ours := func(ctx context.Context, done func(error)) {
		producer.Produce(ctx, kafka.Message{Value: value}, func(_ client.Produced, err error) { done(err) })
	}
	theirs := func(ctx context.Context, done func(error)) {
		franz.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) { done(err) })
	}
	b.Run("64 wait", func(b *testing.B) { benchBeside(b, benchWaiting, ours, theirs) })
	b.Run("bulk", func(b *testing.B) { benchBeside(b, benchBulk, ours, theirs) })
}

type produceFunc func(ctx context.Context, done func(error))

// slice is how many messages each of two has in turn: long enough for a batch to be one of many, and short enough for
// what else the machine does to hit both alike.
const slice = 20_000

// benchBeside has two write in turn, and reports how many times as fast as the other ours is.
func benchBeside(
	b *testing.B, run func(b *testing.B, n int, produce produceFunc), ours, theirs produceFunc,
) {
	b.SetBytes(2 << 10)
	var times [2]time.Duration
	for done := 0; done < b.N; done += slice {
		n := min(slice, b.N-done)
		for i := range times {
			which := (i + done/slice) % 2 // who is first alternates
			begun := time.Now()
			run(b, n, []produceFunc{ours, theirs}[which])
			times[which] += time.Since(begun)
		}
	}
	b.ReportMetric(times[1].Seconds()/times[0].Seconds(), "x-franz")
	b.ReportMetric(float64(b.N)/times[0].Seconds(), "msg/s")
}

// benchWaiting is many who each wait for the outcome of one message at a time.
func benchWaiting(b *testing.B, n int, produce produceFunc) {
	var wg sync.WaitGroup
	for worker := range atOnce {
		wg.Go(func() {
			outcome := make(chan error, 1)
			for range (n + atOnce - 1 - worker) / atOnce {
				produce(b.Context(), func(err error) { outcome <- err })
				if err := <-outcome; err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// benchBulk is one who hands over as many as 10,000 at a time.
func benchBulk(b *testing.B, n int, produce produceFunc) {
	room := make(chan struct{}, 10_000)
	var wg sync.WaitGroup
	for range n {
		room <- struct{}{}
		wg.Add(1)
		produce(b.Context(), func(err error) {
			if err != nil {
				b.Error(err)
			}
			<-room
			wg.Done()
		})
	}
	wg.Wait()
}
