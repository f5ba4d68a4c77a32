// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Maps are walked in order wherever what happens, or what is said of it, may depend on it: a run depends on its seed
// alone.

func inOrder[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

func partitionsOf[V any](m map[kafka.Partition]V) []kafka.Partition {
	return slices.SortedFunc(maps.Keys(m), kafka.Partition.Compare)
}
