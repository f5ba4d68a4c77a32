// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

const (
	// numbersEvery is how often numbers that messages move are written, unless told otherwise. 200 groups under traffic
	// are then 13 writes a second, of some 10 KB each: an etcd takes a hundred times that.
	numbersEvery = 15 * time.Second
	// numbersJitter keeps groups that were written together (when the operator started) from being so for ever.
	numbersJitter = time.Second
)

// untilDue tells how long a status has to wait to be written: one that differs in more than numbers does not. The one
// that stands was written at that time, zero if not by this process.
func untilDue(
	key types.NamespacedName, before, after *v1alpha1.ConsumerGroupStatus, written, now time.Time, every time.Duration,
) time.Duration {
	if written.IsZero() || !equality.Semantic.DeepEqual(slow(before), slow(after)) {
		return 0
	}
	return max(0, written.Add(every+jitter(key)).Sub(now))
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
	slow.Lag, slow.LagUnit, slow.Columns.Lag = nil, "", ""
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
