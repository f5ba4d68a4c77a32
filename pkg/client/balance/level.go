// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"math"
	"slices"
)

const (
	nobody = -1
	barred = math.MinInt64 // the weight of a partition for a member that does not subscribe to its topic
	// A chain through n members is no longer than n*(2^50 + 2^40), below 2^60 for up to 1,000 of them. So an unreached
	// member looks farther than any reached one, any chain plus noMove looks farther still, and no sum overflows.
	unreached = 1 << 60 // the length of the chain to a member to which there is none
	noMove    = 1 << 62 // the cost where a member has nothing that the other may take
)

// matching is the search for the level assignment of greatest weight, as a minimum-cost flow: partitions come in one by
// one, each by the cheapest chain of moves (it pushes another out, which pushes another...) that ends at a member with
// the smallest load. Every such step keeps the assignment optimal, so the order they come in does not matter.
//
// The cost of a move is the weight it loses. Searching takes O(members^2) for a partition; BenchmarkSticky has times.
type matching struct {
	weights [][]int64 // by partition and member
	owned   [][]int   // by member: its partitions
	slot    []int     // by partition: where owned lists it
	cost    [][]int64 // by members a and b: of the cheapest move from a to b
	moving  [][]int   // by members a and b: the partition of that move
	length  []int64   // by member: of the cheapest chain to it
	last    []int64   // by member: the length in the search before, by which this one guesses
	via     []int     // by member: the one before it in that chain, or nobody
	open    []bool    // by member: whether its length is news to the others
}

// level assigns each partition (a row of weights) to a member (a column) such that the sum of the squares of the loads
// is the smallest possible, and among those assignments the sum of the weights the greatest. Every row needs a member
// that is not barred.
func level(weights [][]int64, members int) []int {
	m := matching{
		weights: weights,
		owned:   make([][]int, members),
		slot:    make([]int, len(weights)),
		cost:    make([][]int64, members),
		moving:  make([][]int, members),
		length:  make([]int64, members),
		last:    make([]int64, members),
		via:     make([]int, members),
		open:    make([]bool, members),
	}
	for a := range members {
		m.cost[a] = slices.Repeat([]int64{noMove}, members)
		m.moving[a] = slices.Repeat([]int{nobody}, members)
	}
	for p := range weights {
		m.insert(p)
	}
	owner := make([]int, len(weights))
	for member, owned := range m.owned {
		for _, p := range owned {
			owner[p] = member
		}
	}
	return owner
}

// insert brings the partition in and makes the moves of the cheapest chain, last one first.
func (m *matching) insert(partition int) {
	m.search(partition)
	to := m.target()
	for m.via[to] != nobody {
		from := m.via[to]
		moving := m.moving[from][to]
		m.take(moving, from)
		m.give(moving, to)
		to = from
	}
	m.give(partition, to)
}

// search finds the cheapest chain to each member. Moves may cost less than nothing, but no cycle of them does, as the
// assignment so far is optimal; so lengths are corrected until nothing changes. Taking first the member that came out
// shortest against the search before makes corrections rare: this is Dijkstra's algorithm with potentials, except that
// a wrong potential costs time and not the result.
func (m *matching) search(partition int) {
	copy(m.last, m.length)
	for member, w := range m.weights[partition] {
		m.length[member], m.via[member], m.open[member] = unreached, nobody, w != barred
		if w != barred {
			m.length[member] = -w
		}
	}
	for from := m.next(); from != nobody; from = m.next() {
		m.open[from] = false
		base, costs := m.length[from], m.cost[from]
		for to, cost := range costs {
			if base+cost < m.length[to] {
				m.length[to], m.via[to], m.open[to] = base+cost, from, true
			}
		}
	}
}

// next is the open member to go on from, or nobody.
func (m *matching) next() int {
	best := nobody
	for member, open := range m.open {
		if open && (best == nobody || m.length[member]-m.last[member] < m.length[best]-m.last[best]) {
			best = member
		}
	}
	return best
}

// target is the member with the smallest load that a chain reaches, and of those the one with the cheapest chain.
func (m *matching) target() int {
	best := nobody
	for member, length := range m.length {
		if length == unreached {
			continue
		}
		if best == nobody || len(m.owned[member]) < len(m.owned[best]) ||
			len(m.owned[member]) == len(m.owned[best]) && length < m.length[best] {
			best = member
		}
	}
	return best
}

// give adds the partition to the member.
func (m *matching) give(partition, member int) {
	m.slot[partition] = len(m.owned[member])
	m.owned[member] = append(m.owned[member], partition)
	for to := range m.cost[member] {
		m.offer(partition, member, to)
	}
}

// take removes the partition from the member, and looks for another wherever it was the cheapest to move.
func (m *matching) take(partition, member int) {
	owned := m.owned[member]
	last := owned[len(owned)-1]
	owned[m.slot[partition]], m.slot[last] = last, m.slot[partition]
	m.owned[member] = owned[:len(owned)-1]

	for to, moving := range m.moving[member] {
		if moving != partition {
			continue
		}
		m.cost[member][to], m.moving[member][to] = noMove, nobody
		for _, p := range m.owned[member] {
			m.offer(p, member, to)
		}
	}
}

// offer notes the partition as the one to move from member to the other if none is cheaper. Equals go by position, so
// that the result depends on the input alone even where two assignments weigh the same.
func (m *matching) offer(partition, member, to int) {
	w := m.weights[partition]
	if member == to || w[to] == barred {
		return
	}
	cost, best := w[member]-w[to], m.cost[member][to]
	if cost < best || cost == best && partition < m.moving[member][to] {
		m.cost[member][to], m.moving[member][to] = cost, partition
	}
}
