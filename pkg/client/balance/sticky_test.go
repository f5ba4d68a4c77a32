// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestStickyAssignsEachPartitionOnce(t *testing.T) {
	r := seeded(3)
	for range 3_000 {
		members, partitions := world(r)
		complete(t, current(members), partitions, Sticky(members, partitions))
	}
}

func TestStickyIgnoresOrderAndDuplicates(t *testing.T) {
	r := seeded(4)
	for range 2_000 {
		members, partitions := world(r)
		if a, b := Sticky(members, partitions), Sticky(shuffled(r, members, partitions)); !maps.Equal(a, b) {
			t.Fatalf("members %v, partitions %v: %v, but in another order %v", members, partitions, a, b)
		}
	}
}

func TestStickyIsLevel(t *testing.T) {
	r := seeded(5)
	for range 500 {
		names := ordinals(1 + r.IntN(20))
		if r.IntN(2) == 0 {
			names = arbitrary(r, len(names))
		}
		members := named(names, "a", "b")
		partitions := append(topic("a", r.IntN(200)), topic("b", r.IntN(20))...)
		if got := spread(members, Sticky(members, partitions)); got > 1 {
			t.Fatalf("%d partitions on %v: the loads differ by %d", len(partitions), names, got)
		}
	}
}

func TestStickyWithDifferentSubscriptions(t *testing.T) {
	members := slices.Concat(named([]string{"x", "y"}, "a", "b"), named([]string{"z"}, "b"))
	partitions := append(topic("a", 8), topic("b", 4)...)
	a := Sticky(members, partitions)
	for id, n := range loads(members, a) {
		if n != 4 {
			t.Errorf("%s has %d partitions, want 4: z can take all of b", id, n)
		}
	}
}

// What Sticky's comment promises, against all assignments there are.
func TestLevelIsTheOptimum(t *testing.T) {
	r := seeded(6)
	for range 3_000 {
		members, partitions := 1+r.IntN(4), r.IntN(7)
		weights := make([][]int64, partitions)
		for p := range weights {
			weights[p] = make([]int64, members)
			for m := range weights[p] {
				weights[p][m] = int64(r.Uint64() >> (64 - weightBits))
				if r.IntN(4) == 0 {
					weights[p][m] = barred
				}
			}
			if !slices.ContainsFunc(weights[p], func(w int64) bool { return w != barred }) {
				weights[p][0] = 1
			}
		}
		squares, sum := value(weights, level(weights, members), members)
		bestSquares, bestSum := optimum(weights, members)
		if squares != bestSquares || sum != bestSum {
			t.Fatalf("%v: squares %d, weight %d, but %d, %d is possible", weights, squares, sum, bestSquares, bestSum)
		}
	}
}

func value(weights [][]int64, owner []int, members int) (squares int, sum int64) {
	load := make([]int, members)
	for p, m := range owner {
		if weights[p][m] == barred {
			return math.MaxInt, 0
		}
		squares += 2*load[m] + 1
		load[m]++
		sum += weights[p][m]
	}
	return squares, sum
}

func optimum(weights [][]int64, members int) (squares int, sum int64) {
	squares = math.MaxInt
	owner := make([]int, len(weights))
	for code := range int(math.Pow(float64(members), float64(len(weights)))) {
		for p := range owner {
			owner[p], code = code%members, code/members
		}
		if q, s := value(weights, owner, members); q < squares || q == squares && s > sum {
			squares, sum = q, s
		}
	}
	return squares, sum
}

func TestStickyCountsTheNewestOfAName(t *testing.T) {
	subscription := map[string]int{"t": 1}
	older := Member{ID: "g_samsa1s.p-0-9-ff", Name: "p-0", Born: 9, Topics: subscription}
	newer := Member{ID: "g_samsa1s.p-0-10-00", Name: "p-0", Born: 10, Topics: subscription}
	twin := Member{ID: "g_samsa1s.p-0-10-01", Name: "p-0", Born: 10, Topics: subscription}
	other := Member{ID: "g_samsa1s.p-1-5-aa", Name: "p-1", Born: 5, Topics: subscription}
	for name, c := range map[string]struct {
		members []Member
		winner  Member
	}{
		"by birth":            {[]Member{newer, other, older}, newer},
		"by id if born alike": {[]Member{twin, older, other, newer}, twin},
	} {
		t.Run(name, func(t *testing.T) {
			a := Sticky(c.members, topic("t", 10))
			for _, m := range c.members {
				want := 0
				if m.ID == c.winner.ID || m.ID == other.ID {
					want = 5
				}
				if got := len(a.Of(m.ID)); got != want {
					t.Errorf("%s has %d partitions, want %d", m.ID, got, want)
				}
			}
		})
	}
}

