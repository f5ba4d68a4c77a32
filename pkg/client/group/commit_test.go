// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

func TestCommitsFollowEachOther(t *testing.T) {
	r := newRig(t)
	r.running()
	r.wait(interval)
	one[group.Collect](r)
	r.step(group.Collected{Progress: []group.Progress{{Lane: 1, Position: 100}}})
	none[group.Transact](r) // nothing moved
	r.step(group.Transacted{Epoch: 1, ID: r.commit(110, 5), Versions: []int32{-1, 6}})
	r.step(group.Transacted{Epoch: 1, ID: r.commit(120, 6), Versions: []int32{-1, 7}})
	r.commit(130, 7)
	r.step(group.Collected{Progress: []group.Progress{{Lane: 1, Position: 140}}})
	none[group.Transact](r) // one at a time
}

func TestPositionsThatDoNotMoveAreVerified(t *testing.T) {
	r := newRig(t)
	r.running()
	r.now = r.now.Add(session / 2)
	r.step(group.Collected{Progress: []group.Progress{{Lane: 1, Position: 100}}})
	id := r.wantTxn(layout.Verify("g", r.id, []layout.Position{at(100, 5)}))

	t.Run("nobody else wrote", func(t *testing.T) {
		r.t = t
		r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, -1}})
		r.step(group.Collected{Progress: []group.Progress{{Lane: 1, Position: 100}}})
		none[group.Transact](r) // not so soon again
		r.commit(110, 5)
	})
}

func TestPositionThatAnOperatorMoved(t *testing.T) {
	r := newRig(t)
	r.running()
	r.now = r.now.Add(session / 2)
	r.step(group.Collected{Progress: []group.Progress{{Lane: 1, Position: 100}}})
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: refused(1)})
	one[group.Stop](r)
	one[group.Read](r)
	r.step(r.ours(50, 6))
	if start := one[group.Start](r); start.Position != 50 || start.Lane != 2 {
		t.Errorf("%+v", start)
	}
}

func TestVerificationWithUnknownOutcomeIsNoDoubt(t *testing.T) {
	r := newRig(t)
	r.running()
	r.now = r.now.Add(session / 2)
	r.step(group.Collected{Progress: []group.Progress{{Lane: 1, Position: 100}}})
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Answer: failed(group.Unavailable)})
	none[group.Read](r)
	r.commit(110, 5)
}

func TestRefusedCommit(t *testing.T) {
	r := newRig(t)
	r.running()
	r.step(group.Transacted{Epoch: 1, ID: r.commit(110, 5), Answer: refused(1)})
	one[group.Stop](r)
	one[group.Read](r)
	r.wantState(0, "Rereading")

	t.Run("and another owner", func(t *testing.T) {
		r.t = t
		r.step(group.Reread{Epoch: 1, Partition: p(0), Session: somebody, Token: 9, Placed: true, Offset: 200, Version: 8})
		none[group.Start](r)
		one[group.Claim](r) // it is wanted, so it is waited for
	})
}

func TestRefusedBatchIsRetriedPerPartition(t *testing.T) {
	r := newRig(t)
	r.registered()
	r.observe(r.view(2))
	r.claimed(0, 7, 100, 5)
	r.claimed(1, 8, 200, 9)
	progress := []group.Progress{{Lane: 1, Position: 110}, {Lane: 2, Position: 210}}
	r.step(group.Collected{Progress: progress})
	other := layout.Position{Partition: p(1), Offset: 210, Version: 9}
	id := r.wantTxn(layout.Commit("g", r.id, []layout.Position{at(110, 5), other}))
	r.step(group.Transacted{Epoch: 1, ID: id, Answer: refused(2)})
	singles := all[group.Transact](r)
	if len(singles) != 2 {
		t.Fatalf("%d transactions, want one for each", len(singles))
	}
	none[group.Stop](r)
	r.step(group.Transacted{Epoch: 1, ID: singles[0].ID, Versions: []int32{-1, 6}})
	r.step(group.Transacted{Epoch: 1, ID: singles[1].ID, Answer: refused(1)})
	if stop := one[group.Stop](r); stop.Lane != 2 {
		t.Errorf("%+v", stop)
	}
	r.wantState(0, "Running")
}

