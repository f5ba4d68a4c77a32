// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func (r *rig) claiming() {
	r.t.Helper()
	r.registered()
	r.observe(r.view(1))
	claim := one[group.Claim](r)
	if want := layout.Claim("g", r.id, p(0)); len(claim.Txn) != len(want) || claim.Partition != p(0) {
		r.t.Fatalf("%+v", claim)
	}
}

func TestClaimThatIsHeldIsNeverGivenUp(t *testing.T) {
	r := newRig(t)
	r.claiming()
	for range 50 {
		r.step(group.Claimed{Epoch: 1, Partition: p(0), Holder: "other-0", Answer: refused(1)})
		one[group.Observe](r)
		v := r.view(1)
		v.Owners[p(0)] = layout.Ownership{Thread: "other-0", Session: somebody, Token: 3}
		r.observe(v)
		none[group.Claim](r)
		r.wantState(0, "Waiting")
		until[group.Claim](r, v)
	}
	r.step(group.Claimed{Epoch: 1, Partition: p(0), Holder: "other-0", Answer: refused(1)})
	r.observe(r.view(1))
	one[group.Claim](r) // it is free: no backoff
}

func TestClaimWithUnknownOutcome(t *testing.T) {
	r := newRig(t)
	r.claiming()
	r.step(group.Claimed{Epoch: 1, Partition: p(0), Answer: failed(group.Unavailable)})
	none[group.Claim](r)
	r.pass()
	one[group.Read](r)

	t.Run("it is ours", func(t *testing.T) {
		r.t = t
		r.step(r.ours(100, 5))
		if start := one[group.Start](r); start.Token != 7 || start.Position != 100 {
			t.Errorf("%+v", start)
		}
	})
}

func TestClaimWithUnknownOutcomeThatDidNotHappen(t *testing.T) {
	r := newRig(t)
	r.claiming()
	r.step(group.Claimed{Epoch: 1, Partition: p(0), Answer: failed(group.Unavailable)})
	r.pass()
	r.step(group.Reread{Epoch: 1, Partition: p(0)})
	one[group.Claim](r)
}

// The plan has changed, and nobody but us can release what we may have claimed.
func TestClaimWithUnknownOutcomeIsNotForgotten(t *testing.T) {
	r := newRig(t)
	r.claiming()
	r.step(group.Claimed{Epoch: 1, Partition: p(0), Answer: failed(group.Unavailable)})
	r.look(r.view(0))
	r.wantState(0, "Rereading")
	r.look(r.view(0))
	r.wantState(0, "Rereading") // that an observation does not see the claim proves nothing: it may yet happen
	r.pass()
	one[group.Read](r)
	r.step(r.ours(100, 5))
	none[group.Start](r)
	id := r.wantTxn(layout.ReleaseUnmoved("g", r.id, at(100, 5)))
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, 6, -1}})
	r.wantState(0, "")
}

// What stands at a position of an earlier topic are other messages: whoever delivers has to know.
func TestPositionOfAnEarlierTopicIsTold(t *testing.T) {
	r := newRig(t)
	r.claiming()
	r.step(group.Claimed{Epoch: 1, Partition: p(0), Token: 7, Placed: true, Offset: 100, Version: 5, Outlived: true})
	if start := one[group.Start](r); !start.Outlived || start.Position != 100 {
		t.Errorf("%+v", start)
	}

	t.Run("until somebody sets another", func(t *testing.T) {
		r.t = t
		id := r.commit(101, 5)
		r.step(group.Transacted{Epoch: 1, ID: id, Answer: refused(1)})
		one[group.Read](r)
		r.step(r.ours(40, 6))
		if start := one[group.Start](r); start.Outlived || start.Position != 40 {
			t.Errorf("%+v", start)
		}
	})
}

func TestClaimThatArrivesUnwantedIsReleased(t *testing.T) {
	r := newRig(t)
	r.claiming()
	r.look(r.view(0))
	r.claimed(0, 7, 100, 5)
	none[group.Start](r)
	r.wantTxn(layout.ReleaseUnmoved("g", r.id, at(100, 5)))
}

func TestClaimWithoutPositionThatArrivesUnwantedIsForgone(t *testing.T) {
	r := newRig(t)
	r.claiming()
	r.look(r.view(0))
	r.step(group.Claimed{Epoch: 1, Partition: p(0), Token: 7})
	id := r.wantTxn(layout.Forgo("g", r.id, p(0)))

	t.Run("whose outcome is unknown", func(t *testing.T) {
		r.t = t
		r.step(group.Transacted{Epoch: 1, ID: id, Answer: failed(group.Unavailable)})
		r.pass()
		one[group.Read](r)
		r.step(group.Reread{Epoch: 1, Partition: p(0), Session: somebody, Token: 9})
		none[group.Transact](r) // somebody has it by now: it must not be deleted
		r.wantState(0, "")
	})
}

