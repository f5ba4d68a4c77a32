// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"context"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const perBatch = 1000

// single takes messages one by one, does nothing with them, and tells of the last of each batch.
type single struct{ last chan struct{} }

func (s single) Deliver(_ context.Context, _ sink.Claim, batch kafka.Batch, results []sink.Result) {
	results[0].Outcome = sink.Done
	if batch.Next(0) == perBatch {
		s.last <- struct{}{}
	}
}
func (single) Limits() sink.Limits { return sink.Limits{Messages: 1} }
func (single) Close() error        { return nil }

type forEver struct{ ctx context.Context } //nolint:containedctx // a lease that holds

func (f forEver) Context() context.Context { return f.ctx }

// BenchmarkLane is what a lane costs for each message of a sink that takes one at a time.
func BenchmarkLane(b *testing.B) {
	partition := kafka.Partition{Topic: "orders", ID: "0"}
	messages := make(kafka.Messages, perBatch)
	for i := range messages {
		messages[i] = kafka.Message{Partition: partition, Offset: int64(i), Next: int64(i + 1), Timestamp: time.Unix(1, 0)}
	}
	to := single{last: make(chan struct{})}
	p := pump.New(pump.Config{Sink: to})
	drained := make(chan struct{})
	lane := p.Assign(client.Assignment{
		Partition: partition, Lease: forEver{b.Context()},
		Drained: func(int64) { close(drained) }, Ready: func() {}, Seek: func(int64) {},
	})
	b.ReportAllocs()
	for sent := 0; b.Loop(); sent++ {
		if sent%perBatch == 0 {
			lane.Fetched(kafka.Fetch{Partition: partition, Batch: kafka.NewBatch(partition, messages)})
			<-to.last
		}
	}
	lane.Drain()
	<-drained
}
