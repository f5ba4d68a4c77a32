// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// In Kafka 0.7 a partition is its broker's: while the broker is away, there is no such partition.

// of is a partition of Kafka 0.7.
func of(id string) kafka.Partition { return kafka.Partition{Topic: "orders", ID: id} }

// upIn07 brings the member as far as a lease in a registry of Kafka 0.7.
func (r *rig) upIn07() {
	r.t.Helper()
	r.epoch++
	r.step(group.SessionUp{Epoch: r.epoch, ID: mySelf, Timeout: session, Dialect: layout.Kafka07})
	r.step(group.Registered{Epoch: r.epoch})
	r.step(group.Probed{Epoch: r.epoch, Sent: r.now})
}

// having is the view of a member that is alone, with these partitions and its claims.
func (r *rig) having(ids ...string) layout.View {
	v := r.view(0)
	v.Partitions["orders"] = []kafka.Partition{}
	for _, id := range ids {
		v.Partitions["orders"] = append(v.Partitions["orders"], of(id))
	}
	for _, claim := range r.member.Snapshot().Claims {
		if claim.Token != 0 {
			r.owned(v, claim.Partition, claim.Token)
		}
	}
	return v
}

func (r *rig) got(id string, token, offset int64, version int32) {
	r.t.Helper()
	r.step(group.Claimed{
		Epoch: r.epoch, Partition: of(id), Token: token, Placed: true, Offset: offset, Version: version,
	})
}

// has brings the member as far as two lanes: of 0-0 at position 100, and of 1-0 at position 200.
func (r *rig) has() {
	r.t.Helper()
	r.upIn07()
	r.observe(r.having("0-0", "1-0"))
	r.got("0-0", 7, 100, 5)
	r.got("1-0", 8, 200, 6)
	if start := one[group.Start](r); start != (group.Start{Lane: 2, Partition: of("1-0"), Position: 200, Token: 8}) {
		r.t.Fatalf("%+v", start)
	}
}

func (r *rig) states() map[string]group.State {
	states := map[string]group.State{}
	for _, claim := range r.member.Snapshot().Claims {
		states[claim.Partition.ID] = claim.State
	}
	return states
}

func (r *rig) wantStates(want map[string]group.State) {
	r.t.Helper()
	if got := r.states(); !reflect.DeepEqual(got, want) {
		r.t.Errorf("%v, want %v", got, want)
	}
}

func TestBrokerThatLeavesAndReturns(t *testing.T) {
	r := newRig(t)
	r.has()
	r.look(r.having("0-0"))
	if drain := one[group.Drain](r); drain.Lane != 2 {
		t.Errorf("%+v", drain)
	}
	none[group.Stop](r)
	r.step(group.Drained{Progress: group.Progress{Lane: 2, Position: 230}})
	last := layout.Position{Partition: of("1-0"), Offset: 230, Version: 6}
	id := r.wantTxn(layout.Release("g", r.id, last))
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, 7, -1}})
	r.wantStates(map[string]group.State{"0-0": group.Running})

	r.look(r.having("0-0", "1-0"))
	if claim := one[group.Claim](r); claim.Partition != of("1-0") {
		t.Errorf("%+v", claim)
	}
	r.got("1-0", 9, 230, 7)
	if start := one[group.Start](r); start != (group.Start{Lane: 3, Partition: of("1-0"), Position: 230, Token: 9}) {
		t.Errorf("%+v, want it to go on at the committed position", start)
	}
	none[group.Resolve](r)
	if n := r.member.Snapshot().Rebalances; n != 2 {
		t.Errorf("%d rebalances, want one for each of leaving and returning", n)
	}
}

func TestBrokerThatReturnsBeforeItsPartitionIsReleased(t *testing.T) {
	r := newRig(t)
	r.has()
	r.look(r.having("0-0"))
	one[group.Drain](r)
	r.look(r.having("0-0", "1-0"))
	r.step(group.Drained{Progress: group.Progress{Lane: 2, Position: 230}})
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Versions: []int32{-1, 7, -1}})
	if claim := one[group.Claim](r); claim.Partition != of("1-0") {
		t.Errorf("%+v", claim)
	}
	r.got("1-0", 9, 230, 7)
	if start := one[group.Start](r); start.Position != 230 {
		t.Errorf("%+v", start)
	}
}

