// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"strconv"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// onlookers is how many Groups of one name are told of changes at once. Where more are made, the newest counts of
// those that share a place: so that who makes a new one for each look leaves at most as many hints behind. It costs 16
// functions for each watch at most.
const onlookers = 16

// Group looks at a consumer group without joining it. Safe for concurrent use.
type Group struct {
	cluster *Cluster
	name    string
	party   string
	// coordination is where the group is; misplaced why the cluster cannot serve that, nil if it can.
	coordination Coordination
	misplaced    error
	// polled is looked at in place of watches, where brokers coordinate the group.
	polled polled
}

// Group names a consumer group, which need not exist, where the cluster keeps groups unless told otherwise. Keep it for
// as long as the group is looked at again and again: see Inspect.
func (c *Cluster) Group(name string) *Group { return c.GroupIn(CoordinationAuto, name) }

// GroupIn names a consumer group that is kept there. Groups of one name in ZooKeeper and at the brokers have nothing to
// do with each other. What the cluster cannot serve is told by the methods of the group.
func (c *Cluster) GroupIn(coordination Coordination, name string) *Group {
	resolved, err := c.Resolve(coordination)
	return &Group{
		cluster: c, name: name, party: strconv.Itoa(int(c.groups.Add(1) % onlookers)),
		coordination: resolved, misplaced: err,
	}
}

// Name is the group's name.
func (g *Group) Name() string { return g.name }

// Coordination is where the group is kept, Auto resolved.
func (g *Group) Coordination() Coordination { return g.coordination }

func (g *Group) check() error {
	if err := layout.CheckName(g.name); err != nil {
		return fmt.Errorf("group: the name %w", err)
	}
	return g.misplaced
}

// byBrokers reports whether the group is kept by the brokers' coordinator.
func (g *Group) byBrokers() bool { return g.coordination == CoordinationKafka }

// GroupView is a consumer group as one look found it.
type GroupView struct {
	// Members are the live ones, by id.
	Members []GroupMember
	// Partitions are those of all topics found, in order.
	Partitions []GroupPartition
	// Missing are the topics that do not exist, sorted. One that exists and cannot be understood is a problem instead.
	Missing []string
	// Begun says that the group's start positions are decided.
	Begun bool
	// Strategy is how the members share the partitions out, as they conclude from the same registrations: Range if any
	// member is foreign or asks for it. It is 0 while there are no members, and while brokers that coordinate the group
	// share anew. Why says why it is not Sticky.
	Strategy layout.Strategy
	Why      string
	// Problems are nodes that could not be understood, by path.
	Problems []layout.Problem
	// EndErr is why ends, or some of them, are unknown; nil if all are known. Its text is stable.
	EndErr error
}

// GroupMember is one live member of a group.
type GroupMember struct {
	// ID is new for every session of a member of samsa.
	ID string
	// Pod is the stable name of a member of samsa, which its id or, at brokers, its client id tells; and the whole id of a
	// foreign one.
	Pod string
	// Foreign says that the member is not samsa's, or of a version that this build does not know.
	Foreign bool
	// Leaving says that the member takes no partitions any more, and gives up those it owns as it finishes them.
	Leaving bool
	// Unreadable says that the member's registration could not be understood (see Problems): it holds what it claims,
	// and the others share out partitions without it.
	Unreadable bool
	// Topics are those it subscribes to, sorted.
	Topics []string
}

// GroupPartition is one partition as a group has it.
type GroupPartition struct {
	Partition kafka.Partition
	// Owner is the id of the member that claims it, empty if nobody does. If Stray, the claim is not a member's: Owner is
	// what the claim says then, and it goes with the session that made it (or never: see Problems).
	Owner string
	Stray bool
	// Token grows with every change of owner: the claim's czxid; 0 if unclaimed, and where brokers coordinate the group,
	// who do not tell.
	Token int64
	// Committed is the position of the next message to be delivered, -1 if none is committed, or Malformed.
	Committed int64
	// Malformed says that the committed position is no number, or may not be read (see Problems): nobody delivers this
	// partition until somebody mends it.
	Malformed bool
	// Earliest is the position of the first message that the brokers hold, End the one that the next message will get;
	// -1 if unknown. Committed is beyond End where the topic was created anew, or its log truncated.
	Earliest, End int64
	// Lag is from Committed to End; from Earliest where that is later, and where nothing is committed. It is 0 where
	// Committed is beyond End, and -1 if unknown: never anything else below 0. It counts positions, which are messages;
	// in Kafka 0.7 they are bytes, as the brokers hold them: compressed ones as compressed.
	Lag int64
}
