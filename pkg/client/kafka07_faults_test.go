// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("Kafka 0.7, when things go wrong", func() {
	var billing client.ConsumerConfig

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	DescribeTable("loses nothing that was acknowledged while brokers come and go",
		func(ctx SpecContext, end func(*kafka07.Cluster, int32) error) {
			w := start07(ctx, map[string]int32{"orders": 4})
			cluster := open(ctx, w)
			received := newBook()
			join(cluster, "a", billing, received)
			join(open(ctx, w), "b", billing, received)
			publishing, enough := context.WithCancel(ctx)
			defer enough()
			sent := make(chan int, 1)
			go func() {
				defer GinkgoRecover()
				n := 0
				for ; publishing.Err() == nil; n++ {
					Expect(cluster.Topic("orders").Publish(ctx, fmt.Appendf(nil, "message %d", n))).To(Succeed())
				}
				sent <- n
			}()
			for round := range int32(4) {
				before := received.distinct()
				Expect(end(w.Kafka07, round%2)).To(Succeed())
				Expect(w.Kafka07.StartBroker(ctx, round%2)).To(Succeed())
				Eventually(received.distinct).Should(BeNumerically(">", before+100))
			}
			enough()
			n := <-sent
			Eventually(func() []int { return received.missing(n) }).Should(BeEmpty())
			Expect(received.outOfOrder()).To(BeEmpty())
		},
		Entry("stopped", (*kafka07.Cluster).StopBroker),
		Entry("killed", (*kafka07.Cluster).KillBroker),
	)

	It("goes on with the others while a broker hangs, and with it when it does not", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		Eventually(a.running).Should(Equal(4))
		Expect(w.Kafka07.FreezeBroker(0)).To(Succeed())
		turns := cluster.Topic("orders").Publisher(client.RoundRobin())
		first, err := turns.PublishMessages(ctx, []kafka.Message{{Value: []byte("message 0")}})
		Expect(err).NotTo(HaveOccurred())
		Expect(first.Partition.ID).To(HavePrefix("1-")) // it was the turn of 0-0
		Eventually(received.distinct).Should(Equal(1))
		Expect(w.Kafka07.ThawBroker(0)).To(Succeed())
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(func() []int { return received.missing(20) }).Should(BeEmpty())
		Expect(received.twice()).To(BeEmpty())
	})

	It("goes on at the earliest message where retention was faster, after saying so", func(ctx SpecContext) {
		w := start07With(ctx, world.Config{
			Topics: map[string]int32{"orders": 1}, Broker07: kafka07.Config{Retention: time.Nanosecond},
		})
		cluster := open(ctx, w)
		publish(ctx, cluster.Topic("orders"), 4)
		received := newBook()
		a := join(cluster, "a", billing, received)
		Eventually(received.distinct).Should(Equal(4))
		a.leave()
		publish(ctx, cluster.Topic("orders"), 6)
		Expect(w.Kafka07.Broker(0).Clean()).To(Succeed())
		publish(ctx, cluster.Topic("orders"), 3)

		consumer, err := cluster.Consumer(billing)
		Expect(err).NotTo(HaveOccurred())
		var failures, messages int
		for _, err := range consumer.Messages(ctx) {
			if err != nil {
				lost := (*kafka.OutOfRange)(nil)
				Expect(errors.As(err, &lost)).To(BeTrue(), "got %v", err)
				Expect(lost.Truncated()).To(BeFalse())
				failures++
			} else if messages++; messages == 3 {
				break
			}
		}
		Expect(failures).To(Equal(1))
	})

	It("does not guess where a log ends before the position", func(ctx SpecContext) {
		w := start07With(ctx, world.Config{Topics: map[string]int32{"orders": 1}})
		cluster := open(ctx, w)
		put(outsider(w), w, "/consumers/billing/offsets/orders/0-0", "1000000")
		publish(ctx, cluster.Topic("orders"), 3)
		a := join(cluster, "a", billing, newBook())
		at := kafka.Partition{Topic: "orders", ID: "0-0"}
		Eventually(func() error { return a.Status().Fetches[at].Err }).Should(MatchError(ContainSubstring("outside the log")))
		a.leave()
		Expect(committed(w, "billing", "orders")).To(Equal(map[string]string{"0-0": "1000000"}))
	})

	It("goes on where it was after its session has expired", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 50)
		Eventually(received.distinct).Should(Equal(50))
		before := a.Status().Epoch
		w.ZooKeeper.ExpireAll() // the brokers' sessions, too: for a moment there is no broker and no topic
		Eventually(func() uint64 { return a.Status().Epoch }).Should(BeNumerically(">", before))
		Eventually(a.running).Should(Equal(4))
		publish(ctx, cluster.Topic("orders"), 50)
		Eventually(func() []int { return received.missing(50) }).Should(BeEmpty())
		Eventually(received.distinct).Should(Equal(100))
		Expect(received.outOfOrder()).To(BeEmpty())
	})

	It("needs no transactions", func(ctx SpecContext) {
		w := start07With(ctx, world.Config{Brokers: 2, Topics: map[string]int32{"orders": 4}, WithoutMulti: true})
		received := newBook()
		a, b := join(open(ctx, w), "a", billing, received), join(open(ctx, w), "b", billing, received)
		Eventually(a.running).Should(Equal(2))
		Eventually(b.running).Should(Equal(2))
		publish(ctx, open(ctx, w).Topic("orders"), 40)
		Eventually(received.distinct).Should(Equal(40))
		a.leave()
		Eventually(b.running).Should(Equal(4))
		Expect(received.twice()).To(BeEmpty())
	})
})

// registerLater registers a broker of Kafka 0.8 that is not there, until it is taken away again.
func registerLater(w *world.World, id string) (remove func()) {
	GinkgoHelper()
	conn, path := outsider(w), w.Path("/brokers/ids/"+id)
	_, err := conn.Create(path, []byte(`{"version":1,"host":"127.0.0.1","port":1,"jmx_port":-1,"timestamp":"1"}`),
		zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
	Expect(err).NotTo(HaveOccurred())
	return func() {
		GinkgoHelper()
		Expect(conn.Delete(path, -1)).To(Succeed())
	}
}
