// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// tally counts deliveries, once for each batch. It is the pump's Observer.
type tally struct {
	metrics *Metrics
	// reach is nil for a sink that is always there.
	reach                         *reach
	fetched, delivered, redeliver atomic.Uint64
	retry, permanent, unknown     atomic.Uint64
	lost                          atomic.Uint64

	// mu protects jumps.
	mu    sync.Mutex
	jumps map[kafka.Partition]jumped
}

// jumped is what became of a partition whose position was not in the log: the last jump, and what all of them lost. It
// outlives the lane, which goes and comes with the claim.
type jumped struct {
	last Jump
	lost uint64
}

var _ pump.Observer = (*tally)(nil)

// Fetched implements pump.Observer.
func (t *tally) Fetched(_ kafka.Partition, messages, _ int) { t.fetched.Add(uint64(messages)) }

// Delivered implements pump.Observer.
func (t *tally) Delivered(_ kafka.Partition, attempt pump.Attempt) {
	t.delivered.Add(uint64(attempt.Done))
	t.redeliver.Add(uint64(attempt.Retried))
	if attempt.Failed > 0 {
		t.failures(attempt.Outcome).Add(uint64(attempt.Failed))
	}
	now := time.Now()
	if t.reach != nil && attempt.Done+attempt.Failed > 0 {
		t.reach.attempted(now, attempt.Err)
	}
	t.metrics.Delivered(attempt.Took, attempt.Newest, now)
}

// Jumped implements pump.Observer.
func (t *tally) Jumped(partition kafka.Partition, jump lane.Jump) {
	t.lost.Add(uint64(jump.Lost))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.jumps == nil {
		t.jumps = map[kafka.Partition]jumped{}
	}
	t.jumps[partition] = jumped{
		last: Jump{At: jump.At, From: jump.From, To: jump.To}, lost: t.jumps[partition].lost + uint64(jump.Lost),
	}
}

// addJumps tells of each partition what happened to its position.
func (t *tally) addJumps(lanes []Lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range lanes {
		if known, ok := t.jumps[lanes[i].Partition]; ok {
			lanes[i].LostToRetention, lanes[i].Jump = known.lost, &known.last
		}
	}
}

func (t *tally) failures(outcome sink.Outcome) *atomic.Uint64 {
	switch outcome {
	case sink.Permanent:
		return &t.permanent
	case sink.Unknown:
		return &t.unknown
	default:
		return &t.retry
	}
}

func (t *tally) counters() Counters {
	return Counters{
		RecordsFetched: t.fetched.Load(), RecordsDelivered: t.delivered.Load(), Redeliveries: t.redeliver.Load(),
		LostToRetention: t.lost.Load(),
		// All of them from the beginning: a counter that appears with its first failure hides that failure from rate().
		RecordsFailed: map[string]uint64{
			sink.Retry.String(): t.retry.Load(), sink.Permanent.String(): t.permanent.Load(),
			sink.Unknown.String(): t.unknown.Load(),
		},
	}
}
