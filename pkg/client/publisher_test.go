// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("Publishing to later Kafka", func() {
	It("sends a key where Kafka's own producer sends it, with the key", func(ctx SpecContext) {
		const partitions = 13 // 10 comes behind 9
		w := start(ctx, map[string]int32{"orders": partitions})
		cluster := open(ctx, w)
		reference := kgo.StickyKeyPartitioner(nil).ForTopic("orders")
		publisher := cluster.Topic("orders").Publisher(client.ByKey())
		want := map[string]string{}
		for i := range 50 {
			key := fmt.Sprintf("customer-%d", i)
			published, err := publisher.PublishMessages(ctx, []kafka.Message{{Key: []byte(key), Value: []byte("order")}})
			Expect(err).NotTo(HaveOccurred())
			want[key] = fmt.Sprint(reference.Partition(&kgo.Record{Key: []byte(key)}, partitions))
			Expect(published.Partition.ID).To(Equal(want[key]))
		}
		consumer, err := cluster.Topic("orders").Subscribe(ctx, "billing")
		Expect(err).NotTo(HaveOccurred())
		got := map[string]string{}
		for message, err := range consumer.Messages(ctx) {
			Expect(err).NotTo(HaveOccurred())
			if got[string(message.Key)] = message.Partition.ID; len(got) == len(want) {
				break
			}
		}
		Expect(got).To(Equal(want))
	})

	It("takes partitions in turn, and goes on to the next one where brokers do not answer", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 4})
		for partition, leader := range []int32{1, 0, 1, 1} {
			Expect(w.Kafka.Fake().MoveTopicPartition("orders", int32(partition), leader)).To(Succeed()) //nolint:gosec // 0 to 3
		}
		publisher := open(ctx, w).Topic("orders").Publisher(client.RoundRobin())
		turn := func() string {
			GinkgoHelper()
			published, err := publisher.PublishMessages(ctx, []kafka.Message{{Value: []byte("x")}})
			Expect(err).NotTo(HaveOccurred())
			return published.Partition.ID
		}
		Expect([]string{turn(), turn(), turn(), turn(), turn()}).To(Equal([]string{"0", "1", "2", "3", "0"}))
		Expect(w.Kafka.FreezeBroker(0)).To(Succeed())
		Expect(turn()).To(Equal("2")) // in place of 1
	})

	It("refuses what is too large at the first partition", func(ctx SpecContext) {
		cluster := open07(ctx, start(ctx, map[string]int32{"orders": 4}), client.Config{MaxMessageBytes: 1000})
		err := cluster.Topic("orders").Publish(ctx, make([]byte, 1001))
		Expect(err).To(MatchError(kafka.ErrTooLarge))
		Expect(err).NotTo(MatchError(ContainSubstring("no partition took")))
	})
})
