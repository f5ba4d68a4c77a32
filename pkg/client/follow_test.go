// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("A consumer of a pattern", func() {
	var orders client.ConsumerConfig

	BeforeEach(func() {
		orders = client.ConsumerConfig{
			Group: "billing", Pattern: regexp.MustCompile(`orders-\w+`), Start: kafka.Latest(),
		}
	})

	It("takes up topics as they appear, and lets go of those that do not, in one session", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders-1": 4, "preorders-1": 4, "orders-1-dlq": 4})
		cluster := open(ctx, w)
		received := newBook()
		a, b := join(cluster, "a", orders, received), join(open(ctx, w), "b", orders, received)
		Eventually(a.running).Should(Equal(2))
		Eventually(b.running).Should(Equal(2))
		before := []string{a.Status().Member, b.Status().Member}
		publish(ctx, cluster.Topic("orders-1"), 40)

		Expect(w.Kafka.CreateTopic(ctx, "orders-2", 4)).To(Succeed())
		publish(ctx, cluster.Topic("orders-2"), 40) // from the first message on, although the group begins at the end
		Eventually(received.distinct).Should(Equal(80))
		Eventually(a.running).Should(Equal(4))
		Eventually(b.running).Should(Equal(4))
		Expect(a.Status().Topics).To(Equal([]string{"orders-1", "orders-2"}))

		Expect(w.Kafka.DeleteTopic(ctx, "orders-1")).To(Succeed())
		Eventually(a.running).Should(Equal(2))
		Eventually(b.running).Should(Equal(2))
		Expect(a.runningOf("orders-1") + b.runningOf("orders-1")).To(BeZero())
		Eventually(func() []string { return a.Status().Topics }).Should(Equal([]string{"orders-2"}))
		Eventually(func() []string { return w.ZooKeeper.Children(w.Path("/consumers/billing/owners/orders-1")) }).
			Should(BeEmpty())
		publish(ctx, cluster.Topic("orders-2"), 40)
		Eventually(received.distinct).Should(Equal(120))
		Expect(received.twice()).To(BeEmpty())
		Expect(received.outOfOrder()).To(BeEmpty())
		Expect([]string{a.Status().Member, b.Status().Member}).To(Equal(before))
	})

	It("waits for a topic that matches", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"bills": 1})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", orders, received)
		Eventually(func() bool { return a.Status().Observed }).Should(BeTrue())
		Expect(a.Status()).To(And(HaveField("Topics", BeEmpty()), HaveField("Missing", BeEmpty())))
		view, err := cluster.Group("billing").Inspect(ctx, nil, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Members).To(ConsistOf(HaveField("Leaving", false)))
		Expect(w.Kafka.CreateTopic(ctx, "orders-1", 1)).To(Succeed())
		publish(ctx, cluster.Topic("orders-1"), 3)
		Eventually(received.distinct).Should(Equal(3))
	})

	It("follows a registry that loses its watches and its sessions", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders-1": 2})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", orders, received)
		Eventually(a.running).Should(Equal(2))
		w.ZooKeeper.Faults().LoseWatchEvents(true)
		Expect(w.Kafka.CreateTopic(ctx, "orders-2", 2)).To(Succeed())
		Eventually(a.running).Should(Equal(4))
		Expect(w.Kafka.CreateTopic(ctx, "orders-3", 2)).To(Succeed())
		w.ZooKeeper.ExpireAll()
		Eventually(a.running).Should(Equal(6))
		publish(ctx, cluster.Topic("orders-2"), 10)
		Eventually(received.distinct).Should(Equal(10))
	})

	It("needs no transactions", func(ctx SpecContext) {
		w, err := world.Start(ctx, world.Config{
			Tick: tick, Topics: map[string]int32{"orders-1": 2}, WithoutMulti: true,
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Close)
		a, b := join(open(ctx, w), "a", orders, newBook()), join(open(ctx, w), "b", orders, newBook())
		Eventually(a.running).Should(Equal(1))
		Eventually(b.running).Should(Equal(1))
		Expect(w.Kafka.CreateTopic(ctx, "orders-2", 2)).To(Succeed())
		Eventually(a.running).Should(Equal(2))
		Eventually(b.running).Should(Equal(2))
	})

	It("is given besides topics, or wrong", func(ctx SpecContext) {
		cluster := open(ctx, start(ctx, nil))
		orders.Topics = []string{"orders"}
		_, err := cluster.Consumer(orders)
		Expect(err).To(MatchError(ContainSubstring("pattern: is given besides topics; keep one of them")))
		_, err = cluster.Consumer(client.ConsumerConfig{Group: "g"})
		Expect(err).To(MatchError(ContainSubstring("name at least one topic, or give a pattern")))
		_, err = cluster.Consumer(client.ConsumerConfig{Group: "g", Pattern: regexp.MustCompile("")})
		Expect(err).To(MatchError(ContainSubstring("pattern: is empty")))
	})
})
