// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// world is a truth that a test moves on, second by second.
type world struct {
	Checker
	now  time.Time
	true Sample
}

func newWorld() *world {
	return &world{now: time.Unix(1_000_000, 0), true: Sample{
		Members: []string{"demo-0"},
		Partitions: map[string]Partition{
			"t/0": {Owner: "demo-0", Committed: 10, End: 10},
			"t/1": {Owner: "demo-0", Committed: 5, End: 5},
		},
	}}
}

// sample copies the truth as of now.
func (w *world) sample() Sample {
	s := w.true
	s.At = w.now
	s.Partitions = map[string]Partition{}
	maps.Copy(s.Partitions, w.true.Partitions)
	return s
}

// honest says the truth.
func (w *world) honest() {
	s := w.sample()
	w.Say(Claim{Ready: s.consuming(), Owned: s.owned(), Lag: s.lag(), Partitions: s.Partitions, Members: s.Members})
}

// pass lets seconds pass.
func (w *world) pass(seconds int) {
	for range seconds {
		w.now = w.now.Add(time.Second)
		w.Observe(w.sample())
	}
}

func (w *world) want(t *testing.T, fields ...string) {
	t.Helper()
	found := map[string]bool{}
	for _, lie := range w.Lies() {
		found[lie.Field] = true
	}
	for _, field := range fields {
		if !found[field] {
			t.Errorf("no lie about %q; found %v", field, w.Lies())
		}
	}
	if len(fields) == 0 && len(found) > 0 {
		t.Errorf("found %v", w.Lies())
	}
}

func TestHonestStatusIsNoLie(t *testing.T) {
	w := newWorld()
	w.honest()
	for second := range 200 {
		w.true.Partitions["t/0"] = Partition{Owner: "demo-0", Committed: int64(10 + second), End: int64(20 + 2*second)}
		if second%15 == 0 { // as seldom as the operator writes fast numbers
			w.honest()
		}
		w.pass(1)
	}
	w.want(t)
	if w.Checks() == 0 {
		t.Error("nothing was checked")
	}
}

func TestLies(t *testing.T) {
	lost := Partition{Committed: 10, End: 10}
	for name, c := range map[string]struct {
		change func(*world)
		fields []string
	}{
		"an owner that is gone": {
			func(w *world) { w.true.Partitions["t/0"] = lost },
			[]string{"t/0 owner", "Ready", "ownedPartitions"},
		},
		"a position that moved": {
			func(w *world) { w.true.Partitions["t/1"] = Partition{"demo-0", 6, 7, false} },
			[]string{"t/1 committed", "t/1 end", "lag"},
		},
		"a member that left": {
			func(w *world) { w.true.Members = nil },
			[]string{"members"},
		},
		"a sink that takes nothing": {
			func(w *world) { w.true.Partitions["t/1"] = Partition{"demo-0", 5, 5, true} },
			[]string{"Ready"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.pass(40)
			w.lies = nil // of the time before the first status
			w.honest()
			w.pass(1)
			c.change(w)
			w.pass(int(Grace/time.Second) - 1)
			w.want(t) // late, and no lie yet
			w.pass(5)
			w.want(t, c.fields...)
		})
	}
}

func TestWhatNeverWasTrueIsALieAtOnce(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	w.Say(Claim{Owned: 2, Members: w.true.Members})
	w.pass(1)
	w.want(t, "Ready")
}

func TestSilenceIsALie(t *testing.T) {
	w := newWorld()
	w.pass(40)
	w.want(t, "status")
}

func TestKnowingNothingIsSilence(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	w.Say(Claim{Reason: "ClusterMissing", Unsure: true, Untold: true})
	w.pass(int(Grace / time.Second))
	w.want(t) // what is not said is no lie
	w.pass(5)
	w.want(t, "the group")
}

func TestWhatNobodyCanReadNeedNotBeTold(t *testing.T) {
	w := newWorld()
	w.true.Unreadable = true
	w.Say(Claim{Reason: "ClusterMissing", Unsure: true, Untold: true})
	w.pass(100)
	w.want(t)
	w.true.Unreadable = false
	w.pass(int(Grace/time.Second) - 1)
	w.want(t)
	w.pass(5)
	w.want(t, "the group")
}

func TestTalkingAgainEndsSilence(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	for range 5 {
		w.Say(Claim{Unsure: true, Untold: true})
		w.pass(20)
		w.honest()
		w.pass(20)
	}
	w.want(t)
}

