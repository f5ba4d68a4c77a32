// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"cmp"
	"maps"
	"slices"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Maps are walked in order wherever a command or a random number may come of it: a run replays exactly from its seed.

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func sortedKeysFunc[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), compare)
}

func sortedPartitions[V any](m map[kafka.Partition]V) []kafka.Partition {
	return sortedKeysFunc(m, kafka.Partition.Compare)
}

func sameKeys[K comparable, V any](a, b map[K]V) bool {
	if len(a) != len(b) {
		return false
	}
	for key := range a {
		if _, ok := b[key]; !ok {
			return false
		}
	}
	return true
}
