// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// A member that asks for its positions, and then whether there are any, may be overtaken by the one that decides where
// the group begins. Its partitions would be taken for new ones and begin at the earliest message.
func TestAGroupThatBeginsBetweenTwoQuestionsHasItsPositions(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.MaxVersions(byName()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	asked := 0
	fake.ControlKey(kmsg.OffsetFetch.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked++
		if asked == 1 { // nothing is committed yet
			return nil, nil, false
		}
		return positionAt(request.(*kmsg.OffsetFetchRequest), 7), nil, true //nolint:forcetypeassert // by its key
	})
	partition := kafka.Partition{Topic: "orders", ID: "0"}
	located := inquiry{name: "billing", client: client}.locate(t.Context(), coordinator.Locate{
		Partitions: []kafka.Partition{partition}, Any: true, Topics: []string{"orders"},
	}, nil)
	if position, ok := located.Positions[partition]; located.Err != nil || !located.Any || !ok || position != 7 {
		t.Errorf("located %+v, want the position 7", located)
	}
}

// positionAt answers that the one partition there is has a position.
func positionAt(request *kmsg.OffsetFetchRequest, offset int64) *kmsg.OffsetFetchResponse {
	response := request.ResponseKind().(*kmsg.OffsetFetchResponse) //nolint:forcetypeassert // what else
	partition := kmsg.NewOffsetFetchResponseGroupTopicPartition()
	partition.Offset = offset
	topic := kmsg.NewOffsetFetchResponseGroupTopic()
	topic.Topic, topic.Partitions = "orders", append(topic.Partitions, partition)
	group := kmsg.NewOffsetFetchResponseGroup()
	group.Group, group.Topics = request.Groups[0].Group, append(group.Topics, topic)
	response.Groups = append(response.Groups, group)
	return response
}
