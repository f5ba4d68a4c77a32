// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

func TestLease(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	for name, test := range map[string]struct {
		sent  []time.Duration
		until time.Duration
	}{
		"one probe":              {[]time.Duration{0}, 4 * time.Second},
		"a later one extends it": {[]time.Duration{0, time.Second}, 5 * time.Second},
		"a late answer does not": {[]time.Duration{time.Second, 0}, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			lease := group.NewLease(session)
			if lease.Holds(begin) {
				t.Error("it holds before any probe")
			}
			for _, sent := range test.sent {
				lease.Extend(begin.Add(sent))
			}
			until := begin.Add(test.until)
			if !lease.Until().Equal(until) {
				t.Errorf("until %s, want %s", lease.Until(), until)
			}
			if !lease.Holds(until.Add(-1)) || lease.Holds(until) {
				t.Error("it does not end when it ends")
			}
		})
	}
	if lease := group.NewLease(session); lease.Interval() != time.Second {
		t.Errorf("probes every %s, want every second", lease.Interval())
	}
}

func TestLeaseCountsFromWhenTheProbeWasSent(t *testing.T) {
	r := newRig(t)
	r.up()
	r.step(group.Registered{Epoch: 1})
	sent := r.now
	one[group.Probe](r)
	r.now = r.now.Add(2 * time.Second)
	r.step(group.Probed{Epoch: 1, Sent: sent})
	if until := one[group.Extend](r).Until; !until.Equal(sent.Add(session * 2 / 3)) {
		t.Errorf("until %s, want %s", until, sent.Add(session*2/3))
	}
	one[group.Resume](r)
	one[group.Probe](r) // the next one is due since a second
}

func TestLeaseLapsesAndComesBack(t *testing.T) {
	r := newRig(t)
	r.running()
	r.step(group.Hint{Epoch: 1})
	until := r.member.Snapshot().LeaseUntil
	for r.now.Before(until) {
		none[group.Pause](r)
		r.pass()
		for range all[group.Probe](r) {
			r.step(group.Probed{Epoch: 1, Sent: r.now, Answer: failed(group.Unavailable)})
		}
	}
	one[group.Pause](r)
	if !r.now.Equal(until) {
		t.Errorf("the lanes are paused at %s, want %s", r.now, until)
	}
	none[group.Stop](r)
	r.step(group.Probed{Epoch: 1, Sent: r.now.Add(-session)})
	none[group.Resume](r) // an answer to a probe so old says nothing about now
	r.step(group.Probed{Epoch: 1, Sent: r.now})
	one[group.Resume](r)
	r.wantState(0, "Running")
}

func TestNothingIsClaimedWithoutALease(t *testing.T) {
	r := newRig(t)
	r.up()
	r.step(group.Registered{Epoch: 1})
	r.observe(r.view(1))
	none[group.Claim](r)
	r.step(group.Probed{Epoch: 1, Sent: r.now})
	one[group.Claim](r)
}

func TestRegistration(t *testing.T) {
	r := newRig(t)
	r.up()
	first := one[group.Register](r)
	if pod, ok := layout.ParseMemberID("g", first.ID); !ok || pod.Pod != "pod-0" || pod.Strategy != layout.Sticky {
		t.Errorf("id %q", first.ID)
	}
	none[group.Probe](r)
	none[group.Observe](r)

	r.step(group.Registered{Epoch: 1, Answer: failed(group.Unavailable)})
	r.pass()
	if again := one[group.Register](r); again.ID != first.ID {
		t.Errorf("an attempt that may have succeeded is repeated as %q, was %q", again.ID, first.ID)
	}
	r.random = 0.5
	r.step(group.Registered{Epoch: 1, Answer: failed(group.Conflict)})
	r.pass()
	if other := one[group.Register](r); other.ID == first.ID {
		t.Error("somebody else has this very name, and it is tried again")
	}
	r.step(group.Registered{Epoch: 1})
	one[group.Probe](r)
	one[group.Observe](r)
}

func TestRetriesBackOff(t *testing.T) {
	r := newRig(t)
	r.up()
	var waits []time.Duration
	for range 9 {
		before := r.now
		r.step(group.Registered{Epoch: 1, Answer: failed(group.Unavailable)})
		r.pass()
		waits = append(waits, r.now.Sub(before))
		one[group.Register](r)
	}
	for i, wait := range waits {
		if want := min(2*time.Second, 50*time.Millisecond<<i); wait != want {
			t.Errorf("retry %d after %s, want %s", i, wait, want)
		}
	}
	r.random = 0.999
	before := r.now
	r.step(group.Registered{Epoch: 1, Answer: failed(group.Unavailable)})
	r.pass()
	if wait := r.now.Sub(before); wait < 1500*time.Millisecond || wait >= 2*time.Second {
		t.Errorf("spread to %s, want at least three quarters of 2 s", wait)
	}
}

func TestRegistrationThatIsGoneEndsTheSession(t *testing.T) {
	for name, event := range map[string]func(*rig) group.Event{
		"probed": func(r *rig) group.Event {
			return group.Probed{Epoch: 1, Sent: r.now, Answer: failed(group.Gone)}
		},
		"committed": func(r *rig) group.Event {
			return group.Transacted{Epoch: 1, ID: r.commit(110, 5), Answer: failed(group.Gone)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.running()
			r.step(event(r))
			if stop := one[group.Stop](r); stop.Lane != 1 {
				t.Errorf("%+v", stop)
			}
			if abandon := one[group.Abandon](r); abandon.Epoch != 1 {
				t.Errorf("%+v", abandon)
			}
			old := r.id
			r.step(group.SessionLost{Epoch: 1})
			r.now = r.now.Add(time.Millisecond)
			r.up()
			if one[group.Register](r).ID == old {
				t.Error("a new session registers under the name of the old one")
			}
		})
	}
}

func TestNewSessionDiscardsTheOld(t *testing.T) {
	r := newRig(t)
	r.running()
	id := r.commit(110, 5)
	r.step(group.SessionLost{Epoch: 1})
	one[group.Stop](r)
	if !r.member.Next().IsZero() {
		t.Error("without a session there is nothing to wait for")
	}
	r.registered()
	r.observe(r.view(1))
	claim := one[group.Claim](r)
	if claim.Epoch != 2 || claim.Member != r.id {
		t.Errorf("%+v", claim)
	}
	for _, late := range []group.Event{
		group.Transacted{Epoch: 1, ID: id}, group.Claimed{Epoch: 1, Partition: p(0), Token: 7, Placed: true},
		group.Reread{Epoch: 1, Partition: p(0), Session: mySelf}, group.Probed{Epoch: 1, Sent: r.now},
		group.Observed{Epoch: 1}, group.Registered{Epoch: 1}, group.Unregistered{Epoch: 1}, group.Hint{Epoch: 1},
		group.SessionLost{Epoch: 1}, group.Drained{Progress: group.Progress{Lane: 1, Position: 120}},
	} {
		r.step(late)
		if len(r.out) > 0 {
			t.Errorf("%T of an old session leads to %s", late, r.list())
		}
	}
}