func TestDrainOfAPartitionWhoseBrokerIsGoneEnds(t *testing.T) {
	r := newRig(t)
	r.has()
	v := r.having("0-0")
	r.look(v)
	one[group.Drain](r)
	begun := r.now
	until[group.Cut](r, v)
	if took := r.now.Sub(begun); took != drain {
		t.Errorf("cut after %s, want %s", took, drain)
	}
	r.step(group.Drained{Progress: group.Progress{Lane: 2, Position: 200}}) // nothing was acknowledged
	r.wantTxn(layout.ReleaseUnmoved("g", r.id, layout.Position{Partition: of("1-0"), Offset: 200, Version: 6}))
}

func TestAllBrokersLeave(t *testing.T) {
	r := newRig(t)
	r.has()
	r.look(r.having())
	if drains := all[group.Drain](r); len(drains) != 2 {
		t.Errorf("%+v", drains)
	}
	if missing := r.member.Snapshot().Missing; missing != nil {
		t.Errorf("missing %v: a topic that no broker has exists all the same", missing)
	}
}

// A partition that is new to the group asks its broker where it begins: one that leaves without an answer must not keep
// the claim, nor hold up the others.
func TestBrokerThatLeavesBeforeItsPartitionHasAPosition(t *testing.T) {
	r := newRig(t)
	r.upIn07()
	r.observe(r.having("0-0", "1-0"))
	r.step(group.Claimed{Epoch: 1, Partition: of("0-0"), Token: 7})
	r.step(group.Claimed{Epoch: 1, Partition: of("1-0"), Token: 8})
	r.wantStates(map[string]group.State{"0-0": group.Placing, "1-0": group.Placing})
	r.look(r.having("0-0"))
	r.step(group.Resolved{
		Place: kafka.Earliest(), Positions: map[kafka.Partition]int64{of("0-0"): 0}, Answer: failed(group.Unavailable),
	})
	txns := all[group.Transact](r)
	want := []layout.Txn{
		layout.Place("g", r.id, layout.Position{Partition: of("0-0")}), layout.Forgo("g", r.id, of("1-0")),
	}
	if len(txns) != 2 || !reflect.DeepEqual([]layout.Txn{txns[0].Txn, txns[1].Txn}, want) {
		t.Fatalf("%+v, want %+v", txns, want)
	}
	r.step(group.Transacted{Epoch: 1, ID: txns[0].ID, Versions: []int32{-1, 0}})
	r.step(group.Transacted{Epoch: 1, ID: txns[1].ID, Versions: []int32{-1, -1}})
	r.wantStates(map[string]group.State{"0-0": group.Running})
}

// A claim that another member holds is not waited for when its partition is gone.
func TestBrokerThatLeavesWhileItsPartitionIsWaitedFor(t *testing.T) {
	r := newRig(t)
	r.upIn07()
	r.observe(r.having("0-0"))
	r.step(group.Claimed{Epoch: 1, Partition: of("0-0"), Holder: "g_host-1-0", Answer: failed(group.Conflict)})
	r.wantStates(map[string]group.State{"0-0": group.Waiting})
	r.observe(r.having())
	r.wantStates(map[string]group.State{})
	r.wait(time.Minute)
	none[group.Claim](r)
}

func TestBrokerWhoseCountIsUnclearKeepsItsPartitions(t *testing.T) {
	r := newRig(t)
	r.has()
	v := r.having("0-0")
	v.Problems = []layout.Problem{{Path: layout.TopicBroker("orders", "1"), Reason: "nonsense"}}
	r.look(v)
	none[group.Drain](r)
	v.Problems = []layout.Problem{{Path: layout.TopicBroker("orders", "11"), Reason: "nonsense"}}
	r.look(v)
	one[group.Drain](r)
}

func TestRegistrationInTheDialectOfTheRegistry(t *testing.T) {
	r := newRig(t, func(c *group.Config) { c.Topics = []string{"orders", "audit"} })
	r.epoch++
	r.step(group.SessionUp{Epoch: 1, ID: mySelf, Timeout: session, Dialect: layout.Kafka07})
	if data := string(one[group.Register](r).Data); data != `{ "audit": 1,"orders": 1 }` {
		t.Errorf("registered as %s", data)
	}
	r.step(group.Registered{Epoch: 1})
	r.step(group.Probed{Epoch: 1, Sent: r.now})
	v := r.having("0-0")
	v.Members[0].Topics = map[string]int{"orders": 1, "audit": 1}
	r.observe(v)
	r.got("0-0", 7, 100, 5)
	r.step(group.Leave{})
	r.wantTxn(layout.Renew("g", r.id, []byte(`{  }`)))
}
