// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// moved counts the partitions that have another owner in b than in a.
func moved(a, b Assignment) (n int) {
	for p, owner := range a {
		if b[p] != owner {
			n++
		}
	}
	return n
}

// least is the number of partitions that must move: the old loads are cut to the loads that after allows, the largest
// keeping the most.
func least(before Assignment, after []Member) int {
	var old []int
	for _, m := range after {
		old = append(old, len(before.Of(m.ID)))
	}
	slices.SortFunc(old, func(a, b int) int { return b - a })
	kept := 0
	for i, load := range old {
		quota := len(before) / len(after)
		if i < len(before)%len(after) {
			quota++
		}
		kept += min(load, quota)
	}
	return len(before) - kept
}

// change is what one join or leave moved, and had to.
type change struct{ moved, least int }

func (c change) ratio() float64 { return float64(c.moved) / float64(c.least) }

// leaveAndReturn measures both ways between a group with and without one of its members.
func leaveAndReturn(names []string, leaver int, partitions []Partition) [2]change {
	all := named(names, "t")
	rest := slices.Delete(slices.Clone(all), leaver, leaver+1)
	with, without := Sticky(all, partitions), Sticky(rest, partitions)
	return [2]change{{moved(with, without), least(with, rest)}, {moved(without, with), least(without, all)}}
}

type movement struct {
	sum   change
	worst float64
}

func (m *movement) add(changes [2]change) {
	for _, c := range changes {
		m.sum.moved += c.moved
		m.sum.least += c.least
		m.worst = max(m.worst, c.ratio())
	}
}

func (m movement) String() string { return fmt.Sprintf("%.3f, at worst %.2f", m.sum.ratio(), m.worst) }

// measure makes random groups of from to to members with low to high partitions each, and lets a random one leave and
// return.
func measure(seed uint64, groups, from, to, low, high int, names func(*rand.Rand, int) []string) (m movement) {
	r := seeded(seed)
	for range groups {
		members := from + r.IntN(to-from+1)
		count := members*low + r.IntN(members*(high-low)+members)
		m.add(leaveAndReturn(names(r, members), r.IntN(members), topic("t", count)))
	}
	return m
}

func pods(_ *rand.Rand, n int) []string { return ordinals(n) }

// Pods of a StatefulSet, any of which may leave: each single change is bounded.
func TestMovementOfPods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		low, high int
		bound     float64
	}{{100, 300, 1.1}, {10, 99, 3}} {
		got := measure(8, 20, 2, 20, c.low, c.high, pods)
		t.Logf("%d to %d partitions a member: %v times the least", c.low, c.high, got)
		if got.worst > c.bound {
			t.Errorf("%d to %d partitions a member: %v times the least, want %v at most", c.low, c.high, got, c.bound)
		}
	}
}

// Names that tell nothing: what rendezvous hashing can do (see Sticky).
func TestMovementOfArbitraryNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		members, low, high int
		mean, worst        float64
	}{
		{2, 100, 300, 1.02, 1.05},
		{5, 100, 300, 1.1, 1.25},
		{10, 300, 300, 1.12, 1.25},
		{20, 100, 100, 1.35, 1.5},
		{20, 300, 300, 1.2, 1.3},
		{5, 10, 10, 1.4, 3},
		{10, 10, 10, 1.7, 3},
		{20, 10, 10, 2.2, 3},
	} {
		got := measure(9, 8, c.members, c.members, c.low, c.high, arbitrary)
		t.Logf("%d members, %d to %d partitions each: %v times the least", c.members, c.low, c.high, got)
		if got.sum.ratio() > c.mean || got.worst > c.worst {
			t.Errorf("%d members, %d to %d partitions each: %v times the least", c.members, c.low, c.high, got)
		}
	}
}

// A stranger among the pods, such as a command line on a laptop, takes its share and moves little else.
func TestMovementOfAStranger(t *testing.T) {
	names := append(ordinals(10), "laptop")
	for _, c := range leaveAndReturn(names, 10, topic("t", 1000)) {
		if c.ratio() > 1.02 {
			t.Errorf("a stranger's coming or going moves %d partitions, %d would do", c.moved, c.least)
		}
	}
}

// New partitions, and a 0.7 broker that goes and comes with its own, leave most of the others alone.
func TestMovementOfChangingPartitions(t *testing.T) {
	for name, names := range map[string][]string{"pods": ordinals(10), "arbitrary": arbitrary(seeded(10), 10)} {
		members := named(names, "t")
		before, after := Sticky(members, topic("t", 1000)), Sticky(members, topic("t", 1100))
		if got := moved(before, after); got > 80 {
			t.Errorf("%s: 100 partitions more move %d of 1000 others", name, got)
		}
	}
}
