// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"slices"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// bills is partition 0 of another topic.
var bills = kafka.Partition{Topic: "bills", ID: "0"}

func dynamic(c *group.Config) { c.Topics = nil }

// subscribing is a view in which this member is registered for topics, and each of all topics has one partition.
func (r *rig) subscribing(topics ...string) layout.View {
	v := r.view(0)
	v.Members[0].Topics = map[string]int{}
	for _, topic := range topics {
		v.Members[0].Topics[topic] = 1
	}
	for _, topic := range []string{"orders", "bills"} {
		v.Partitions[topic] = []kafka.Partition{{Topic: topic, ID: "0"}}
	}
	return v
}

// renewal is what makes this member's registration one for topics.
func (r *rig) renewal(topics ...string) layout.Txn {
	return layout.Renew("g", r.id, layout.EncodeMember(topics, r.now.UnixMilli()))
}

// following is a member that was told of orders alone, and runs its partition as lane 1.
func following(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, dynamic)
	r.step(group.SetTopics{Topics: []string{"orders"}})
	r.running()
	return r
}

func TestMemberWaitsToBeToldItsTopics(t *testing.T) {
	r := newRig(t, dynamic)
	r.up()
	none[group.Register](r)
	if !r.member.Next().IsZero() {
		t.Error("it waits for a time, although only an event can help")
	}
	r.step(group.SetTopics{Topics: []string{"orders", "bills", "orders"}})
	register := one[group.Register](r)
	got, err := layout.DecodeMember("g", register.ID, register.Data)
	if err != nil || !slices.Equal(got.SubscribedTopics(), []string{"bills", "orders"}) {
		t.Errorf("registers %+v, %v", got, err)
	}
	r.step(group.SessionLost{Epoch: 1})
	r.up()
	one[group.Register](r) // what it was told outlives the session
}

func TestNoTopicsAreTopicsToo(t *testing.T) {
	r := newRig(t, dynamic)
	r.step(group.SetTopics{})
	r.registered()
	r.observe(r.subscribing())
	none[group.Claim](r)
	if s := r.member.Snapshot(); !s.Observed || len(s.Topics) > 0 || len(s.Missing) > 0 {
		t.Errorf("%+v", s)
	}
}

func TestTopicThatAppears(t *testing.T) {
	r := following(t)
	r.step(group.SetTopics{Topics: []string{"bills", "orders"}})
	id := r.wantTxn(r.renewal("bills", "orders"))
	if got := one[group.Observe](r).Topics; !slices.Equal(got, []string{"bills", "orders"}) {
		t.Errorf("reads %v", got)
	}
	// Read before the renewal took effect: nothing changes for the plan.
	r.observe(r.owned(r.subscribing("orders"), p(0), 7))
	none[group.Claim](r)
	none[group.Transact](r)

	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, -1, 0}})
	one[group.Observe](r)
	r.observe(r.owned(r.subscribing("bills", "orders"), p(0), 7))
	if claim := one[group.Claim](r); claim.Partition != bills {
		t.Errorf("%+v", claim)
	}
	none[group.Drain](r)
	r.step(group.Claimed{Epoch: 1, Partition: bills, Token: 9})
	if resolve := one[group.Resolve](r); !resolve.Place.IsEarliest() {
		t.Errorf("%+v: a new partition begins at its earliest message", resolve)
	}
	r.wantState(0, "Running")
	if s := r.member.Snapshot(); !slices.Equal(s.Topics, []string{"bills", "orders"}) {
		t.Errorf("consumes %v", s.Topics)
	}
}

func TestTopicThatGoes(t *testing.T) {
	r := following(t)
	r.step(group.SetTopics{Topics: []string{"bills"}})
	none[group.Drain](r) // others do not know yet: nobody would take it
	id := r.wantTxn(r.renewal("bills"))
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, -1, 0}})
	r.look(r.owned(r.subscribing("bills"), p(0), 7))
	r.observe(r.owned(r.subscribing("bills"), p(0), 7)) // now of bills alone
	one[group.Drain](r)
	r.step(group.Drained{Progress: group.Progress{Lane: 1, Position: 120}})
	r.wantTxn(layout.Release("g", r.id, at(120, 5)))
}

