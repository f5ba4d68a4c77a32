// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Verdict is what a coordinator's answer means to a member.
type Verdict uint8

// The verdicts.
const (
	// Accepted: it happened.
	Accepted Verdict = iota
	// Unavailable: no answer, or not now. It may have happened.
	Unavailable
	// Rebalancing: refused, because a round is under way; for a heartbeat, the news that one has begun.
	Rebalancing
	// Outdated: refused, because the group has a later generation.
	Outdated
	// Expelled: refused, because the group does not know the member.
	Expelled
	// Named: refused, because the member has to come back with the id it was given.
	Named
	// Refused: it will be refused until somebody changes something.
	Refused
)

// Answer is how a command ended.
type Answer struct {
	Verdict Verdict
	// Err is what to show, unless Accepted.
	Err error
}

// Besides those of package group (Tick, Leave, CommitNow, SetTopics, Collected, Drained, Resolved), these are what a
// member is told. Those with a Serial answer the command that had it; Sent is when that was sent, not when it was
// answered.
type (
	// Joined answers Join.
	Joined struct {
		group.AnEvent
		Serial uint64
		Sent   time.Time
		// Member is the member's id, also with Named.
		Member     string
		Generation int32
		Protocol   string
		// Leads says that the member shares the partitions out, among Members.
		Leads   bool
		Members []Peer
		// Short says that the coordinator is of Kafka 0.9 or 0.10.0, for which the session is the time a round may take.
		Short bool
		Answer
	}
	// Synced answers Sync.
	Synced struct {
		group.AnEvent
		Serial     uint64
		Assignment []byte
		Answer
	}
	// Beaten answers Beat.
	Beaten struct {
		group.AnEvent
		Member     string
		Generation int32
		Sent       time.Time
		Answer
	}
	// Described answers Describe.
	Described struct {
		group.AnEvent
		Serial uint64
		View   View
		Answer
	}
	// Located answers Locate. A partition that is missing has no position.
	Located struct {
		group.AnEvent
		Serial    uint64
		Positions map[kafka.Partition]int64
		// Any says that there is a position, not necessarily of those partitions.
		Any bool
		Answer
	}
	// Committed answers Commit. Failed are the partitions whose position was refused although the member was not.
	Committed struct {
		group.AnEvent
		Serial uint64
		Sent   time.Time
		Failed map[kafka.Partition]Failure
		Answer
	}
	// Surveyed answers Survey. Topics that do not exist have no partitions.
	Surveyed struct {
		group.AnEvent
		Partitions map[string][]kafka.Partition
		Answer
	}
	// Departed answers Depart.
	Departed struct {
		group.AnEvent
		Answer
	}
)

// Failure is why a position was refused.
type Failure struct {
	// NoTopic says that the partition is gone, so that its position is of no interest any more.
	NoTopic bool
	Err     error
}

// View is a group as one look found it.
type View struct {
	// Stable says that no round is under way; otherwise Protocol, and what members said and were given, are unknown.
	Stable   bool
	Protocol string
	Peers    []Peer
}

// Peer is a member of the group.
type Peer struct {
	ID, Client string
	// Metadata is what the member told the leader, Assignment what it was given.
	Metadata, Assignment []byte
}