func TestCommitWithUnknownOutcome(t *testing.T) {
	for name, test := range map[string]struct {
		found   group.Reread
		stops   bool
		version int32
	}{
		"it happened":               {group.Reread{Placed: true, Offset: 110, Version: 6}, false, 6},
		"it did not":                {group.Reread{Placed: true, Offset: 100, Version: 5}, false, 5},
		"somebody else wrote":       {group.Reread{Placed: true, Offset: 60, Version: 6}, true, 6},
		"somebody wrote after that": {group.Reread{Placed: true, Offset: 110, Version: 7}, true, 7},
		"somebody removed it":       {group.Reread{}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.running()
			r.step(group.Transacted{Epoch: 1, ID: r.commit(110, 5), Answer: failed(group.Unavailable)})
			none[group.Stop](r) // the lane goes on: its claim is not in question
			r.step(group.Collected{Progress: []group.Progress{{Lane: 1, Position: 120}}})
			none[group.Transact](r) // nothing is written before it is known
			r.pass()
			one[group.Read](r)
			r.step(group.Reread{Epoch: 1, Partition: p(0), Answer: failed(group.Unavailable)})
			r.pass()
			one[group.Read](r)
			found := test.found
			found.Epoch, found.Partition, found.Token = 1, p(0), 7
			found.Session, found.Thread = mySelf, layout.Thread(r.id)
			r.step(found)
			if stopped := len(all[group.Stop](r)) == 1; stopped != test.stops {
				t.Fatalf("the lane is stopped: %t, want %t", stopped, test.stops)
			}
			if !test.stops {
				r.commit(120, test.version)
			}
		})
	}
}

func TestReleaseFollowsTheDrain(t *testing.T) {
	r := newRig(t)
	r.running()
	id := r.commit(110, 5)
	r.look(r.owned(r.view(0), p(0), 7))
	if drain := one[group.Drain](r); drain.Lane != 1 {
		t.Errorf("%+v", drain)
	}
	r.step(group.Drained{Progress: group.Progress{Lane: 1, Position: 115}})
	none[group.Transact](r) // the commit is still under way
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, 6}})
	id = r.wantTxn(layout.Release("g", r.id, at(115, 6)))
	r.step(group.Transacted{Epoch: 1, ID: id, Versions: []int32{-1, 7, -1}})
	r.wantState(0, "")
}

func (r *rig) releasing() uint64 {
	r.t.Helper()
	r.running()
	r.look(r.owned(r.view(0), p(0), 7))
	r.step(group.Drained{Progress: group.Progress{Lane: 1, Position: 115}})
	return r.wantTxn(layout.Release("g", r.id, at(115, 5)))
}

func TestReleaseWithUnknownOutcome(t *testing.T) {
	t.Run("happened", func(t *testing.T) {
		r := newRig(t)
		r.step(group.Transacted{Epoch: 1, ID: r.releasing(), Answer: failed(group.Unavailable)})
		r.pass()
		r.step(group.Reread{Epoch: 1, Partition: p(0), Placed: true, Offset: 115, Version: 6})
		none[group.Transact](r)
		r.wantState(0, "")
	})
	t.Run("did not happen", func(t *testing.T) {
		r := newRig(t)
		r.step(group.Transacted{Epoch: 1, ID: r.releasing(), Answer: failed(group.Unavailable)})
		r.pass()
		r.step(r.ours(100, 5))
		r.wantTxn(layout.Release("g", r.id, at(115, 5)))
	})
	t.Run("and an operator moved the position", func(t *testing.T) {
		r := newRig(t)
		r.step(group.Transacted{Epoch: 1, ID: r.releasing(), Answer: failed(group.Unavailable)})
		r.pass()
		r.step(r.ours(40, 6))
		r.wantTxn(layout.ReleaseUnmoved("g", r.id, at(40, 6))) // his word stands
	})
}

func TestRefusedReleaseReadsAndReleasesWhatItFinds(t *testing.T) {
	r := newRig(t)
	r.step(group.Transacted{Epoch: 1, ID: r.releasing(), Answer: refused(1)})
	one[group.Read](r)
	r.step(r.ours(40, 6))
	r.wantTxn(layout.ReleaseUnmoved("g", r.id, at(40, 6)))
}

func TestDrainIsCutWhenItTakesTooLong(t *testing.T) {
	for name, test := range map[string]struct {
		foreign bool
		after   time.Duration
	}{
		"alone":                {false, drain},
		"with foreign members": {true, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.running()
			v := r.owned(r.view(0), p(0), 7)
			if test.foreign {
				v.Members = append(v.Members, layout.Registration{
					ID: "g_host-1", Pod: "g_host-1", Strategy: layout.Range, Foreign: true, Topics: map[string]int{"orders": 1},
				})
			}
			r.look(v)
			one[group.Drain](r)
			begun := r.now
			for len(all[group.Cut](r)) == 0 {
				r.pass()
			}
			if took := r.now.Sub(begun); took != test.after {
				t.Errorf("cut after %s, want %s", took, test.after)
			}
			r.wait(time.Second)
			none[group.Cut](r)
			r.step(group.Drained{Progress: group.Progress{Lane: 1, Position: 101}})
			r.wantTxn(layout.Release("g", r.id, at(101, 5)))
		})
	}
}

func TestLaneThatIsWantedAgainWhileItDrains(t *testing.T) {
	r := newRig(t)
	r.running()
	r.look(r.owned(r.view(0), p(0), 7))
	one[group.Drain](r)
	r.look(r.owned(r.view(1), p(0), 7))
	r.step(group.Drained{Progress: group.Progress{Lane: 1, Position: 101}})
	r.step(group.Transacted{Epoch: 1, ID: one[group.Transact](r).ID, Versions: []int32{-1, 6, -1}})
	one[group.Claim](r)
}
