// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"math"
	"testing"
)

// ranked is the best that a rule can do which knows of each member only how many names sort before it: before says for
// how many partitions the owner has rank i of all members and rank k once one of them, chosen at random, has left. It
// gives the mean movement as a multiple of the least possible.
type ranked struct {
	members, each int
	counts        [][]int // [rank before][rank after] -> partitions
	open          []int   // of each rank after, the partitions it still has to get
	best          float64
}

// unneeded counts, over all members that might leave, the partitions that move though their owner stays.
func (r *ranked) unneeded() (n int) {
	for leaver := range r.members {
		for before := range r.members {
			if before == leaver {
				continue
			}
			same := before // the owner's rank when the leaver is gone
			if before > leaver {
				same--
			}
			for after, count := range r.counts[before] {
				if after != same {
					n += count
				}
			}
		}
	}
	return n
}

// fill tries every way to spread the partitions of rank i, of which left remain, over the ranks after from k on.
func (r *ranked) fill(i, k, left int) {
	switch {
	case i == r.members:
		needed := r.members * r.each // over all leavers: each moves what it had
		r.best = min(r.best, 1+float64(r.unneeded())/float64(needed))
	case k == r.members-1:
		if left == 0 {
			r.fill(i+1, 0, r.each)
		}
	default:
		for count := range min(left, r.open[k]) + 1 {
			r.counts[i][k], r.open[k] = count, r.open[k]-count
			r.fill(i, k+1, left-count)
			r.counts[i][k], r.open[k] = 0, r.open[k]+count
		}
	}
}

// TestNoRuleMovesLittleForAllNames is the small half of the proof in docs/decisions/0005-sticky.md: the other half says
// that among enough names every rule without memory has some for which it knows ranks alone.
func TestNoRuleMovesLittleForAllNames(t *testing.T) {
	for _, members := range []int{3, 4, 5} {
		each := members - 1 // so that members and members-1 both divide the partitions
		r := &ranked{members: members, each: each, best: math.Inf(1)}
		for range members {
			r.counts = append(r.counts, make([]int, members-1))
		}
		for range members - 1 {
			r.open = append(r.open, members)
		}
		r.fill(0, 0, each)
		proved := 1 + float64((members-1)*(members-1)/4)/float64(members)
		t.Logf("%d members: the best rule moves %.3f times the least possible, the proof says at least %.3f",
			members, r.best, proved)
		if r.best < proved || r.best <= 1.1 {
			t.Errorf("%d members: a rule moves only %.3f times the least possible", members, r.best)
		}
	}
}
