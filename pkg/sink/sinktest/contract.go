// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

func takesEverything(t *testing.T, f Fixture) {
	messages := Messages(kafka.Partition{Topic: "orders", ID: "3"}, 40)
	expectShape(t, f.deliver(t.Context(), t, kafka.NewBatch(messages[0].Partition, messages)), len(messages))
	f.expectDelivered(t, messages)
}

func takesAnyLength(t *testing.T, f Fixture) {
	length := 3*f.Sink.Limits().Messages + 7
	messages := Messages(kafka.Partition{Topic: "orders", ID: "1-3"}, length+1)
	batch := kafka.NewBatch(messages[0].Partition, messages)
	expectShape(t, f.deliver(t.Context(), t, batch.Slice(0, 0)), 0)
	expectShape(t, f.deliver(t.Context(), t, batch.Slice(0, 1)), 1)
	expectShape(t, f.deliver(t.Context(), t, batch.Slice(1, length+1)), length)
	f.expectDelivered(t, messages)
}

func stopsAtFirstNotDone(t *testing.T, f Fixture) {
	if f.Refuse == nil {
		t.Skip("this sink's far side never refuses")
	}
	messages := Messages(kafka.Partition{Topic: "orders", ID: "0"}, 12)
	batch := kafka.NewBatch(messages[0].Partition, messages)
	for done := range 5 {
		f.Refuse(1)
		results := f.deliver(t.Context(), t, batch.Slice(done, len(messages)))
		expectShape(t, results, 1, sink.Retry, sink.Unknown, sink.Permanent)
		f.expectDelivered(t, messages[:done+1])
	}
	f.Heal()
	expectShape(t, f.deliver(t.Context(), t, batch.Slice(5, len(messages))), len(messages)-5)
	f.expectDelivered(t, messages)
}

func staysStable(t *testing.T, f Fixture) {
	if f.Refuse == nil {
		t.Skip("this sink's far side never refuses")
	}
	messages := Messages(kafka.Partition{Topic: "orders", ID: "0"}, 2)
	f.Refuse(0)
	texts := make(map[string]bool)
	for range 5 {
		results := f.deliver(t.Context(), t, kafka.NewBatch(messages[0].Partition, messages))
		expectShape(t, results, 0, sink.Retry, sink.Unknown, sink.Permanent)
		if err := results[0].Err; err != nil {
			texts[err.Error()] = true
		}
	}
	if len(texts) != 1 {
		t.Errorf("the same failure has %d texts: %v", len(texts), texts)
	}
	f.Heal()
}

func beginsNothing(t *testing.T, f Fixture) {
	messages := Messages(kafka.Partition{Topic: "orders", ID: "0"}, 5)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	expectShape(t, f.deliver(ctx, t, kafka.NewBatch(messages[0].Partition, messages)), 0, sink.Untried)
	f.expectDelivered(t, nil)
}

// returnsWhenCanceled allows a sink to have several messages under way at once: each of them is Unknown then.
func returnsWhenCanceled(t *testing.T, f Fixture) {
	if f.Hang == nil {
		t.Skip("this sink's far side never hangs")
	}
	messages := Messages(kafka.Partition{Topic: "orders", ID: "0"}, 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hangs := f.Hang(2)
	go func() {
		<-hangs
		cancel()
	}()
	results := f.deliver(ctx, t, kafka.NewBatch(messages[0].Partition, messages))
	phase := sink.Done
	for i, result := range results {
		if phase == sink.Done && result.Outcome == sink.Unknown || phase == sink.Unknown && result.Outcome == sink.Untried {
			phase = result.Outcome
		}
		if result.Outcome != phase {
			t.Errorf("result %d is %s (%v) after %s", i, result.Outcome, result.Err, phase)
		}
		// Whoever writes to results now, writes where the caller does: the race detector tells.
		results[i] = sink.Result{}
	}
	if phase == sink.Done {
		t.Error("every message is done, though the far side hung")
	}
	f.Heal()
}

func takesPartitionsConcurrently(t *testing.T, f Fixture) {
	const partitions, each = 8, 50
	sent := make(map[kafka.Partition]kafka.Messages)
	var deliveries sync.WaitGroup
	for p := range partitions {
		partition := kafka.Partition{Topic: "orders", ID: strconv.Itoa(p)}
		messages := Messages(partition, each)
		sent[partition] = messages
		deliveries.Go(func() {
			batch := kafka.NewBatch(partition, messages)
			for i := 0; i < each; i += 5 {
				results := make([]sink.Result, 5)
				f.Sink.Deliver(t.Context(), claim, batch.Slice(i, i+5), results)
				expectShape(t, results, 5)
			}
		})
	}
	deliveries.Wait()
	if f.Delivered == nil {
		return
	}
	got := make(map[kafka.Partition]kafka.Messages)
	for _, message := range f.Delivered() {
		got[message.Partition] = append(got[message.Partition], message)
	}
	for partition, want := range sent {
		Fixture{Delivered: func() []kafka.Message { return got[partition] }}.expectDelivered(t, want)
	}
}

func boundsSensibly(t *testing.T, f Fixture) {
	if limits := f.Sink.Limits(); limits.Messages < 0 || limits.Bytes < 0 {
		t.Errorf("limits %+v are negative; no bound is zero", limits)
	}
}
