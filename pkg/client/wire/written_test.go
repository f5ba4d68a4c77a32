// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// The ids by which brokers are asked for offsets: consumers, and Kafka's tool that looks at replicas.
const (
	asConsumer = -1
	asDebugger = -2
)

// answerList answers for every partition of a request.
func answerList(request *kmsg.ListOffsetsRequest, offset int64, code int16) *kmsg.ListOffsetsResponse {
	response := request.ResponseKind().(*kmsg.ListOffsetsResponse) //nolint:forcetypeassert // of this request
	for _, asked := range request.Topics {
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = asked.Topic
		for _, one := range asked.Partitions {
			partition := kmsg.NewListOffsetsResponseTopicPartition()
			partition.Partition, partition.Offset, partition.ErrorCode = one.Partition, offset, code
			topic.Partitions = append(topic.Partitions, partition)
		}
		response.Topics = append(response.Topics, topic)
	}
	return response
}

var _ = Describe("The position behind all that was written", func() {
	It("is that of the leader's log, also where consumers may not read so far yet", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.Fake().ControlKey(kmsg.ListOffsets.Int16(), func(asked kmsg.Request) (kmsg.Response, error, bool) {
			w.Fake().KeepControl()
			request := asked.(*kmsg.ListOffsetsRequest) //nolint:forcetypeassert // it is asked for
			if request.ReplicaID == asDebugger {
				return answerList(request, 12, 0), nil, true
			}
			return answerList(request, 10, 0), nil, true
		})
		partitions := []kafka.Partition{first, second}
		Expect(w.transport.Positions(ctx, partitions, kafka.Written())).To(
			Equal(map[kafka.Partition]int64{first: 12, second: 12}))
		Expect(w.transport.Positions(ctx, partitions, kafka.Latest())).To(
			Equal(map[kafka.Partition]int64{first: 10, second: 10}))
	}, NodeTimeout(30*time.Second))

	It("is not that of a broker which leads no more, though it would tell", func(ctx SpecContext) {
		w := newWorld(ctx)
		seen := false
		w.Fake().ControlKey(kmsg.ListOffsets.Int16(), func(asked kmsg.Request) (kmsg.Response, error, bool) {
			w.Fake().KeepControl()
			request := asked.(*kmsg.ListOffsetsRequest) //nolint:forcetypeassert // it is asked for
			if request.ReplicaID == asConsumer && seen {
				return answerList(request, -1, kerr.NotLeaderForPartition.Code), nil, true
			}
			seen = seen || request.ReplicaID == asDebugger
			return answerList(request, 10, 0), nil, true
		})
		positions, err := w.transport.Positions(ctx, []kafka.Partition{first}, kafka.Written())
		Expect(err).To(MatchError(kerr.NotLeaderForPartition))
		Expect(positions).To(BeEmpty())
	}, NodeTimeout(30*time.Second))
})