func TestTheSameTopicsChangeNothing(t *testing.T) {
	r := following(t)
	r.step(group.SetTopics{Topics: []string{"orders", "orders"}})
	if len(r.out) > 0 {
		t.Errorf("leads to %s", r.list())
	}
}

func TestRenewalOfUnknownOutcome(t *testing.T) {
	r := following(t)
	r.step(group.SetTopics{Topics: []string{"bills"}})
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: failed(group.Unavailable)})
	r.step(group.SetTopics{Topics: []string{"bills", "orders"}})
	until[group.Transact](r, r.owned(r.subscribing("orders"), p(0), 7))
	r.wantTxn(r.renewal("bills", "orders"))
}

func TestRenewalThatHappenedAlthoughNobodySaidSo(t *testing.T) {
	r := following(t)
	r.step(group.SetTopics{Topics: []string{"bills"}})
	id := one[group.Transact](r).ID
	r.observe(r.owned(r.subscribing("orders"), p(0), 7))
	r.step(group.Transacted{Epoch: 1, ID: id, Answer: failed(group.Unavailable)})
	r.look(r.owned(r.subscribing("bills"), p(0), 7))
	r.observe(r.owned(r.subscribing("bills"), p(0), 7)) // now of bills alone
	one[group.Drain](r)
	r.wait(drain)
	none[group.Transact](r) // what was read says that all is as it should be
}

func TestRegistrationThatSomebodyElseWrote(t *testing.T) {
	r := following(t)
	r.look(r.owned(r.subscribing("bills", "orders"), p(0), 7))
	r.wantTxn(r.renewal("orders"))
}

func TestRenewalIsRefusedOnceTheRegistrationIsGone(t *testing.T) {
	r := following(t)
	r.step(group.SetTopics{Topics: []string{"bills"}})
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: failed(group.Gone)})
	one[group.Stop](r)
	one[group.Abandon](r)
}

func TestRegistrationSaysTheSameEachTime(t *testing.T) {
	r := newRig(t, dynamic)
	r.step(group.SetTopics{Topics: []string{"orders"}})
	r.up()
	first := one[group.Register](r)
	r.step(group.Registered{Epoch: 1, Answer: failed(group.Unavailable)}) // it may have happened
	r.step(group.SetTopics{Topics: []string{"bills"}})
	r.pass()
	second := one[group.Register](r)
	got, _ := layout.DecodeMember("g", second.ID, second.Data)
	if second.ID != first.ID || !slices.Equal(got.SubscribedTopics(), []string{"orders"}) {
		t.Errorf("then registers %s for %v", second.ID, got.SubscribedTopics())
	}
	r.step(group.Registered{Epoch: 1})
	r.wantTxn(r.renewal("bills"))
}

func TestMemberThatLeavesTakesUpNothing(t *testing.T) {
	r := following(t)
	r.step(group.Leave{})
	id := r.wantTxn(layout.Retire("g", r.id, r.now.UnixMilli()))
	r.step(group.SetTopics{Topics: []string{"bills", "orders"}})
	none[group.Transact](r)
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, -1, 0}})
	none[group.Transact](r)
}

func TestMemberThatLeavesWaitsForItsRenewal(t *testing.T) {
	r := following(t)
	r.step(group.SetTopics{Topics: []string{"bills", "orders"}})
	id := r.wantTxn(r.renewal("bills", "orders"))
	r.step(group.Leave{})
	none[group.Transact](r) // or the later of the two might be carried out first
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, -1, 0}})
	r.wantTxn(layout.Retire("g", r.id, r.now.UnixMilli()))
}

