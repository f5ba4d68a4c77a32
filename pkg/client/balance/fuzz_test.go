// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"fmt"
	"maps"
	"testing"
)

// FuzzAssign feeds both functions with any members and partitions.
func FuzzAssign(f *testing.F) {
	f.Add(uint64(1), "pod-0", "0", 1)
	f.Add(uint64(2), "", "1-3", 0)
	f.Add(uint64(3), "\xff-\U0001f600-18446744073709551616", "00", 1<<62)
	f.Fuzz(func(t *testing.T, seed uint64, name, id string, threads int) {
		r := seeded(seed)
		members, partitions := world(r)
		for i := range r.IntN(4) {
			m := Member{ID: fmt.Sprint(name, i), Name: name + id[:r.IntN(len(id)+1)], Born: int64(threads)}
			m.Topics = map[string]int{"a": threads, id: 1}
			if m.Name == "" {
				m.Name = m.ID
			}
			members = append(members, m)
			partitions = append(partitions, Partition{"a", id}, Partition{id, name})
		}
		ranged, sticky := Range(members, partitions), Sticky(members, partitions)
		complete(t, members, partitions, ranged)
		complete(t, current(members), partitions, sticky)
		members, partitions = shuffled(r, members, partitions)
		if !maps.Equal(ranged, Range(members, partitions)) || !maps.Equal(sticky, Sticky(members, partitions)) {
			t.Error("the order of the input matters")
		}
	})
}