func TestLagOfNothingCommittedIsAll(t *testing.T) {
	for p, want := range map[Partition]int64{
		{Committed: -1, End: 7}: 7, {Committed: 3, End: 7}: 4, {Committed: 3, End: -1}: -1, {Committed: 9, End: 7}: 0,
	} {
		if got := p.lag(); got != want {
			t.Errorf("%+v: got %d, want %d", p, got, want)
		}
	}
}

func TestLagBetweenSamplesIsNoLie(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	w.true.Partitions["t/0"] = Partition{Owner: "demo-0", Committed: 20, End: 20}
	w.pass(1)
	rows := map[string]Partition{
		"t/0": {Owner: "demo-0", Committed: 12, End: 18}, "t/1": {Owner: "demo-0", Committed: 5, End: 5},
	}
	w.Say(Claim{Ready: true, Owned: 2, Lag: 6, Partitions: rows, Members: w.true.Members})
	w.pass(1)
	w.want(t)
	w.Say(Claim{Ready: true, Owned: 2, Lag: 5, Partitions: rows, Members: w.true.Members})
	w.pass(1)
	w.want(t, "lag")
}

func TestAPartitionThatWasNotThereHadNoPosition(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	early := w.sample().Partitions
	early["t/2"] = Partition{Owner: "demo-0", Committed: -1, End: 0}
	w.true.Partitions["t/2"] = Partition{Owner: "demo-0", Committed: 0, End: 0}
	w.Say(Claim{Ready: true, Owned: 3, Lag: 0, Partitions: early, Members: w.true.Members})
	w.pass(int(Grace/time.Second) - 1)
	w.want(t)
	w.pass(5)
	w.want(t, "t/2 committed")
}

func TestAHandoverBetweenSamplesIsNoLie(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	during := w.sample()
	during.Partitions["t/0"] = Partition{Committed: 10, End: 10}
	w.true.Partitions["t/0"] = Partition{Owner: "demo-1", Committed: 10, End: 10}
	w.pass(1)
	w.Say(Claim{Reason: "Rebalancing", Owned: 1, Partitions: during.Partitions, Members: w.true.Members})
	w.pass(int(Grace/time.Second) - 1)
	w.want(t)
	w.pass(5)
	w.want(t, "t/0 owner", "Ready", "ownedPartitions")
}

func TestAnEndThatIsNotKnownIsSilence(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	unknown := w.sample()
	unknown.Partitions["t/0"] = Partition{Owner: "demo-0", Committed: 10, End: -1}
	w.Say(Claim{Ready: true, Owned: 2, Partitions: unknown.Partitions, Members: w.true.Members})
	w.pass(int(Grace/time.Second) - 1)
	w.want(t)
	w.pass(5)
	w.want(t, "t/0 end")
}

func TestPartitionNamesOfTopicSemantics(t *testing.T) {
	for _, c := range [][2]string{
		{PartitionName("", "t", "0"), "t/0"}, {PartitionName("g-1", "t", "0"), "g-1:t/0"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %s, want %s", c[0], c[1])
		}
	}
}

func TestNobodyLiesWhileNobodyCanWrite(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	w.true.Members = []string{"demo-0", "demo-1"}
	w.Away(w.now)
	w.pass(100)
	w.Back(w.now)
	w.pass(int(Grace/time.Second) - 1)
	w.want(t)
	w.pass(5)
	w.want(t, "members")
}

func TestAnOutageExcusesNothingThatComesLater(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	w.Away(w.now)
	w.pass(30)
	w.Back(w.now)
	w.pass(60)
	w.true.Members = []string{"demo-0", "demo-1"}
	w.pass(int(Grace/time.Second) - 1)
	w.want(t)
	w.pass(5)
	w.want(t, "members")
}

func TestEveryLieIsToldOnce(t *testing.T) {
	w := newWorld()
	w.honest()
	w.pass(40)
	w.true.Members = nil
	w.pass(100)
	if lies := w.Lies(); len(lies) != 1 || !strings.Contains(lies[0].String(), "status says members is demo-0") {
		t.Errorf("got %v", lies)
	}
}

func TestPodOf(t *testing.T) {
	for id, want := range map[string]string{
		"my-group_samsa1s.my-group-12-1700000000000-0a1b2c3d": "my-group-12",
		"g_host-1700000000000-0a1b2c3d":                       "g_host-1700000000000-0a1b2c3d",
	} {
		if got := podOf(id); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}
