// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/balance"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// assign shares out the partitions that there are among the members, as the protocol wants it.
func assign(protocol string, peers []Peer, partitions map[string][]kafka.Partition) ([]Share, error) {
	if protocol == own {
		return assignOwn(peers, partitions), nil
	}
	for _, balancer := range balancers() {
		if balancer.ProtocolName() == protocol {
			return assignBy(balancer, peers, partitions)
		}
	}
	return nil, fmt.Errorf("the group has chosen protocol %q, which was not offered", protocol)
}

// assignOwn gives every partition to whom package balance says, but for those that another member still holds: that one
// lets go of them first, and then there is another round.
func assignOwn(peers []Peer, partitions map[string][]kafka.Partition) []Share {
	plan := plan(peers, partitions)
	holders := map[balance.Partition][]string{}
	for _, peer := range peers {
		for _, partition := range peer.owned() {
			p := balance.Partition(partition)
			holders[p] = append(holders[p], peer.ID)
		}
	}
	given := map[string][]kafka.Partition{}
	for partition, thread := range plan {
		if others := holders[partition]; len(others) == 0 || len(others) == 1 && others[0] == thread.Member {
			given[thread.Member] = append(given[thread.Member], kafka.Partition(partition))
		}
	}
	shares := make([]Share, len(peers))
	for i, peer := range peers {
		shares[i] = Share{peer.ID, encodeAssignment(given[peer.ID])}
	}
	slices.SortFunc(shares, func(a, b Share) int { return strings.Compare(a.Member, b.Member) })
	return shares
}

func plan(peers []Peer, partitions map[string][]kafka.Partition) balance.Assignment {
	strategy := layout.Sticky
	members := make([]balance.Member, 0, len(peers))
	for _, peer := range peers {
		said := peer.card()
		member := balance.Member{ID: peer.ID, Name: said.Pod, Born: said.Born, Topics: map[string]int{}}
		for _, topic := range peer.topics() {
			member.Topics[topic] = 1
		}
		if said.strategy() == layout.Range {
			strategy = layout.Range
		}
		if len(member.Topics) > 0 { // else it leaves
			members = append(members, member)
		}
	}
	var all []balance.Partition
	for _, ofTopic := range partitions {
		for _, partition := range ofTopic {
			all = append(all, balance.Partition(partition))
		}
	}
	if strategy == layout.Range {
		return balance.Range(members, all)
	}
	return balance.Sticky(members, all)
}

func encodeAssignment(partitions []kafka.Partition) []byte {
	assignment := kmsg.NewConsumerMemberAssignment()
	topics := byTopic(partitions)
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		of := kmsg.NewConsumerMemberAssignmentTopic()
		of.Topic, of.Partitions = topic, topics[topic]
		assignment.Topics = append(assignment.Topics, of)
	}
	return assignment.AppendTo(nil)
}

// assignBy shares out as Kafka's own consumers do.
func assignBy(
	balancer kgo.GroupBalancer, peers []Peer, partitions map[string][]kafka.Partition,
) ([]Share, error) {
	members := make([]kmsg.JoinGroupResponseMember, len(peers))
	for i, peer := range peers {
		members[i] = kmsg.NewJoinGroupResponseMember()
		members[i].MemberID, members[i].ProtocolMetadata = peer.ID, slices.Clone(peer.Metadata)
	}
	slices.SortFunc(members, func(a, b kmsg.JoinGroupResponseMember) int {
		return strings.Compare(a.MemberID, b.MemberID)
	})
	among, topics, err := balancer.MemberBalancer(members)
	if err != nil {
		return nil, fmt.Errorf("what a member of the group says cannot be understood: %w", err)
	}
	counts := map[string]int32{}
	for topic := range topics {
		counts[topic] = int32(len(partitions[topic])) //nolint:gosec // Kafka numbers partitions by int32
	}
	decided, err := shareOut(among, counts)
	if err != nil {
		return nil, fmt.Errorf("share out partitions by %s: %w", balancer.ProtocolName(), err)
	}
	var shares []Share
	for _, one := range decided.IntoSyncAssignment() {
		shares = append(shares, Share{one.MemberID, one.MemberAssignment})
	}
	return shares, nil
}

// shareOut asks in the way that can fail, where there is one.
func shareOut(among kgo.GroupMemberBalancer, counts map[string]int32) (kgo.IntoSyncAssignment, error) {
	if fallible, ok := among.(kgo.GroupMemberBalancerOrError); ok {
		return fallible.BalanceOrError(counts)
	}
	return among.Balance(counts), nil
}
