// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("A consumer group on Kafka 0.7", func() {
	var billing client.ConsumerConfig

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	for _, compression := range []kafka.Compression{kafka.Uncompressed, kafka.Gzip, kafka.Snappy} {
		It("shares the messages of a topic, each once and in order, whoever comes and goes, compressed: "+
			compression.String(), func(ctx SpecContext) {
			w := start07(ctx, map[string]int32{"orders": 6})
			topic := open07(ctx, w, client.Config{Compression: compression}).Topic("orders")
			received, sent := newBook(), 0
			send := func() {
				for range 40 {
					Expect(topic.Publish(ctx, numbered(fmt.Sprint("call ", sent), 5)...)).To(Succeed())
					sent += 5
				}
			}
			a := join(open(ctx, w), "a", billing, received)
			Eventually(a.running).Should(Equal(6))
			send()
			b := join(open(ctx, w), "b", billing, received)
			Eventually(a.running).Should(Equal(3))
			Eventually(b.running).Should(Equal(3))
			send()
			a.leave()
			Eventually(b.running).Should(Equal(6))
			send()
			Eventually(received.distinct).Should(Equal(sent))
			Expect(received.twice()).To(BeEmpty())
			Expect(received.outOfOrder()).To(BeEmpty())
		})
	}

	It("gives every group all of the messages", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		books := []*book{newBook(), newBook(), newBook()}
		for i, received := range books {
			each := billing
			each.Group = fmt.Sprintf("audit-%d", i)
			join(cluster, "a", each, received)
		}
		publish(ctx, cluster.Topic("orders"), 100)
		for _, received := range books {
			Eventually(received.distinct).Should(Equal(100))
			Expect(received.twice()).To(BeEmpty())
			Expect(received.missing(100)).To(BeEmpty())
		}
	})

	It("is written as Kafka 0.7 writes its own", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2, "returns": 2})
		cluster := open(ctx, w)
		both := billing
		both.Topics = []string{"returns", "orders"}
		received := newBook()
		a := join(cluster, "a", both, received)
		Eventually(a.running).Should(Equal(4))
		id := a.Status().Member
		Expect(data(w, "/consumers/billing/ids/"+id)).To(Equal(`{ "orders": 1,"returns": 1 }`))
		Expect(w.ZooKeeper.Children(w.Path("/consumers/billing/owners/orders"))).To(Equal([]string{"0-0", "1-0"}))
		Expect(data(w, "/consumers/billing/owners/orders/1-0")).To(Equal(id + "-0"))
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(received.distinct).Should(Equal(20))
		for _, name := range []string{"0-0", "1-0"} {
			end := w.Kafka07.End(kafka.Partition{Topic: "orders", ID: name})
			Eventually(func() string { return committed(w, "billing", "orders")[name] }).
				Should(Equal(strconv.FormatInt(end, 10)))
		}
	})

	It("begins at the earliest message, or at the end of the log if told so, once for ever", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 3})
		cluster := open(ctx, w)
		topic := cluster.Topic("orders")
		publish(ctx, topic, 30)
		early, late := newBook(), newBook()
		latest := billing
		latest.Group, latest.Start = "late", kafka.Latest()
		a := join(cluster, "a", latest, late)
		Eventually(a.running).Should(Equal(3))
		publish(ctx, topic, 10)
		Eventually(late.distinct).Should(Equal(10))
		a.leave()
		publish(ctx, topic, 10)
		join(cluster, "b", latest, late)
		Eventually(late.distinct).Should(Equal(20))
		join(cluster, "c", billing, early)
		Eventually(early.distinct).Should(Equal(50))
	})

	It("finds a topic that is born later, and brokers that take it up, from their first message", func(ctx SpecContext) {
		w := start07With(ctx, world.Config{Brokers: 2})
		cluster := open(ctx, w)
		latest := billing
		latest.Start = kafka.Latest()
		received := newBook()
		a := join(cluster, "a", latest, received)
		Eventually(func() []string { return a.Status().Missing }).Should(ConsistOf("orders"))
		declare(w, "orders", 2)
		keyed := cluster.Topic("orders").Publisher(client.ByKey())
		_, err := keyed.PublishMessages(ctx, []kafka.Message{{Key: []byte("k"), Value: []byte("first")}})
		Expect(err).NotTo(HaveOccurred())
		Eventually(received.distinct).Should(Equal(1))
		Eventually(a.running).Should(Equal(2))
		publish(ctx, cluster.Topic("orders"), 60)
		Eventually(received.distinct).Should(Equal(61))
		Eventually(a.running).Should(Equal(3))
		Expect(a.Status().Missing).To(BeEmpty())
	})

	It("lets go of the partitions of a broker that leaves, and goes on when it returns", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 40)
		Eventually(received.distinct).Should(Equal(40))
		Expect(w.Kafka07.StopBroker(1)).To(Succeed())
		Eventually(a.running).Should(Equal(2))
		Expect(cluster.Topic("orders").Partitions(ctx)).To(HaveLen(2))
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(received.distinct).Should(Equal(60))
		Expect(w.Kafka07.StartBroker(ctx, 1)).To(Succeed())
		Eventually(a.running).Should(Equal(4))
		publish(ctx, cluster.Topic("orders"), 40)
		Eventually(received.distinct).Should(Equal(100))
		Expect(received.twice()).To(BeEmpty())
		Expect(received.outOfOrder()).To(BeEmpty())
	})

	It("waits for a topic that no broker has at the moment", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		Expect(w.Kafka07.StopBroker(0)).To(Succeed())
		Expect(w.Kafka07.StopBroker(1)).To(Succeed())
		Eventually(func() ([]kafka.Partition, error) { return cluster.Topic("orders").Partitions(ctx) }).Should(BeEmpty())
		received := newBook()
		a := join(cluster, "a", billing, received)
		Eventually(func() bool { return a.Status().Observed }).Should(BeTrue())
		Expect(a.Status().Missing).To(BeEmpty())
		Expect(w.Kafka07.StartBroker(ctx, 0)).To(Succeed())
		publish(ctx, cluster.Topic("orders"), 5)
		Eventually(received.distinct).Should(Equal(5))
	})
})
