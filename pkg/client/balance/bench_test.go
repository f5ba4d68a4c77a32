// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"fmt"
	"testing"
)

func BenchmarkSticky(b *testing.B) {
	for _, size := range [][2]int{{3, 12}, {20, 2000}, {100, 10_000}} {
		partitions := topic("t", size[1])
		for kind, names := range map[string][]string{"pods": ordinals(size[0]), "arbitrary": arbitrary(seeded(1), size[0])} {
			b.Run(fmt.Sprintf("%s=%d/partitions=%d", kind, size[0], size[1]), func(b *testing.B) {
				members := named(names, "t")
				b.ReportAllocs()
				for b.Loop() {
					Sticky(members, partitions)
				}
			})
		}
	}
}

func BenchmarkRange(b *testing.B) {
	members, partitions := named(ordinals(100), "t"), topic("t", 10_000)
	b.ReportAllocs()
	for b.Loop() {
		Range(members, partitions)
	}
}
