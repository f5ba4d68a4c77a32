// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// last gives the last command of a kind among those of a step.
func last[C group.Command](t *testing.T, commands []group.Command) C {
	t.Helper()
	for _, command := range slices.Backward(commands) {
		if command, ok := command.(C); ok {
			return command
		}
	}
	t.Fatalf("no %T among %#v", *new(C), commands)
	return *new(C)
}

func newMember() *Member {
	return New(Config{
		Group: "g", Pod: "pod", Topics: []string{"t"}, Strategy: layout.Sticky, Session: 6 * time.Second,
		CommitInterval: time.Second, DrainTimeout: 10 * time.Second, Rand: func() float64 { return 0 },
	})
}

func TestAMemberThatCannotShareOutSaysSo(t *testing.T) {
	now, m := time.Unix(1_800_000_000, 0), newMember()
	join := last[Join](t, m.Step(now, group.Tick{}))
	m.Step(now, Surveyed{Partitions: map[string][]kafka.Partition{"t": {partitionOf("t", 0)}}})
	sync := last[Sync](t, m.Step(now, Joined{
		Serial: join.Serial, Sent: now, Member: "m", Generation: 1, Protocol: "range", Leads: true,
		Members: []Peer{{ID: "m", Metadata: join.Protocols[0].Metadata}, {ID: "x", Metadata: []byte{0, 9, 1}}},
	}))
	m.Step(now, Synced{Serial: sync.Serial})
	if err := m.Snapshot().RegisterErr; err == nil {
		t.Error("nobody was given anything, and the member does not say why")
	}
}

// What was told to the others as kept is nobody's if it ended while they were told, and this member does not ask for
// another round.
func TestWhatWasKeptAndLostDuringARoundIsSharedOutAgain(t *testing.T) {
	now, m := time.Unix(1_800_000_000, 0), newMember()
	kept := partitionOf("t", 0)
	m.generation, m.synced, m.id = 1, true, "m"
	m.claims[kept] = &claim{partition: kept, state: running, lane: 1}
	m.lanes[1] = m.claims[kept]
	m.round.want(now)
	m.round.mode = keeping
	m.lease.settle(now)
	join := last[Join](t, m.Step(now, group.Tick{}))
	m.Step(now, Beaten{Member: "m", Generation: 1, Answer: Answer{Verdict: Expelled, Err: errNone}})
	sync := last[Sync](t, m.Step(now, Joined{
		Serial: join.Serial, Sent: now, Member: "m", Generation: 2, Protocol: own,
	}))
	last[Join](t, m.Step(now, Synced{Serial: sync.Serial, Assignment: encodeAssignment(nil)}))
}

func TestAMemberWithoutPartitionsCountsAsOneThatLives(t *testing.T) {
	now, m := time.Unix(1_800_000_000, 0), newMember()
	join := last[Join](t, m.Step(now, group.Tick{}))
	sync := last[Sync](t, m.Step(now, Joined{
		Serial: join.Serial, Sent: now, Member: "m", Generation: 1, Protocol: own,
	}))
	m.Step(now, Synced{Serial: sync.Serial, Assignment: encodeAssignment(nil)})
	m.Step(now, Beaten{Member: "m", Generation: 1, Sent: now})
	if until := m.Snapshot().LeaseUntil; !until.Equal(now.Add(4 * time.Second)) {
		t.Errorf("it is shown to live until %v, want 2/3 of a session from its heartbeat at %v", until, now)
	}
	m.Step(now, Beaten{Member: "m", Generation: 1, Answer: Answer{Verdict: Expelled, Err: errNone}})
	if snapshot := m.Snapshot(); snapshot.Registered || snapshot.LeaseUntil.After(now) {
		t.Errorf("after it was expelled it is shown to live until %v", snapshot.LeaseUntil)
	}
}
