// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// seeded returns the same numbers in every run.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5a3a)) }

// topic returns n partitions of one topic, numbered as Kafka 0.8 and later do.
func topic(name string, n int) []Partition {
	partitions := make([]Partition, n)
	for i := range partitions {
		partitions[i] = Partition{name, fmt.Sprint(i)}
	}
	return partitions
}

// named returns one member of each name, with an id as samsa's members have, all subscribed to the topics.
func named(names []string, topics ...string) []Member {
	members := make([]Member, len(names))
	for i, name := range names {
		members[i] = Member{ID: "g_samsa1s." + name + "-1700000000000-0a1b", Name: name, Born: 1700000000000}
		members[i].Topics = map[string]int{}
		for _, t := range topics {
			members[i].Topics[t] = 1
		}
	}
	return members
}

// ordinals returns the names of a StatefulSet's pods.
func ordinals(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("billing-%d", i)
	}
	return names
}

// arbitrary returns names without any order, as those of a Deployment's pods.
func arbitrary(r *rand.Rand, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("pump-%08x-x", r.Uint32())
	}
	return names
}

// loads counts the partitions of each member, those without any included.
func loads(members []Member, a Assignment) map[string]int {
	count := map[string]int{}
	for _, m := range members {
		count[m.ID] = 0
	}
	for _, t := range a {
		count[t.Member]++
	}
	return count
}

// spread is the difference between the most and the fewest partitions of a member.
func spread(members []Member, a Assignment) int {
	counts := slices.Collect(maps.Values(loads(members, a)))
	return slices.Max(counts) - slices.Min(counts)
}

// world is a random group: members with various subscriptions and names, partitions of several topics and both kinds
// of id, and topics that nobody wants.
func world(r *rand.Rand) ([]Member, []Partition) {
	var partitions []Partition
	topics := []string{"a", "b", "a.b", "\uff5e", "\U0001f600"}[:1+r.IntN(5)]
	for _, name := range topics {
		if r.IntN(2) == 0 {
			partitions = append(partitions, topic(name, r.IntN(25))...)
			continue
		}
		for broker := range r.IntN(13) {
			for i := range r.IntN(12) {
				partitions = append(partitions, Partition{name, fmt.Sprintf("%d-%d", broker, i)})
			}
		}
	}
	var members []Member
	for i := range r.IntN(12) {
		m := Member{Topics: map[string]int{}, Born: r.Int64N(3)}
		m.ID = []string{"m", "host-1", "host", "\uff5e", "\U0001f600"}[r.IntN(5)] + fmt.Sprint("-", r.IntN(12), "-", i)
		m.Name = []string{m.ID, fmt.Sprint("pod-", r.IntN(4)), fmt.Sprint("pod-", i)}[r.IntN(3)]
		for _, name := range append(topics, "unborn") {
			if r.IntN(4) > 0 {
				m.Topics[name] = r.IntN(14)
			}
		}
		members = append(members, m)
	}
	return members, partitions
}

// shuffled returns the same members and partitions in another order, some of them twice.
func shuffled(r *rand.Rand, members []Member, partitions []Partition) ([]Member, []Partition) {
	m, p := slices.Clone(members), slices.Clone(partitions)
	for range len(m) / 3 {
		m = append(m, m[r.IntN(len(m))])
	}
	for range len(p) / 3 {
		p = append(p, p[r.IntN(len(p))])
	}
	r.Shuffle(len(m), func(i, j int) { m[i], m[j] = m[j], m[i] })
	r.Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
	return m, p
}

// current leaves out the members that have a newer session.
func current(members []Member) (kept []Member) {
	for _, m := range members {
		if !slices.ContainsFunc(members, func(o Member) bool {
			return o.Name == m.Name && (o.Born > m.Born || o.Born == m.Born && o.ID > m.ID)
		}) {
			kept = append(kept, m)
		}
	}
	return kept
}

// complete fails unless exactly the partitions with a subscriber are assigned, each to a subscriber's thread.
func complete(t *testing.T, members []Member, partitions []Partition, a Assignment) {
	t.Helper()
	threads := map[string]map[string]int{} // topic, member
	for _, m := range members {
		for name, n := range m.Topics {
			if n < 1 {
				continue
			}
			if threads[name] == nil {
				threads[name] = map[string]int{}
			}
			threads[name][m.ID] = max(n, threads[name][m.ID])
		}
	}
	expected := map[Partition]bool{}
	for _, p := range partitions {
		if len(threads[p.Topic]) > 0 {
			expected[p] = true
		}
	}
	for p, owner := range a {
		if !expected[p] {
			t.Errorf("%v is assigned to %v but not there, or nobody wants it", p, owner)
		}
		if n := threads[p.Topic][owner.Member]; owner.Index < 0 || owner.Index >= n {
			t.Errorf("%v is assigned to %v, which has %d threads for it", p, owner, n)
		}
	}
	if len(a) != len(expected) {
		t.Errorf("%d partitions are assigned, want %d", len(a), len(expected))
	}
}
