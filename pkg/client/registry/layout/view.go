// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import "github.com/samsa-dev/samsa/pkg/kafka"

// View is what one reading of a group found.
type View struct {
	// Members are the live members whose registration could be read.
	Members []Registration
	// Partitions are those of each topic asked for; a topic that does not exist is missing.
	Partitions map[string][]kafka.Partition
	// Owners are the claims that stand on the partitions asked for; an unclaimed one is missing.
	Owners map[kafka.Partition]Ownership
	// Begun says that the start positions of the group are decided.
	Begun bool
	// Problems are nodes that could not be understood, and were skipped.
	Problems []Problem
}

// Registration is one member of a group.
type Registration struct {
	// ID is the member's id, the name of its node.
	ID string
	// Pod is the stable name inside a samsa member's id; a foreign member's whole id.
	Pod string
	// Born is when the member was made, in milliseconds since 1970; 0 for a foreign member.
	Born int64
	// Strategy is how a samsa member balances; Range for a foreign member.
	Strategy Strategy
	// Foreign is true of every member that is not samsa's, or speaks a protocol version this build does not know.
	Foreign bool
	// Leaving says that a samsa member gives up what it has, and takes nothing any more. In Kafka 0.7 that is said of
	// every one without topics.
	Leaving bool
	// Topics maps what the member subscribes to, to its number of threads. In a view they are also those that Pattern
	// means, of the topics there were.
	Topics map[string]int
	// Pattern is how a foreign member subscribes by the names of topics; nil for a list of topics.
	Pattern *Pattern
}

// Ownership is a claim that stands.
type Ownership struct {
	// Thread is the owning thread's id.
	Thread string
	// Session is the ZooKeeper session that made the claim.
	Session int64
	// Token grows with every change of owner: the node's czxid.
	Token int64
}

// Problem is a node somebody left malformed.
type Problem struct {
	Path   string
	Reason string
}

// Strategy is how a group's partitions are shared out; every member of a group must compute the same.
type Strategy byte

// The strategies, as they stand in member ids.
const (
	Sticky Strategy = 's'
	Range  Strategy = 'r'
)
