// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("A consumer group", func() {
	var billing client.ConsumerConfig

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	describeSharing(func(ctx context.Context, topics map[string]int32) func() *client.Cluster {
		w := start(ctx, topics)
		return func() *client.Cluster { return open(ctx, w) }
	})

	It("goes on where it was after its session has expired", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 50)
		Eventually(received.distinct).Should(Equal(50))
		before := a.Status().Epoch

		w.ZooKeeper.ExpireAll()
		Eventually(func() uint64 { return a.Status().Epoch }).Should(BeNumerically(">", before))
		Eventually(a.running).Should(Equal(4))
		publish(ctx, cluster.Topic("orders"), 50)
		Eventually(received.distinct).Should(Equal(100))
		Expect(received.outOfOrder()).To(BeEmpty())
	})

	It("begins at the end of the log if told so, once for ever", func(ctx SpecContext) {
		cluster := open(ctx, start(ctx, map[string]int32{"orders": 3}))
		topic := cluster.Topic("orders")
		publish(ctx, topic, 30)
		received := newBook()
		latest := billing
		latest.Start = kafka.Latest()
		a := join(cluster, "a", latest, received)
		Eventually(a.running).Should(Equal(3))
		publish(ctx, topic, 10)
		Eventually(received.distinct).Should(Equal(10))
		a.leave()
		publish(ctx, topic, 10)
		join(cluster, "b", latest, received)
		Eventually(received.distinct).Should(Equal(20))
	})

	It("finds a topic that appears later, and partitions that are added, from their first message", func(ctx SpecContext) {
		w := start(ctx, nil)
		cluster := open(ctx, w)
		received := newBook()
		latest := billing
		latest.Start = kafka.Latest()
		a := join(cluster, "a", latest, received)
		Eventually(func() []string { return a.Status().Missing }).Should(ConsistOf("orders"))
		Expect(w.Kafka.CreateTopic(ctx, "orders", 2)).To(Succeed())
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(received.distinct).Should(Equal(20))
		Expect(w.Kafka.Grow(ctx, "orders", 5)).To(Succeed())
		publish(ctx, cluster.Topic("orders"), 50)
		Eventually(received.distinct).Should(Equal(70))
		Expect(a.Status().Missing).To(BeEmpty())
	})

	It("does not acknowledge a message whose loop body did not come back", func(ctx SpecContext) {
		cluster := open(ctx, start(ctx, map[string]int32{"orders": 1}))
		topic := cluster.Topic("orders")
		publish(ctx, topic, 5)
		consume := func(stopAt int) (ids []string) {
			consumer, err := topic.Subscribe(ctx, "billing")
			Expect(err).NotTo(HaveOccurred())
			for message, err := range consumer.Messages(ctx) {
				Expect(err).NotTo(HaveOccurred())
				ids = append(ids, message.ID())
				if len(ids) == stopAt {
					break
				}
			}
			return ids
		}
		Expect(consume(3)).To(HaveLen(3))
		Expect(consume(1)).To(ConsistOf(fmt.Sprintf("orders/0/%d", 2)))
	})

	It("commits on demand what was acknowledged, although more keeps coming", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		cluster := open(ctx, w)
		topic := cluster.Topic("orders")
		publish(ctx, topic, 50)
		consumer, err := cluster.Consumer(client.ConsumerConfig{
			Group: "billing", Topics: []string{"orders"}, CommitInterval: time.Hour,
		})
		Expect(err).NotTo(HaveOccurred())
		seen := 0
		for message, err := range consumer.Messages(ctx) {
			Expect(err).NotTo(HaveOccurred())
			if seen++; seen == 20 {
				Expect(consumer.Commit(ctx)).To(Succeed())
				node, _ := w.ZooKeeper.Get(w.Path("/consumers/billing/offsets/orders/0"))
				Expect(string(node.Data)).To(Equal(strconv.FormatInt(message.Offset, 10)))
				break
			}
		}
		for _, err := range consumer.Messages(ctx) {
			Expect(err).To(MatchError(ContainSubstring("run before")))
		}
	})
})
