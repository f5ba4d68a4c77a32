// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	session  = 6 * time.Second
	mySelf   = int64(0x77)
	somebody = int64(0x99)
	interval = time.Second
	drain    = 10 * time.Second
)

var errTest = errors.New("because the test says so")

// p is partition n of the topic that all tests use.
func p(n int) kafka.Partition { return kafka.Partition{Topic: "orders", ID: fmt.Sprint(n)} }

// rig steps one member by hand.
type rig struct {
	t      *testing.T
	member *group.Member
	now    time.Time
	// out is what the last step asked for.
	out []group.Command
	// id is the member's id, once it has asked for one.
	id string
	// random is what the member gets for a random number.
	random float64
	epoch  uint64
}

func newRig(t *testing.T, change ...func(*group.Config)) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Unix(1_700_000_000, 0)}
	config := group.Config{
		Group: "g", Pod: "pod-0", Topics: []string{"orders"}, Strategy: layout.Sticky, Start: kafka.Latest(),
		CommitInterval: interval, DrainTimeout: drain, Rand: func() float64 { return r.random },
	}
	for _, c := range change {
		c(&config)
	}
	r.member = group.New(config)
	return r
}

// step gives the member an event and checks that it does not ask for a tick that is due already.
func (r *rig) step(event group.Event) {
	r.t.Helper()
	r.out = append([]group.Command(nil), r.member.Step(r.now, event)...)
	if next := r.member.Next(); !next.IsZero() && !next.After(r.now) {
		r.t.Errorf("after %T the member wants a tick at %s, which is not after %s", event, next, r.now)
	}
	for _, command := range r.out {
		if register, ok := command.(group.Register); ok {
			r.id = register.ID
		}
	}
}

// pass lets time go on to the member's next tick.
func (r *rig) pass() {
	r.t.Helper()
	next := r.member.Next()
	if next.IsZero() {
		r.t.Fatal("the member waits for nothing")
	}
	r.now = next
	r.step(group.Tick{})
}

// wait lets a time pass, with all the ticks in it, and collects what they ask for.
func (r *rig) wait(d time.Duration) {
	r.t.Helper()
	end := r.now.Add(d)
	var out []group.Command
	for next := r.member.Next(); !next.IsZero() && !next.After(end); next = r.member.Next() {
		r.pass()
		out = append(out, r.out...)
	}
	r.now, r.out = end, out
}

// until lets time pass until the member asks for something of a type. Meanwhile probes are answered, and observations
// see a view. Then the last step's commands are what they were.
func until[C group.Command](r *rig, v layout.View) {
	r.t.Helper()
	for range 1000 {
		r.pass()
		if len(all[C](r)) > 0 {
			return
		}
		out := r.out
		for _, command := range out {
			switch command.(type) {
			case group.Probe:
				r.step(group.Probed{Epoch: r.epoch, Sent: r.now})
			case group.Observe:
				r.observe(v)
			case group.Collect:
				r.step(group.Collected{})
			}
			if len(all[C](r)) > 0 {
				return
			}
		}
	}
	var none C
	r.t.Fatalf("the member never asks for %T", none)
}

// all gives the commands of a type that the last step asked for.
func all[C group.Command](r *rig) []C {
	var found []C
	for _, command := range r.out {
		if c, ok := command.(C); ok {
			found = append(found, c)
		}
	}
	return found
}

// one gives the only command of a type that the last step asked for.
func one[C group.Command](r *rig) C {
	r.t.Helper()
	found := all[C](r)
	if len(found) != 1 {
		var none C
		r.t.Fatalf("%d commands %T, want one, in %s", len(found), none, r.list())
	}
	return found[0]
}

// none checks that the last step asked for nothing of a type.
func none[C group.Command](r *rig) {
	r.t.Helper()
	if found := all[C](r); len(found) > 0 {
		r.t.Errorf("unexpected %+v", found)
	}
}

func (r *rig) list() string {
	list := ""
	for _, command := range r.out {
		list += fmt.Sprintf("\n\t%T%+v", command, command)
	}
	return list
}

// wantTxn checks what the one transaction of the last step is, and gives its number.
func (r *rig) wantTxn(want layout.Txn) uint64 {
	r.t.Helper()
	transact := one[group.Transact](r)
	if !reflect.DeepEqual(transact.Txn, want) {
		r.t.Errorf("transaction %+v, want %+v", transact.Txn, want)
	}
	return transact.ID
}