func TestAReturningPodGetsItsPartitionsBack(t *testing.T) {
	partitions := topic("t", 50)
	r := seeded(7)
	for _, names := range [][]string{ordinals(5), arbitrary(r, 5)} {
		before := Sticky(named(names, "t"), partitions)
		for i := range names {
			returned := named(names, "t")
			returned[i].ID, returned[i].Born = fmt.Sprintf("g_samsa1s.%s-1800000000000-ff", names[i]), 1800000000000
			after := Sticky(returned, partitions)
			for j, m := range named(names, "t") {
				if !slices.Equal(before.Of(m.ID), after.Of(returned[j].ID)) {
					t.Errorf("after %s returned, %s has other partitions", names[i], names[j])
				}
			}
		}
		Sticky(named(names[:4], "t"), partitions)
		if !maps.Equal(before, Sticky(named(names, "t"), partitions)) {
			t.Error("an assignment in between changed the next")
		}
	}
}

func TestScalingUpAndDownMovesTheLeast(t *testing.T) {
	partitions := topic("t", 60)
	three, five := named(ordinals(3), "t"), named(ordinals(5), "t")
	small, large := Sticky(three, partitions), Sticky(five, partitions)
	if got := moved(small, large); got != 24 {
		t.Errorf("3 to 5 pods moves %d of 60 partitions, want the newcomers' 24", got)
	}
	if !maps.Equal(small, Sticky(named(ordinals(5), "t")[:3], partitions)) {
		t.Error("3 to 5 to 3 pods does not end where it began")
	}
}

func TestNothingToAssign(t *testing.T) {
	idle := Member{ID: "idle"}
	for name, assign := range map[string]func([]Member, []Partition) Assignment{"Range": Range, "Sticky": Sticky} {
		for _, members := range [][]Member{nil, {idle}, {idle, {ID: "zero", Topics: map[string]int{"t": 0, "u": -1}}}} {
			if a := assign(members, topic("t", 3)); a == nil || len(a) != 0 {
				t.Errorf("%s to %v: got %v, want an empty assignment", name, members, a)
			}
		}
		if a := assign(named(ordinals(3), "t"), nil); a == nil || len(a) != 0 {
			t.Errorf("%s of no partitions: got %v, want an empty assignment", name, a)
		}
		members := append(named(ordinals(7), "t"), idle)
		a := assign(members, topic("t", 3))
		complete(t, members, topic("t", 3), a)
		if spread(members, a) != 1 {
			t.Errorf("%s of 3 partitions to 7 members: %v", name, a)
		}
	}
}

func TestHomesCountOnlyInDenseSets(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  map[string]int
	}{
		{[]string{"p-0", "p-1", "p-2"}, map[string]int{"p-": 3}},
		{[]string{"p-0", "p-2"}, map[string]int{"p-": 3}},
		{[]string{"p-1"}, map[string]int{"p-": 2}},
		{[]string{"p-0", "p-1", "p-200", "q-0"}, map[string]int{"p-": 2, "q-": 1}},
		{[]string{"host-12", "p", "-", "p-01", "p-+1", "p--1", "p-99999999999999999999"}, map[string]int{"p-+": 2, "p--": 2}},
		{[]string{"worker1", "worker2", "w07"}, map[string]int{"worker": 3}},
	} {
		if got := podsOf(c.names); !maps.Equal(got, c.want) {
			t.Errorf("podsOf(%q) = %v, want %v", c.names, got, c.want)
		}
	}
}

// Other processes, perhaps of other releases, compute these too: a change here needs a new version in the member ids.
func TestWireContract(t *testing.T) {
	for s, want := range map[string]uint64{"": 17665956581633026203, "billing-0": 16565249050986046027} {
		if got := hash(s); got != want {
			t.Errorf("hash(%q) = %d, want %d", s, got, want)
		}
	}
	if got := weight(partitionHash(Partition{"orders", "0"}), hash("billing-0")); got != 248650613643 {
		t.Errorf("weight of orders/0 for billing-0 = %d", got)
	}
	if got := weight(partitionHash(Partition{"orders", "1-3"}), hash("billing-10")); got != 817698957075 {
		t.Errorf("weight of orders/1-3 for billing-10 = %d", got)
	}
	for _, group := range []map[string]string{
		{"billing-0": "4 6 9 10", "billing-1": "0 1 8 11", "billing-2": "2 3 5 7"},
		{"a": "1 2 7 10", "b": "0 4 9 11", "pump-7f9c-x": "3 5 6 8"},
	} {
		members := named(slices.Collect(maps.Keys(group)), "orders")
		a := Sticky(members, topic("orders", 12))
		for _, m := range members {
			var ids []string
			for _, p := range a.Of(m.ID) {
				ids = append(ids, p.ID)
			}
			if got := strings.Join(ids, " "); got != group[m.Name] {
				t.Errorf("%s has %s, want %s", m.Name, got, group[m.Name])
			}
		}
	}
}
