// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Besides those of package group for lanes (Start, Drain, Cut, Stop, Extend, Pause, Resume, Collect, Resolve, Left),
// these are what a member asks its driver to do. Each is answered, always: what gets no answer in time is answered with
// Unavailable.
type (
	// Join takes part in the next round. Answered by Joined, when all members have joined or their time is up.
	Join struct {
		group.ACommand
		Serial             uint64
		Member             string
		Session, Rebalance time.Duration
		Protocols          []Protocol
	}
	// Sync ends a round: it hands in what falls to whom, if the member leads, and asks for its own share. Answered by
	// Synced.
	Sync struct {
		group.ACommand
		Serial     uint64
		Member     string
		Generation int32
		Protocol   string
		// Shares are by member, sorted; none unless the member leads.
		Shares []Share
	}
	// Beat is a heartbeat. Answered by Beaten.
	Beat struct {
		group.ACommand
		Member     string
		Generation int32
	}
	// Describe looks at the group. Answered by Described.
	Describe struct {
		group.ACommand
		Serial uint64
	}
	// Locate reads committed positions. Answered by Located.
	Locate struct {
		group.ACommand
		Serial     uint64
		Partitions []kafka.Partition
		// Any asks whether the group has committed any position at all, in these topics at least.
		Any    bool
		Topics []string
	}
	// Commit writes positions. Answered by Committed.
	Commit struct {
		group.ACommand
		Serial     uint64
		Member     string
		Generation int32
		// Positions are sorted by partition.
		Positions []Position
	}
	// Survey asks for the partitions of topics. Answered by Surveyed.
	Survey struct {
		group.ACommand
		Topics []string
	}
	// Depart leaves the group. Answered by Departed.
	Depart struct {
		group.ACommand
		Member string
	}
)

// Protocol is a way of sharing out partitions that a member offers, and what it tells the leader if it is chosen.
type Protocol struct {
	Name     string
	Metadata []byte
}

// Share is what falls to one member, as the protocol writes it.
type Share struct {
	Member     string
	Assignment []byte
}

// Position is that of the next message to be delivered.
type Position struct {
	Partition kafka.Partition
	Offset    int64
}
