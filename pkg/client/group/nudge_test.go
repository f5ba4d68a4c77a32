// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"slices"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// old is the id of a foreign member that comes behind samsa's in every order, older of another.
const (
	old   = "g_zzz-old"
	older = "g_zzzz-older"
)

// shared is a view of two partitions, the first this member's and the second the foreign one's, which owns it or not.
func (r *rig) shared(owns bool, foreign ...string) layout.View {
	v := r.owned(r.view(1+len(foreign)), p(0), 7)
	for n, id := range foreign {
		v.Members = append(v.Members, layout.Registration{
			ID: id, Pod: id, Strategy: layout.Range, Foreign: true, Topics: map[string]int{"orders": 1},
		})
		if owns {
			v.Owners[p(1+n)] = layout.Ownership{Thread: id + "-0", Session: somebody, Token: 8}
		}
	}
	return v
}

// sharing brings the member as far as owning its half of a group with a foreign member.
func sharing(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.running()
	r.look(r.shared(true, old))
	return r
}

// watch has the member look at a view for some time, and tells when it first registered again in it.
func (r *rig) watch(v layout.View, d time.Duration) (after time.Duration, nudged bool) {
	r.t.Helper()
	begin, pending := r.now, r.out
	for r.now.Sub(begin) < d {
		if len(pending) == 0 {
			r.pass()
			pending = r.out
			continue
		}
		command := pending[0]
		switch command := command.(type) {
		case group.Probe:
			r.step(group.Probed{Epoch: r.epoch, Sent: r.now})
		case group.Observe:
			r.observe(v)
		case group.Collect:
			r.step(group.Collected{})
		case group.Transact:
			r.step(group.Transacted{Epoch: r.epoch, ID: command.ID, Versions: make([]int32, len(command.Txn))})
			if command.Txn[1].Path == layout.Member("g", r.id) {
				return r.now.Sub(begin), true
			}
		default:
			r.out = nil
		}
		pending = slices.Concat(pending[1:], r.out)
		r.out = nil
	}
	return 0, false
}

func TestForeignMemberThatGaveUpIsWokenUp(t *testing.T) {
	r := sharing(t)
	r.step(group.Hint{Epoch: r.epoch})
	observe := one[group.Observe](r)
	if want := []kafka.Partition{p(1)}; !slices.Equal(observe.Others, want) || slices.Contains(observe.Partitions, p(1)) {
		t.Errorf("reads %v and besides %v, want %v besides", observe.Partitions, observe.Others, want)
	}
	r.observe(r.shared(false, old))
	after, nudged := r.watch(r.shared(false, old), time.Minute)
	if !nudged || after < 10*time.Second || after > 14*time.Second {
		t.Fatalf("registers again %v after %s, want it between its four tries (8 s and a little) and 14 s", nudged, after)
	}
	after, nudged = r.watch(r.shared(false, old), time.Minute)
	if !nudged || after < 20*time.Second || after > 24*time.Second {
		t.Fatalf("registers for the third time %v after %s, want it after twice the time", nudged, after)
	}
	if s := r.member.Snapshot(); !s.Registered || s.Rebalances != 0 {
		t.Errorf("%+v", s)
	}
	r.wantState(0, "Running")
}

func TestForeignMembersAreLeftAlone(t *testing.T) {
	for name, view := range map[string]func(*rig) layout.View{
		"that own what falls to them": func(r *rig) layout.View { return r.shared(true, old) },
		"that own some of it": func(r *rig) layout.View {
			v := r.shared(true, old)
			v.Partitions["orders"] = append(v.Partitions["orders"], p(2), p(3))
			v.Owners[p(2)] = v.Owners[p(1)]
			delete(v.Owners, p(1))
			return v
		},
		"whose share somebody holds": func(r *rig) layout.View {
			v := r.shared(true, old)
			v.Owners[p(1)] = layout.Ownership{Thread: "g_gone-0", Session: somebody, Token: 8}
			return v
		},
		"while another of samsa's members is before": func(r *rig) layout.View {
			v := r.shared(false, old)
			v.Members = append(v.Members, layout.Registration{
				ID: "g_samsa1s.pod--1-00000000", Pod: "pod-", Strategy: layout.Sticky, Topics: map[string]int{"bills": 1},
			})
			v.Partitions["bills"] = nil
			return v
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := sharing(t)
			if after, nudged := r.watch(view(r), time.Minute); nudged {
				t.Errorf("registers again after %s", after)
			}
		})
	}
}

// Whoever joins or leaves wakes the others already.
func TestTimeRunsAnewWithEachChangeOfTheMembers(t *testing.T) {
	r := sharing(t)
	if _, nudged := r.watch(r.shared(false, old), 8*time.Second); nudged {
		t.Fatal("registers again too early")
	}
	after, nudged := r.watch(r.shared(false, old, older), time.Minute)
	if !nudged || after < 10*time.Second {
		t.Errorf("registers again %v after %s", nudged, after)
	}
}
