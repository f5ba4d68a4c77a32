// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

func TestLeaving(t *testing.T) {
	r := newRig(t)
	r.running()
	r.step(group.Leave{})
	one[group.Drain](r)
	id := r.wantTxn(layout.Retire("g", r.id, r.now.UnixMilli()))
	none[group.Unregister](r)
	r.step(group.Leave{})
	if len(r.out) > 0 {
		t.Errorf("leaving twice leads to %s", r.list())
	}
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, -1, 0}})
	r.step(group.Drained{Progress: group.Progress{Lane: 1, Position: 115}})
	id = r.wantTxn(layout.Release("g", r.id, at(115, 5)))
	r.step(group.Hint{Epoch: 1})
	none[group.Observe](r)
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, 6, -1}})
	one[group.Unregister](r)
	r.step(group.Unregistered{Epoch: 1, Answer: failed(group.Unavailable)})
	none[group.Left](r)
	r.pass()
	one[group.Unregister](r)
	r.step(group.Unregistered{Epoch: 1})
	one[group.Left](r)
	r.step(group.Tick{})
	if len(r.out) > 0 || !r.member.Next().IsZero() {
		t.Error("a member that left goes on")
	}
}

func TestRetiringIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.running()
	r.step(group.Leave{})
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: failed(group.Unavailable)})
	r.pass()
	// Servers without transactions refuse to make again what is there: it is written over instead.
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: refused(2)})
	id := r.wantTxn(layout.RenewInPlace("g", r.id, layout.EncodeLeaving(r.now.UnixMilli())))
	r.step(group.Transacted{Epoch: 1, ID: id})
	r.wait(time.Second)
	none[group.Transact](r)
}

func TestMemberThatLeavesGetsNothing(t *testing.T) {
	r := newRig(t)
	r.registered()
	v := r.view(4, "pod-1")
	v.Members[1].Topics = map[string]int{}
	r.observe(v)
	if claims := all[group.Claim](r); len(claims) != 4 {
		t.Errorf("%d claims, want all 4", len(claims))
	}
}

func TestLeavingWithForeignMembersChangesTheListOnce(t *testing.T) {
	r := newRig(t)
	r.running()
	v := r.owned(r.view(0), p(0), 7)
	v.Partitions["orders"] = r.view(1).Partitions["orders"]
	v.Members = append(v.Members, layout.Registration{
		ID: "zz_host-1", Pod: "zz_host-1", Strategy: layout.Range, Foreign: true, Topics: map[string]int{"orders": 1},
	})
	r.look(v)
	r.wantState(0, "Running") // Range gives the only partition to the first
	r.step(group.Leave{})
	one[group.Drain](r)
	none[group.Transact](r)
}

func TestLeavingWithoutASession(t *testing.T) {
	r := newRig(t)
	r.step(group.Leave{})
	one[group.Left](r)
}

func TestLeavingBeforeRegistration(t *testing.T) {
	r := newRig(t)
	r.up()
	r.step(group.Leave{})
	none[group.Left](r) // the registration is under way
	r.step(group.Registered{Epoch: 1})
	one[group.Unregister](r)
}

func TestLeavingWithTheSessionLost(t *testing.T) {
	r := newRig(t)
	r.running()
	r.step(group.Leave{})
	r.step(group.SessionLost{Epoch: 1})
	one[group.Stop](r)
	one[group.Left](r)
}

func TestLeavingTakesNoLongerThanItMay(t *testing.T) {
	r := newRig(t)
	r.running()
	r.step(group.Leave{})
	begun := r.now
	for len(all[group.Left](r)) == 0 {
		r.pass()
	}
	one[group.Stop](r)
	if took := r.now.Sub(begun); took < drain || took > drain+10*time.Second {
		t.Errorf("it took %s, want little more than the drain of %s", took, drain)
	}
}

func TestForeignMembersMakeItRange(t *testing.T) {
	r := newRig(t)
	r.registered()
	v := r.view(2)
	v.Members = append(v.Members, layout.Registration{
		ID: "zz_host-1", Pod: "zz_host-1", Strategy: layout.Range, Foreign: true, Topics: map[string]int{"orders": 1},
	})
	r.observe(v)
	claim := one[group.Claim](r)
	if claim.Partition != p(0) {
		t.Errorf("%+v, want partition 0: ours is the first id", claim)
	}
	s := r.member.Snapshot()
	if s.Strategy != layout.Range || s.Why == "" {
		t.Errorf("strategy %c, because %q", s.Strategy, s.Why)
	}
}

func TestOneMemberThatAsksForRangeMakesItRange(t *testing.T) {
	r := newRig(t)
	r.registered()
	v := r.view(2, "pod-1")
	v.Members[1].Strategy = layout.Range
	r.observe(v)
	if s := r.member.Snapshot(); s.Strategy != layout.Range || s.Why == "" {
		t.Errorf("strategy %c, because %q", s.Strategy, s.Why)
	}
	r = newRig(t, func(c *group.Config) { c.Strategy = layout.Range })
	r.registered()
	v = r.view(2)
	v.Members[0].Strategy = layout.Range
	r.observe(v)
	if s := r.member.Snapshot(); s.Strategy != layout.Range || s.Why != "" {
		t.Errorf("strategy %c, because %q: it is what was asked for", s.Strategy, s.Why)
	}
}

func TestSnapshot(t *testing.T) {
	r := newRig(t)
	if s := r.member.Snapshot(); s.Epoch != 0 || s.Registered {
		t.Errorf("%+v", s)
	}
	r.running()
	s := r.member.Snapshot()
	if s.Member != r.id || !s.Registered || s.Epoch != 1 || !s.LeaseHolds || !s.Observed || !s.Begun || s.Target != 1 {
		t.Errorf("%+v", s)
	}
	if len(s.Claims) != 1 || s.Claims[0].Committed != 100 || s.Claims[0].Lane != 1 || s.Claims[0].Token != 7 {
		t.Errorf("%+v", s.Claims)
	}
	r.look(r.owned(r.view(0), p(0), 7))
	if s := r.member.Snapshot(); s.Rebalances != 1 {
		t.Errorf("%d rebalances, want 1", s.Rebalances)
	}
}
