// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// unborn brings the member as far as a group that has not begun, with so many partitions.
func (r *rig) unborn(partitions int) {
	r.t.Helper()
	r.registered()
	v := r.view(partitions)
	v.Begun = false
	r.observe(v)
	none[group.Claim](r)
}

func (r *rig) resolve(positions ...int64) {
	r.t.Helper()
	resolved := group.Resolved{Place: kafka.Latest(), Positions: map[kafka.Partition]int64{}}
	for n, position := range positions {
		resolved.Positions[p(n)] = position
	}
	r.step(resolved)
}

func placed(positions ...int64) []layout.Position {
	list := make([]layout.Position, len(positions))
	for n, position := range positions {
		list[n] = layout.Position{Partition: p(n), Offset: position}
	}
	return list
}

func TestGroupIsBornInOneTransaction(t *testing.T) {
	r := newRig(t)
	r.unborn(2)
	if resolve := one[group.Resolve](r); !resolve.Place.IsLatest() || len(resolve.Partitions) != 2 {
		t.Errorf("%+v", resolve)
	}
	r.resolve(10, 20)
	id := r.wantTxn(layout.Begin("g", r.id, placed(10, 20)))
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, 0, 0, 0}})
	if claims := all[group.Claim](r); len(claims) != 2 {
		t.Errorf("%d claims, want 2", len(claims))
	}
}

func TestPositionsFromBeforeTheBirthStay(t *testing.T) {
	r := newRig(t)
	r.unborn(3)
	r.resolve(10, 20, 30)
	id := r.wantTxn(layout.Begin("g", r.id, placed(10, 20, 30)))
	r.step(group.Transacted{Epoch: 1, ID: id, Answer: refused(2)})
	one[group.Observe](r)
	rest := []layout.Position{{Partition: p(0), Offset: 10}, {Partition: p(2), Offset: 30}}
	id = r.wantTxn(layout.Begin("g", r.id, rest))
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, 0, 0, 0}})
	if claims := all[group.Claim](r); len(claims) != 3 {
		t.Errorf("%d claims, want 3", len(claims))
	}
}

// The other's birth knew of two partitions, ours of three: where the third begins is decided already (at the earliest),
// and nothing of ours may be placed.
func TestBirthLostToAnother(t *testing.T) {
	r := newRig(t)
	r.unborn(3)
	r.resolve(10, 20, 30)
	marker := 4
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: refused(marker)})
	one[group.Observe](r)
	none[group.Transact](r)
	r.observe(r.view(3))
	none[group.Transact](r)
	if claims := all[group.Claim](r); len(claims) != 3 {
		t.Errorf("%d claims, want 3", len(claims))
	}
}

func TestBirthWithUnknownOutcomeIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.unborn(1)
	r.resolve(10)
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: failed(group.Unavailable)})
	r.pass()
	r.wantTxn(layout.Begin("g", r.id, placed(10)))
}

func TestBirthWithoutTopics(t *testing.T) {
	r := newRig(t)
	r.unborn(0)
	none[group.Resolve](r)
	r.wantTxn(layout.Begin("g", r.id, placed()))
}

func TestTopicThatDoesNotExistIsMissing(t *testing.T) {
	r := newRig(t)
	r.registered()
	r.observe(r.view(0))
	if missing := r.member.Snapshot().Missing; len(missing) != 1 || missing[0] != "orders" {
		t.Errorf("missing %v, want orders", missing)
	}
}

func TestBirthWaitsForAllPositions(t *testing.T) {
	r := newRig(t)
	r.unborn(2)
	r.resolve(10)
	none[group.Transact](r)
	r.pass()
	one[group.Resolve](r)
	r.step(group.Resolved{Place: kafka.Earliest(), Positions: map[kafka.Partition]int64{p(0): 1, p(1): 2}})
	none[group.Transact](r) // the earliest positions answer another question
	r.resolve(10, 20)
	r.wantTxn(layout.Begin("g", r.id, placed(10, 20)))
}

func TestPartitionThatIsNewBeginsAtTheEarliest(t *testing.T) {
	r := newRig(t)
	r.registered()
	r.observe(r.view(1))
	r.step(group.Claimed{Epoch: 1, Partition: p(0), Token: 7})
	none[group.Start](r)
	if resolve := one[group.Resolve](r); !resolve.Place.IsEarliest() || len(resolve.Partitions) != 1 {
		t.Errorf("%+v", resolve)
	}
	r.wantState(0, "Placing")
	r.resolve(55) // the latest position, asked for by an earlier session, is not where it begins
	none[group.Transact](r)
	r.step(group.Resolved{Place: kafka.Earliest(), Answer: failed(group.Unavailable)})
	r.pass()
	one[group.Resolve](r)
	r.step(group.Resolved{Place: kafka.Earliest(), Positions: map[kafka.Partition]int64{p(0): 3}})
	id := r.wantTxn(layout.Place("g", r.id, layout.Position{Partition: p(0), Offset: 3}))
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, 0}})
	if start := one[group.Start](r); start.Position != 3 {
		t.Errorf("%+v", start)
	}
	r.wantTxnAfterCommit(9, 0)
}

func (r *rig) wantTxnAfterCommit(offset int64, version int32) {
	r.t.Helper()
	r.commit(offset, version)
}

func TestPlacementThatIsRefusedIsReadAgain(t *testing.T) {
	for name, answer := range map[string]group.Answer{"conflict": refused(1), "unknown": failed(group.Unavailable)} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.registered()
			r.observe(r.view(1))
			r.step(group.Claimed{Epoch: 1, Partition: p(0), Token: 7})
			r.step(group.Resolved{Place: kafka.Earliest(), Positions: map[kafka.Partition]int64{p(0): 3}})
			r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: answer})
			if answer.Outcome == group.Unavailable { // it is a creation: tried again, it is refused if it has happened
				r.pass()
				r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: refused(1)})
			}
			one[group.Read](r)
			r.step(r.ours(44, 2))
			if start := one[group.Start](r); start.Position != 44 {
				t.Errorf("%+v", start)
			}
		})
	}
}