func (r *rig) up() {
	r.t.Helper()
	r.epoch++
	r.step(group.SessionUp{Epoch: r.epoch, ID: mySelf, Timeout: session})
}

func failed(outcome group.Outcome) group.Answer { return group.Answer{Outcome: outcome, Err: errTest} }

func refused(index int) group.Answer {
	return group.Answer{Outcome: group.Conflict, Index: index, Err: errTest}
}

// registered brings the member as far as a session, a registration and a lease.
func (r *rig) registered() {
	r.t.Helper()
	r.up()
	r.step(group.Registered{Epoch: r.epoch})
	r.step(group.Probed{Epoch: r.epoch, Sent: r.now})
}

// view has the member itself, other pods, and so many partitions.
func (r *rig) view(partitions int, others ...string) layout.View {
	v := layout.View{
		Begun: true, Partitions: map[string][]kafka.Partition{}, Owners: map[kafka.Partition]layout.Ownership{},
	}
	topics := map[string]int{"orders": 1}
	me, _ := layout.ParseMemberID("g", r.id)
	me.Topics = topics
	v.Members = append(v.Members, me)
	for _, pod := range others {
		v.Members = append(v.Members, layout.Registration{
			ID: layout.MemberID("g", layout.Sticky, pod, 1, 1), Pod: pod, Born: 1, Strategy: layout.Sticky, Topics: topics,
		})
	}
	for n := range partitions {
		v.Partitions["orders"] = append(v.Partitions["orders"], p(n))
	}
	return v
}

// owned adds to a view that this member owns a partition.
func (r *rig) owned(v layout.View, partition kafka.Partition, token int64) layout.View {
	v.Owners[partition] = layout.Ownership{Thread: layout.Thread(r.id), Session: mySelf, Token: token}
	return v
}

func (r *rig) observe(v layout.View) {
	r.t.Helper()
	r.step(group.Observed{Epoch: r.epoch, View: v})
}

// look has the member observe what it asked for again.
func (r *rig) look(v layout.View) {
	r.t.Helper()
	r.step(group.Hint{Epoch: r.epoch})
	r.observe(v)
}

// running brings the member as far as one lane, number 1, for partition 0 at position 100, version 5, token 7.
func (r *rig) running() {
	r.t.Helper()
	r.registered()
	r.observe(r.view(1))
	r.claimed(0, 7, 100, 5)
	if start := one[group.Start](r); start != (group.Start{Lane: 1, Partition: p(0), Position: 100, Token: 7}) {
		r.t.Fatalf("%+v", start)
	}
}

func (r *rig) claimed(n int, token, offset int64, version int32) {
	r.t.Helper()
	r.step(group.Claimed{
		Epoch: r.epoch, Partition: p(n), Token: token, Placed: true, Offset: offset, Version: version,
	})
}

// at is a position of partition 0.
func at(offset int64, version int32) layout.Position {
	return layout.Position{Partition: p(0), Offset: offset, Version: version}
}

// ours is an answer to Read that finds partition 0 owned by this member.
func (r *rig) ours(offset int64, version int32) group.Reread {
	return group.Reread{
		Epoch: r.epoch, Partition: p(0), Session: mySelf, Thread: layout.Thread(r.id), Token: 7,
		Placed: true, Offset: offset, Version: version,
	}
}

// commit has lane 1 come to a position and the member ask for its commit; it gives the transaction's number.
func (r *rig) commit(offset int64, version int32) uint64 {
	r.t.Helper()
	r.step(group.CommitNow{})
	one[group.Collect](r)
	r.step(group.Collected{Progress: []group.Progress{{Lane: 1, Position: offset}}})
	return r.wantTxn(layout.Commit("g", r.id, []layout.Position{at(offset, version)}))
}

func (r *rig) state(n int) group.State {
	for _, claim := range r.member.Snapshot().Claims {
		if claim.Partition == p(n) {
			return claim.State
		}
	}
	return ""
}

func (r *rig) wantState(n int, want group.State) {
	r.t.Helper()
	if got := r.state(n); got != want {
		r.t.Errorf("partition %d is %q, want %q", n, got, want)
	}
}
