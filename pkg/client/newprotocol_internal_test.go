// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A group in the protocol of Kafka 4 is shown with its members and what they own, as one in the classic protocol is.
func TestMembersOfTheNewProtocolAreShown(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	keepsNewGroup(fake, "billing", "theirs", "orders", 1)
	cluster, err := Open(t.Context(), Config{Bootstrap: fake.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()

	groups, err := cluster.Groups(t.Context())
	if err != nil || len(groups) != 1 || groups[0].Name != "billing" || groups[0].Members != 1 {
		t.Errorf("the groups are %v, %v", groups, err)
	}
	topics, err := cluster.Group("billing").Topics(t.Context())
	if err != nil || !slices.Equal(topics, []string{"orders"}) {
		t.Errorf("the group's topics are %q, %v", topics, err)
	}
	view, err := cluster.Group("billing").Inspect(t.Context(), []string{"orders"}, nil)
	if err != nil || len(view.Members) != 1 || view.Members[0].ID != "theirs" || !view.Members[0].Foreign {
		t.Errorf("the members are %+v, %v", view.Members, err)
	}
	for _, p := range view.Partitions {
		want := map[string]string{"1": "theirs"}[p.Partition.ID]
		if p.Owner != want {
			t.Errorf("%s is owned by %q, not %q", p.Partition, p.Owner, want)
		}
	}
}

// keepsNewGroup has brokers answer as those of Kafka 4 do that keep a group of one member, which owns one partition.
func keepsNewGroup(fake *kfake.Cluster, group, member, topic string, partition int32) {
	answer := func(key kmsg.Key, with func(request kmsg.Request) kmsg.Response) {
		fake.ControlKey(key.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			return with(request), nil, true
		})
	}
	answer(kmsg.ListGroups, func(request kmsg.Request) kmsg.Response {
		response := request.ResponseKind().(*kmsg.ListGroupsResponse) //nolint:forcetypeassert // by its key
		listed := kmsg.NewListGroupsResponseGroup()
		listed.Group, listed.ProtocolType, listed.GroupState, listed.GroupType = group, "consumer", "Stable", "consumer"
		response.Groups = append(response.Groups, listed)
		return response
	})
	answer(kmsg.DescribeGroups, func(request kmsg.Request) kmsg.Response {
		response := request.ResponseKind().(*kmsg.DescribeGroupsResponse) //nolint:forcetypeassert // by its key
		absent := kmsg.NewDescribeGroupsResponseGroup()
		absent.Group, absent.State, absent.ErrorCode = group, stateDead, kerr.GroupIDNotFound.Code
		response.Groups = append(response.Groups, absent)
		return response
	})
	answer(kmsg.ConsumerGroupDescribe, func(request kmsg.Request) kmsg.Response {
		response := request.ResponseKind().(*kmsg.ConsumerGroupDescribeResponse) //nolint:forcetypeassert // by its key
		given := kmsg.NewAssignmentTopicPartition()
		given.Topic, given.Partitions = topic, []int32{partition}
		one := kmsg.NewConsumerGroupDescribeResponseGroupMember()
		one.MemberID, one.ClientID, one.SubscribedTopics = member, "java", []string{topic}
		one.Assignment.TopicPartitions = append(one.Assignment.TopicPartitions, given)
		found := kmsg.NewConsumerGroupDescribeResponseGroup()
		found.Group, found.State, found.Members = group, "Stable", append(found.Members, one)
		response.Groups = append(response.Groups, found)
		return response
	})
}
