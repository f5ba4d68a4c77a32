// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// homes gives the partitions a home among the pods of a StatefulSet, by ordinal: pod 0 alone would have all, pod 1
// comes and takes its share evenly, then pod 2, and so on to the last. So while pods only come at the end and go from
// the end, as a StatefulSet scales, partitions move only to the newcomer or from the leaver.
//
// A newcomer takes, one after the other, from the members with the most partitions the one that it weighs highest,
// until nobody has two more than it would.
func homes(hashes []uint64, set string, pods int) []int {
	home := make([]int, len(hashes))
	// The pod number len(hashes) finds no partition left to take, nor do those after it.
	for pod := 1; pod < min(pods, len(hashes)); pod++ {
		settle(home, hashes, pod, hash(ordinal{set, pod}.String()))
	}
	return home
}

type candidate struct {
	weight    int64
	partition int
}

// settle moves the newcomer's share, len(home)/(pod+1), from the pods before it.
func settle(home []int, hashes []uint64, pod int, newcomer uint64) {
	queues := make([][]candidate, pod) // by donor, dearest last
	for p, donor := range home {
		queues[donor] = append(queues[donor], candidate{weight(hashes[p], newcomer), p})
	}
	for _, q := range queues {
		slices.SortFunc(q, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(b.partition, a.partition))
		})
	}
	for range len(home) / (pod + 1) {
		donor := slices.MaxFunc(queues, compareDonors)
		at := home[donor[len(donor)-1].partition]
		home[donor[len(donor)-1].partition] = pod
		queues[at] = donor[:len(donor)-1]
	}
}

// compareDonors puts the one with the most left to give last, and among equals the one with the dearest offer.
func compareDonors(a, b []candidate) int {
	if len(a) != len(b) || len(a) == 0 {
		return cmp.Compare(len(a), len(b))
	}
	return cmp.Compare(a[len(a)-1].weight, b[len(b)-1].weight)
}

// ordinal is a name that ends in a number, as the pods of a StatefulSet are named: "<set>-<number>", or "worker7".
type ordinal struct {
	set    string // all before the number
	number int
}

func (o ordinal) String() string { return o.set + strconv.Itoa(o.number) }

// parseOrdinal splits a name. A number with leading zeros is none: not every reader would write it so again.
func parseOrdinal(name string) (o ordinal, ok bool) {
	set := strings.TrimRight(name, "0123456789")
	number, err := strconv.Atoi(name[len(set):])
	if err != nil || number == math.MaxInt {
		return o, false
	}
	o = ordinal{set, number}
	return o, o.String() == name
}

// podsOf returns the number of pods that each StatefulSet seems to have: one more than the highest ordinal present,
// where at least half of those up to it are present. The others up to it count as down for a moment (their partitions
// go to others and come back); the condition keeps a stray high number, such as the end of a host's name, from making
// up a set of hundreds.
func podsOf(names []string) map[string]int {
	present := map[string][]int{}
	for _, name := range names {
		if o, ok := parseOrdinal(name); ok {
			present[o.set] = append(present[o.set], o.number)
		}
	}
	pods := make(map[string]int, len(present))
	for set, numbers := range present {
		slices.Sort(numbers)
		for i, number := range numbers {
			if number < 2*(i+1) {
				pods[set] = number + 1
			}
		}
	}
	return pods
}
