// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Event is something that happened. Those with an Epoch answer a command of that session and are ignored in any other.
type Event interface{ event() }

// Outcome is how an attempt at something ended.
type Outcome uint8

// The outcomes.
const (
	// OK: it happened.
	OK Outcome = iota
	// Unavailable: no answer, or not now. It may have happened.
	Unavailable
	// Conflict: refused, because something else stands there: somebody's claim, another version. It did not happen.
	Conflict
	// Gone: refused, because the member's registration is gone. It did not happen, and this session can do nothing more.
	Gone
	// Malformed: what stands there cannot be understood.
	Malformed
)

// Answer is how a command ended.
type Answer struct {
	Outcome Outcome
	// Index is the operation of the transaction that was refused, with Conflict.
	Index int
	// Err is what to show, unless OK.
	Err error
}

// Failed reports whether the command did not certainly succeed.
func (a Answer) Failed() bool {
	return a.Outcome != OK
}

type (
	// Tick says that time has passed; sent when Next is due.
	Tick struct{}
	// Leave asks the member to drain, release everything and go.
	Leave struct{}
	// CommitNow asks for a commit now rather than at the next interval.
	CommitNow struct{}
	// SetTopics says what the member consumes from now on. It stays in the group, and keeps what it has of topics that
	// stay.
	SetTopics struct{ Topics []string }
	// SessionUp says that there is a session, with its negotiated timeout, and how its registry is written.
	SessionUp struct {
		Epoch   uint64
		ID      int64
		Timeout time.Duration
		Dialect layout.Dialect
	}
	// SessionLost says that the session has ended.
	SessionLost struct{ Epoch uint64 }
	// Hint says that something that Observe looked at may have changed.
	Hint struct{ Epoch uint64 }
	// Registered answers Register.
	Registered struct {
		Epoch uint64
		Answer
	}
	// Probed answers Probe. Sent is when the probe was sent, not when it was answered.
	Probed struct {
		Epoch uint64
		Sent  time.Time
		Answer
	}
	// Observed answers Observe.
	Observed struct {
		Epoch uint64
		View  layout.View
		Answer
	}
	// Claimed answers Claim. Placed says that the partition has a position.
	Claimed struct {
		Epoch     uint64
		Partition kafka.Partition
		Token     int64
		Placed    bool
		Offset    int64
		Version   int32
		// Outlived says that the position is of an earlier topic of the name.
		Outlived bool
		// Holder is the thread that holds the claim, with Conflict.
		Holder string
		Answer
	}
	// Resolved answers Resolve. Partitions that could not be resolved are missing.
	Resolved struct {
		Place     kafka.Place
		Positions map[kafka.Partition]int64
		Answer
	}
	// Transacted answers Transact with the new version of each node written.
	Transacted struct {
		Epoch    uint64
		ID       uint64
		Versions []int32
		Answer
	}
	// Reread answers Read.
	Reread struct {
		Epoch     uint64
		Partition kafka.Partition
		// Session and Thread are the owner's, 0 and empty if nobody owns the partition.
		Session int64
		Thread  string
		Token   int64
		// Placed says that the partition has a position.
		Placed  bool
		Offset  int64
		Version int32
		// Outlived says that the position is of an earlier topic of the name.
		Outlived bool
		Answer
	}
	// Collected answers Collect.
	Collected struct{ Progress []Progress }
	// Drained answers Drain: the lane has ended, and everything before Position is acknowledged.
	Drained struct{ Progress }
	// Unregistered answers Unregister.
	Unregistered struct {
		Epoch uint64
		Answer
	}
)

// Progress is how far a lane has come: everything before Position is acknowledged.
type Progress struct {
	Lane     int64
	Position int64
}

func (Tick) event()         {}
func (Leave) event()        {}
func (CommitNow) event()    {}
func (SetTopics) event()    {}
func (SessionUp) event()    {}
func (SessionLost) event()  {}
func (Hint) event()         {}
func (Registered) event()   {}
func (Probed) event()       {}
func (Observed) event()     {}
func (Claimed) event()      {}
func (Resolved) event()     {}
func (Transacted) event()   {}
func (Reread) event()       {}
func (Collected) event()    {}
func (Drained) event()      {}
func (Unregistered) event() {}
