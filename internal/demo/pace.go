// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// pace is how soon a group knows what happened to its members: that of whoever coordinates it.
type pace struct {
	// session is how long a worker may be silent, and grain how much later that shows at the latest.
	session, grain time.Duration
	// handover is what a planned change may cost a partition.
	handover time.Duration
	// why says in one line where the limits come from.
	why string
}

var (
	// byZooKeeper: config/samples asks for this session, and the tick is what the world's ZooKeeper has by default. A
	// lease is sound while a tick is at most a third of a session: 6 s are 12 ticks of 500 ms. Shorter sessions would make
	// the demo faster, and a worker that two busy cores leave waiting for 4 s (2/3 of the session) would stop for nothing.
	// A planned change moves a partition in a few round trips.
	byZooKeeper = pace{
		session: 6 * time.Second, grain: 500 * time.Millisecond, handover: time.Second,
		why: "a planned change is some round trips; a fault shows after the session of 6 s and a tick of ZooKeeper, 0.5 s",
	}
	// byBrokers: the session is the client's default. A planned change is a round of all members, who hear of it with
	// their next heartbeat, within 1 s. What moves is let go of after one round, and taken up in the next, 0.5 s later:
	// that is 1.5 s, and the other half is for brokers and members that two busy cores leave waiting.
	byBrokers = pace{
		session: 10 * time.Second, handover: 3 * time.Second,
		why: "a planned change is two rounds of the group, of which members hear by heartbeats, 1 s apart; " +
			"a fault shows after the session of 10 s",
	}
)

// paceIn is that of the groups in a world.
func paceIn(w *world.World) pace {
	if w.ZooKeeper == nil {
		return byBrokers
	}
	return byZooKeeper
}

// limits are the project's promises. What follows from a fault is a planned change for those who are left, once they
// know. When the group is Ready a message goes straight through; two seconds are the limit, and fifty times what it
// takes.
func (p pace) limits() bounds {
	return bounds{planned: p.handover, unplanned: p.session + p.grain + p.handover, first: 2 * time.Second}
}

// frozen is longer than the session, so others own the frozen worker's partitions before it wakes.
func (p pace) frozen() time.Duration { return p.session + p.grain + 1500*time.Millisecond }

// stalled is how long nothing may arrive in the end before what is missing counts as lost.
func (p pace) stalled() time.Duration { return 3 * p.session }