func TestMalformedPosition(t *testing.T) {
	malformed := func(r *rig) group.Reread {
		found := r.ours(0, 0)
		found.Placed, found.Answer = false, failed(group.Malformed)
		return found
	}
	begin := func(t *testing.T) *rig {
		t.Helper()
		r := newRig(t)
		r.claiming()
		r.step(group.Claimed{Epoch: 1, Partition: p(0), Token: 7, Answer: failed(group.Malformed)})
		none[group.Start](r)
		if claims := r.member.Snapshot().Claims; claims[0].Trouble == nil {
			t.Error("nothing says why")
		}
		r.pass()
		one[group.Read](r)
		return r
	}
	t.Run("is read until somebody mends it", func(t *testing.T) {
		r := begin(t)
		for range 20 {
			r.step(malformed(r))
			until[group.Read](r, r.owned(r.view(1), p(0), 7))
		}
		r.step(r.ours(30, 9))
		if start := one[group.Start](r); start.Position != 30 || start.Token != 7 {
			t.Errorf("%+v", start)
		}
	})
	t.Run("is given up without touching it", func(t *testing.T) {
		r := begin(t)
		r.step(malformed(r))
		r.look(r.owned(r.view(0), p(0), 7))
		until[group.Transact](r, r.owned(r.view(0), p(0), 7))
		none[group.Read](r)
		id := r.wantTxn(layout.Forgo("g", r.id, p(0)))
		r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, -1}})
		r.wantState(0, "")
	})
	t.Run("of a running lane stops it", func(t *testing.T) {
		r := newRig(t)
		r.running()
		r.step(group.Transacted{Epoch: 1, ID: r.commit(110, 5), Answer: refused(1)})
		one[group.Stop](r)
		r.step(malformed(r))
		none[group.Start](r)
		r.wantState(0, "Rereading")
	})
}

// Our write was refused, what stands there could not be read, and the plan gives the partition to somebody else: who
// may have claimed it already. A claim must not be deleted by one who does not know that it is his.
func TestForgoNeverDeletesWhatMayBeSomebodyElses(t *testing.T) {
	r := newRig(t)
	r.running()
	r.step(group.Transacted{Epoch: 1, ID: r.commit(110, 5), Answer: refused(1)})
	one[group.Stop](r)
	one[group.Read](r)
	r.look(r.owned(r.view(0), p(0), 7))
	for range 10 {
		r.step(group.Reread{Epoch: 1, Partition: p(0), Answer: failed(group.Unavailable)})
		until[group.Read](r, r.owned(r.view(0), p(0), 7))
		none[group.Transact](r)
	}
	r.step(group.Reread{Epoch: 1, Partition: p(0), Session: somebody, Token: 9, Placed: true, Offset: 120, Version: 7})
	none[group.Transact](r)
	r.wantState(0, "")
}

func TestAudit(t *testing.T) {
	stolen := func(r *rig) layout.View {
		v := r.view(1)
		v.Owners[p(0)] = layout.Ownership{Thread: "other-0", Session: somebody, Token: 9}
		return v
	}
	for name, test := range map[string]struct {
		view  func(*rig) layout.View
		stops bool
	}{
		"ours":        {func(r *rig) layout.View { return r.owned(r.view(1), p(0), 7) }, false},
		"gone":        {func(r *rig) layout.View { return r.view(1) }, true},
		"another's":   {stolen, true},
		"nobody's as": {func(r *rig) layout.View { return r.view(1, "pod-1") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.running()
			r.look(test.view(r))
			if stopped := len(all[group.Stop](r)) == 1; stopped != test.stops {
				t.Errorf("the lane is stopped: %t, want %t", stopped, test.stops)
			}
		})
	}
}

func TestAuditDoesNotJudgeWhatMovedMeanwhile(t *testing.T) {
	r := newRig(t)
	r.registered()
	r.observe(r.view(1))
	r.step(group.Hint{Epoch: 1}) // an observation leaves before the claim stands
	r.claimed(0, 7, 100, 5)
	one[group.Start](r)
	r.observe(r.view(1))
	none[group.Stop](r)

	r.step(group.Hint{Epoch: 1})
	r.commit(110, 5) // under way: its answer will tell
	r.observe(r.view(1))
	none[group.Stop](r)
}

func TestHintDuringAnObservationLeadsToAnother(t *testing.T) {
	r := newRig(t)
	r.registered()
	r.step(group.Hint{Epoch: 1})
	none[group.Observe](r)
	r.observe(r.view(1))
	one[group.Observe](r)
	r.observe(r.view(1))
	none[group.Observe](r)
}

func TestStateIsReadAgainWithoutAnyHint(t *testing.T) {
	r := newRig(t)
	r.running()
	r.look(r.owned(r.view(1), p(0), 7))
	before := r.now
	until[group.Observe](r, r.view(1))
	if wait := r.now.Sub(before); wait > session/2 {
		t.Errorf("after %s, want at most %s", wait, session/2)
	}
}

func TestObservationThatFailsIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.registered()
	r.step(group.Observed{Epoch: 1, Answer: failed(group.Unavailable)})
	r.pass()
	one[group.Observe](r)
	v := r.view(1)
	v.Members = nil // it does not know us: others would compute something else
	r.observe(v)
	none[group.Claim](r)
	r.pass()
	one[group.Observe](r)
}

func TestTopicsOfOthersAreReadBeforePlanning(t *testing.T) {
	r := newRig(t)
	r.registered()
	v := r.view(1, "pod-1")
	v.Members[1].Topics = map[string]int{"orders": 1, "audit": 1}
	r.observe(v)
	none[group.Claim](r)
	if observe := one[group.Observe](r); len(observe.Topics) != 2 {
		t.Errorf("%+v", observe)
	}
	v.Partitions["audit"] = []kafka.Partition{{Topic: "audit", ID: "0"}}
	r.observe(v)
	if got := len(all[group.Claim](r)) + 1; got < 1 {
		t.Errorf("%d claims", got)
	}
	if !r.member.Snapshot().Observed {
		t.Error("no plan")
	}
}
