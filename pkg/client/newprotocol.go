// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
)

// look is view with the members of a group in the protocol that came with Kafka 4 (KIP-848): to the classic question
// such a group is not there. None of them is samsa's.
func (q inquiry) look(ctx context.Context) (groupLook, error) {
	found, err := q.view(ctx)
	if err != nil || len(found.Peers) > 0 || found.state != stateDead && found.state != "" {
		return found, err
	}
	if peers := newProtocolPeers(ctx, q.client, q.name)[q.name]; len(peers) > 0 {
		found.Peers, found.state = peers, stateStable
	}
	return found, nil
}

// newProtocolPeers are the members of groups in the new protocol, as classic ones tell of themselves. Brokers that do
// not know it, or do not tell, leave nothing unknown that was to be found out: then there are none.
func newProtocolPeers(ctx context.Context, client *kgo.Client, names ...string) map[string][]coordinator.Peer {
	if len(names) == 0 { // of none, the description is that of all
		return nil
	}
	groups, _ := kadm.NewClient(client).DescribeConsumerGroups(ctx, names...)
	all := map[string][]coordinator.Peer{}
	for name, group := range groups {
		for _, member := range group.Members {
			all[name] = append(all[name], peerOf(member))
		}
	}
	return all
}

func peerOf(member kadm.ConsumerGroupMember) coordinator.Peer {
	said := kmsg.NewConsumerMemberMetadata()
	said.Topics = member.SubscribedTopics
	given := kmsg.NewConsumerMemberAssignment()
	for topic, numbers := range member.Assignment {
		of := kmsg.NewConsumerMemberAssignmentTopic()
		of.Topic = topic
		for number := range numbers {
			of.Partitions = append(of.Partitions, number)
		}
		given.Topics = append(given.Topics, of)
	}
	return coordinator.Peer{
		ID: member.MemberID, Client: member.ClientID, Metadata: said.AppendTo(nil), Assignment: given.AppendTo(nil),
	}
}
