// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

const (
	// numbersEvery is how often numbers that messages move are written. 200 groups under traffic are then 13 writes a
	// second, of some 10 KB each: an etcd takes a hundred times that.
	numbersEvery = 15 * time.Second
	// numbersJitter keeps groups that were written together (when the operator started) from being so for ever.
	numbersJitter = 3 * time.Second
	// catchUp is how long a cache may take to show what was written: milliseconds, as a rule.
	catchUp = 5 * time.Second
)

// ledger remembers what statuses were written when. The zero value is empty; it may be used concurrently.
type ledger struct {
	// mu protects entries.
	mu      sync.Mutex
	entries map[types.NamespacedName]entry
}

type entry struct {
	at            time.Time
	before, after v1alpha1.ConsumerGroupStatus
}

// last is the status that stands, where the cache may not show yet what was written a moment ago.
func (l *ledger) last(
	key types.NamespacedName, cached v1alpha1.ConsumerGroupStatus, now time.Time,
) v1alpha1.ConsumerGroupStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.entries[key]
	if ok && now.Sub(known.at) < catchUp && equality.Semantic.DeepEqual(cached, known.before) {
		return known.after
	}
	return cached
}

// due tells how long a status has to wait to be written: one that differs in more than numbers does not.
func (l *ledger) due(
	key types.NamespacedName, before, after *v1alpha1.ConsumerGroupStatus, now time.Time,
) time.Duration {
	if !equality.Semantic.DeepEqual(slow(before), slow(after)) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.entries[key]
	if !ok {
		return 0
	}
	return max(0, known.at.Add(numbersEvery+jitter(key)).Sub(now))
}

func (l *ledger) wrote(key types.NamespacedName, before, after v1alpha1.ConsumerGroupStatus, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = map[types.NamespacedName]entry{}
	}
	l.entries[key] = entry{at: now, before: before, after: after}
}

func (l *ledger) forget(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, key)
}

// jitter is each group's own.
func jitter(key types.NamespacedName) time.Duration {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(key.String())) // it never fails
	return time.Duration(sum.Sum32()) % numbersJitter
}

// slow is a status without what messages move: lag and positions, how often one was tried and what the sink said, and,
// since rows are ordered and chosen by lag, the order of the rows, and which of them are shown if not all are.
func slow(status *v1alpha1.ConsumerGroupStatus) *v1alpha1.ConsumerGroupStatus {
	slow := status.DeepCopy()
	slow.Lag, slow.Columns.Lag = nil, ""
	if len(slow.Partitions) >= maxListed {
		slow.Partitions = slices.DeleteFunc(slow.Partitions, func(p v1alpha1.PartitionStatus) bool {
			return p.State == v1alpha1.PartitionOwned
		})
	}
	for i := range slow.Partitions {
		p := &slow.Partitions[i]
		slow.Partitions[i] = v1alpha1.PartitionStatus{
			Topic: p.Topic, Partition: p.Partition, Group: p.Group, State: p.State, Owner: p.Owner,
		}
	}
	slices.SortFunc(slow.Partitions, func(a, b v1alpha1.PartitionStatus) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return slow
}