func TestGroupBeginsForAllTopicsThatMatch(t *testing.T) {
	begins := func(t *testing.T) *rig {
		t.Helper()
		r := newRig(t, dynamic)
		r.step(group.SetTopics{Topics: []string{"orders"}})
		r.registered()
		v := r.subscribing("orders")
		v.Begun = false
		r.observe(v)
		return r
	}
	settles := func(t *testing.T, r *rig) {
		t.Helper()
		id := r.wantTxn(r.renewal("bills", "orders"))
		r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, -1, 0}})
	}
	places := func(t *testing.T, r *rig) {
		t.Helper()
		v := r.subscribing("bills", "orders")
		v.Begun = false
		r.observe(v)
		if len(all[group.Resolve](r)) == 0 {
			r.observe(v) // the first was asked for before the renewal
		}
		if len(all[group.Resolve](r)) == 0 {
			until[group.Resolve](r, v) // it waits after a failure
		}
		resolve := one[group.Resolve](r)
		if !slices.Equal(resolve.Partitions, []kafka.Partition{bills, p(0)}) {
			t.Fatalf("%+v", resolve)
		}
		r.step(group.Resolved{Place: kafka.Latest(), Positions: map[kafka.Partition]int64{bills: 3, p(0): 5}})
		r.wantTxn(layout.Begin("g", r.id, []layout.Position{{Partition: bills, Offset: 3}, at(5, 0)}))
	}
	t.Run("also where one appears while positions are asked for", func(t *testing.T) {
		r := begins(t)
		one[group.Resolve](r)
		r.step(group.SetTopics{Topics: []string{"bills", "orders"}})
		settles(t, r)
		r.step(group.Resolved{Place: kafka.Latest(), Positions: map[kafka.Partition]int64{p(0): 5}})
		none[group.Transact](r)
		places(t, r)
	})
	t.Run("or between that and their being written", func(t *testing.T) {
		r := begins(t)
		r.step(group.Resolved{Place: kafka.Latest(), Positions: map[kafka.Partition]int64{p(0): 5}})
		id := one[group.Transact](r).ID
		r.step(group.SetTopics{Topics: []string{"bills", "orders"}})
		settles(t, r)
		r.step(group.Transacted{Epoch: 1, ID: id, Answer: failed(group.Unavailable)})
		places(t, r)
	})
}

func TestTopicThatGoesWhileItsNodeIsUnclear(t *testing.T) {
	r := following(t)
	unclear := func(topics ...string) layout.View {
		v := r.owned(r.subscribing(topics...), p(0), 7)
		delete(v.Partitions, "orders")
		v.Problems = []layout.Problem{{Path: layout.Topic("orders"), Reason: "nonsense"}}
		return v
	}
	r.look(unclear("orders"))
	none[group.Drain](r)
	r.step(group.SetTopics{Topics: []string{"bills"}})
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Versions: []int32{-1, -1, 0}})
	r.look(unclear("bills"))
	r.observe(unclear("bills"))
	one[group.Drain](r)
}

// Another member begins the group while this one still learns of its topics: it must not ask for ticks to claim what it
// has no plan for yet. (The rig checks that.)
func TestGroupBegunByAnotherWhileTopicsChange(t *testing.T) {
	r := newRig(t, dynamic)
	r.step(group.SetTopics{Topics: []string{"orders"}})
	r.registered()
	v := r.subscribing("orders")
	v.Begun = false
	r.observe(v)
	r.step(group.SetTopics{Topics: []string{"bills", "orders"}})
	v.Begun = true
	v.Members = append(v.Members, layout.Registration{
		ID: layout.MemberID("g", layout.Sticky, "pod-1", 1, 1), Pod: "pod-1", Born: 1, Strategy: layout.Sticky,
		Topics: map[string]int{"others": 1},
	})
	r.observe(v)
	none[group.Claim](r)
	one[group.Observe](r)
}
