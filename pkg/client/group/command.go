// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Command is something the driver is to do. It answers those that say so, always: an attempt that gets no answer in
// time is answered with Unavailable.
type Command interface{ command() }

type (
	// Register makes the member's ephemeral node. Answered by Registered.
	Register struct {
		Epoch uint64
		ID    string
		Data  []byte
	}
	// Probe syncs and reads the member's own node. Answered by Probed.
	Probe struct {
		Epoch uint64
		ID    string
	}
	// Observe reads the group, and the claims on Partitions, and leaves watches that become Hint. It reads those on Others
	// too, and leaves none there. Answered by Observed.
	Observe struct {
		Epoch      uint64
		Topics     []string
		Partitions []kafka.Partition
		Others     []kafka.Partition
	}
	// Claim runs a transaction that takes a partition, then reads its position. Answered by Claimed.
	Claim struct {
		Epoch     uint64
		Member    string
		Partition kafka.Partition
		Txn       layout.Txn
	}
	// Resolve asks the brokers for positions. Answered by Resolved.
	Resolve struct {
		Partitions []kafka.Partition
		Place      kafka.Place
	}
	// Transact runs a transaction. Answered by Transacted.
	Transact struct {
		Epoch uint64
		ID    uint64
		Txn   layout.Txn
	}
	// Read reads the claim and the position of a partition as they stand. Answered by Reread.
	Read struct {
		Epoch     uint64
		Partition kafka.Partition
	}
	// Collect asks how far the lanes have come. Answered by Collected.
	Collect struct{}
	// Start runs a lane from a position. Lane numbers are never used twice.
	Start struct {
		Lane      int64
		Partition kafka.Partition
		Position  int64
		Token     int64
		// Outlived says that the position is of an earlier topic of the name: nothing is to be fetched there.
		Outlived bool
	}
	// Drain ends a lane in order: nothing new is delivered, what is under way finishes. Answered by Drained.
	Drain struct{ Lane int64 }
	// Cut ends the attempts of a draining lane at once. Its Drained still comes.
	Cut struct{ Lane int64 }
	// Stop ends a lane at once and discards it; nothing it did since counts. Not answered.
	Stop struct{ Lane int64 }
	// Extend says until when the lease holds: attempts of all lanes end then, unless it is extended again.
	Extend struct{ Until time.Time }
	// Pause says that the lease has lapsed: attempts end now, and none begins.
	Pause struct{}
	// Resume says that the lease holds again, in the same session: lanes go on where they were.
	Resume struct{}
	// Unregister removes the member's node. Answered by Unregistered.
	Unregister struct {
		Epoch uint64
		ID    string
	}
	// Abandon ends a session that can do nothing more, so that a new one begins. SessionLost follows.
	Abandon struct{ Epoch uint64 }
	// Left says that the member is gone, and is the last command there will be. Clean says that ZooKeeper knows: else what
	// the member held falls to others only when its session has expired.
	Left struct{ Clean bool }
)

func (Register) command()   {}
func (Probe) command()      {}
func (Observe) command()    {}
func (Claim) command()      {}
func (Resolve) command()    {}
func (Transact) command()   {}
func (Read) command()       {}
func (Collect) command()    {}
func (Start) command()      {}
func (Drain) command()      {}
func (Cut) command()        {}
func (Stop) command()       {}
func (Extend) command()     {}
func (Pause) command()      {}
func (Resume) command()     {}
func (Unregister) command() {}
func (Abandon) command()    {}
func (Left) command()       {}
