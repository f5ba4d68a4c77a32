// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"cmp"
	"maps"
	"slices"
)

// Sticky is the assignment for groups of samsa's members only. It keeps partitions where they are as well as a function
// without memory can: nobody leads and nothing is remembered, so a pod that leaves and returns gets exactly its
// partitions back.
//
// It is rendezvous hashing by the member's Name with an exact bound on the load. Each member weighs each partition by a
// hash of both, and the assignment is defined as an optimum rather than by a procedure: of all assignments to
// subscribed members, those whose loads are most level (the smallest sum of squares: loads differ by 1 at most if all
// members subscribe to the same topics; if not, no chain of moves could take a partition from a member to one with two
// fewer); and of those, the one with the greatest sum of weights. The names in a StatefulSet, "<set>-0" to "<set>-n",
// are known beforehand, and that is used: partitions have homes among its pods (see homes), and a partition at home
// weighs more than any hash.
//
// Of several IDs with one Name the newest counts, by Born and then by the greater ID; the others get nothing.
// Thread indexes are always 0.
//
// Movement when one random member leaves or returns, as a multiple of the least that level loads allow (mean and worst
// of 8 to 20 random groups each, both ways; the tests named TestMovement print it and hold it):
//
//	pods of a StatefulSet, 2 to 20 of them, 100 to 300 partitions each   1.001   1.01
//	                                         10 to  99 partitions each   1.004   1.09
//	arbitrary names,    5 members, 100 to 300 partitions each            1.045   1.07
//	                   10 members,        300                            1.088   1.12
//	                   20 members,        300                            1.136   1.17
//	                   20 members,        100                            1.253   1.31
//	                    5 members,         10                            1.152   1.40
//	                   20 members,         10                            1.975   2.30
//
// For n members with l partitions each, arbitrary names cost about 1 + 0.56*sqrt(n/l): a leaver's l partitions fall on
// n-1 others by chance, sqrt(l/n) off the mean each, and levelling that again moves 0.56*sqrt(n*l) more. Matching by
// first refusal (deferred acceptance) moved 1.33 where this moves 1.25; other distributions of the weights, a bonus for
// first choices and ranks in place of weights came out within 0.04 of it.
func Sticky(members []Member, partitions []Partition) Assignment {
	current := newest(canonical(members))
	assignable := subscribed(distinct(partitions), current)
	assignment := make(Assignment, len(assignable))
	for i, owner := range level(weigh(assignable, current), len(current)) {
		assignment[assignable[i]] = Thread{Member: current[owner].ID}
	}
	return assignment
}

// newest keeps of each name the member with the newest session, sorted by name.
func newest(members []Member) []Member {
	byName := make(map[string]Member, len(members))
	for _, m := range members {
		if twin, ok := byName[m.Name]; !ok || cmp.Or(cmp.Compare(m.Born, twin.Born), cmp.Compare(m.ID, twin.ID)) > 0 {
			byName[m.Name] = m
		}
	}
	byNameOrder := func(a, b Member) int { return cmp.Compare(a.Name, b.Name) }
	return slices.SortedFunc(maps.Values(byName), byNameOrder)
}

// subscribed drops the partitions of topics that no member wants.
func subscribed(partitions []Partition, members []Member) []Partition {
	wanted := map[string]bool{}
	for _, m := range members {
		for topic := range m.Topics {
			wanted[topic] = true
		}
	}
	return slices.DeleteFunc(partitions, func(p Partition) bool { return !wanted[p.Topic] })
}

// weigh returns the weight of each partition for each member.
func weigh(partitions []Partition, members []Member) [][]int64 {
	hashes := make([]uint64, len(partitions))
	weights := make([][]int64, len(partitions))
	for i, p := range partitions {
		hashes[i], weights[i] = partitionHash(p), make([]int64, len(members))
	}
	for column, m := range members {
		name := hash(m.Name)
		for i, p := range partitions {
			weights[i][column] = barred
			if m.Topics[p.Topic] > 0 {
				weights[i][column] = weight(hashes[i], name)
			}
		}
	}
	favourHomes(weights, hashes, members)
	return weights
}

// favourHomes adds the bonus for the pods of StatefulSets.
func favourHomes(weights [][]int64, hashes []uint64, members []Member) {
	names := make([]string, len(members))
	column := make(map[string]int, len(members))
	for i, m := range members {
		names[i], column[m.Name] = m.Name, i
	}
	for set, pods := range podsOf(names) {
		for i, home := range homes(hashes, set, pods) {
			at, present := column[ordinal{set, home}.String()]
			if present && weights[i][at] != barred {
				weights[i][at] += homeBonus
			}
		}
	}
}
