// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestABatchCostsOneAllocation(t *testing.T) {
	partition := kafka.Partition{Topic: "orders", ID: "0"}
	c, err := newCursor(partition, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.stage = fetching
	f := newFetcher(Config{}, nil, nil, nil, nil)
	f.cursors[partition] = c
	f.topics["orders"] = &topic{numbers: map[int32]*cursor{0: c}}
	brought := kgo.FetchPartition{HighWatermark: 1000}
	for i := range int64(1000) {
		brought.Records = append(brought.Records, &kgo.Record{Offset: i, Value: []byte("value")})
	}
	now := time.Now()
	allocs := testing.AllocsPerRun(100, func() {
		f.fetches = f.fetches[:0]
		c.next = 0
		f.takePartition("orders", &brought, now)
	})
	if len(f.fetches) != 1 || f.fetches[0].Batch.Len() != 1000 {
		t.Fatalf("got %d fetches, want one of 1000 messages", len(f.fetches))
	}
	if allocs > 1 {
		t.Errorf("a batch costs %.0f allocations, want 1 at most", allocs)
	}
}
