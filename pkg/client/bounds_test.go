// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
)

var _ = Describe("The ends of logs, with a broker that", func() {
	var (
		w       *world.World
		cluster *client.Cluster
		g       *client.Group
	)

	// half says that the ends of partition 0 are known, and those of partition 1 are not.
	half := func(ctx context.Context) client.GroupView {
		GinkgoHelper()
		view := inspect(ctx, g, "orders")
		Expect(view.EndErr).To(MatchError(ContainSubstring("1 of 2 partitions")))
		Expect(view.Partitions[0]).To(SatisfyAll(
			HaveField("End", BeEquivalentTo(5)), HaveField("Earliest", BeEquivalentTo(0)), HaveField("Lag", BeEquivalentTo(2))))
		Expect(view.Partitions[1]).To(SatisfyAll(
			HaveField("End", BeEquivalentTo(-1)), HaveField("Lag", BeEquivalentTo(-1)),
			HaveField("Committed", BeEquivalentTo(3)), HaveField("Owner", BeEmpty())))
		return view
	}

	BeforeEach(func(ctx SpecContext) {
		w = start(ctx, map[string]int32{"orders": 2})
		Expect(w.Kafka.MoveLeader(ctx, "orders", 0, 0)).To(Succeed())
		Expect(w.Kafka.MoveLeader(ctx, "orders", 1, 1)).To(Succeed())
		cluster = open(ctx, w)
		g = cluster.Group("billing")
		for number, end := range []string{"0", "1"} {
			put(outsider(w), w, "/consumers/billing/offsets/orders/"+end, "3")
			fill(ctx, w, "orders", int32(number), 5)
		}
		Expect(inspect(ctx, g, "orders").EndErr).NotTo(HaveOccurred())
	})

	It("is gone, are known but for its own, at once", func(ctx SpecContext) {
		Expect(w.Kafka.StopBroker(1)).To(Succeed())
		begin := time.Now()
		first := half(ctx)
		Expect(time.Since(begin)).To(BeNumerically("<", 2*time.Second))
		Expect(first.EndErr).To(MatchError(ContainSubstring("refused")))
		Expect(half(ctx).EndErr).To(MatchError(first.EndErr.Error()), "the text is stable")
		Expect(w.Kafka.StartBroker(ctx, 1)).To(Succeed())
		Eventually(func() error { return inspect(ctx, g, "orders").EndErr }).ShouldNot(HaveOccurred())
	})

	It("hangs, are known but for its own, soon", func(ctx SpecContext) {
		Expect(w.Kafka.FreezeBroker(1)).To(Succeed())
		half(ctx)
		begin := time.Now()
		for range 4 {
			Expect(half(ctx).EndErr).To(MatchError(ContainSubstring("in time")))
		}
		Expect(time.Since(begin)).To(BeNumerically("<", 4*time.Second), "it was waited for long enough before")
		Expect(w.Kafka.ThawBroker(1)).To(Succeed())
		Eventually(func() error { return inspect(ctx, g, "orders").EndErr }).ShouldNot(HaveOccurred())
	})

	It("answers no sooner than the caller has time for, are unknown, and no error", func(ctx SpecContext) {
		Expect(w.Kafka.FreezeBroker(1)).To(Succeed())
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		half(short)
		Expect(w.Kafka.ThawBroker(1)).To(Succeed())
	})

	It("is not there, are unknown at once, and what ZooKeeper tells is known", func(ctx SpecContext) {
		Expect(w.Kafka.StopBroker(0)).To(Succeed())
		Expect(w.Kafka.StopBroker(1)).To(Succeed())
		fresh, err := client.Connect(client.Config{ZooKeeper: w.Connect(), SessionTimeout: sessionTimeout})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(fresh.Close)
		begin := time.Now()
		view := inspect(ctx, fresh.Group("billing"), "orders")
		Expect(time.Since(begin)).To(BeNumerically("<", time.Second))
		Expect(view.EndErr).To(MatchError(client.ErrNoBrokers))
		Expect(view.Partitions).To(HaveEach(SatisfyAll(
			HaveField("Committed", BeEquivalentTo(3)), HaveField("Lag", BeEquivalentTo(-1)),
			HaveField("End", BeEquivalentTo(-1)), HaveField("Earliest", BeEquivalentTo(-1)))))
	})
})

var _ = Describe("Groups that are looked at again and again", func() {
	It("are told of changes, each and every onlooker, until they are forgotten", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		told := map[string]chan struct{}{}
		look := func(g *client.Group, who string) {
			GinkgoHelper()
			told[who] = make(chan struct{}, 1)
			came := told[who]
			_, err := g.Inspect(ctx, []string{"orders"}, func() {
				select {
				case came <- struct{}{}:
				default:
				}
			})
			Expect(err).NotTo(HaveOccurred())
		}
		one, two, gone := cluster.Group("billing"), cluster.Group("billing"), cluster.Group("billing")
		other := cluster.Group("audit")
		look(one, "one")
		look(two, "two")
		look(other, "other")
		look(gone, "gone")
		gone.Forget()
		a := join(open(ctx, w), "a", client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}, newBook())
		Eventually(told["one"]).Should(Receive())
		Eventually(told["two"]).Should(Receive())
		Eventually(a.running).Should(Equal(2))
		Expect(told["other"]).NotTo(Receive())
		Expect(told["gone"]).NotTo(Receive())

		Eventually(func() map[string]int { // a hint for each step, until all is told
			look(one, "one")
			return ownersOf(inspect(ctx, one, "orders"))
		}).Should(HaveKeyWithValue("a", 2))
		Expect(w.Kafka.Grow(ctx, "orders", 3)).To(Succeed())
		Eventually(told["other"]).Should(Receive())
		w.ZooKeeper.ExpireAll()
		Eventually(told["one"]).Should(Receive(), "a lost session is a hint")
	})

	It("leave a bounded number of watches, however many looks and Groups there are", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 12})
		cluster := open(ctx, w)
		before := w.ZooKeeper.Watches()
		const groups = 200
		for range 3 {
			for i := range groups {
				_, err := cluster.Group(fmt.Sprint("group-", i)).Inspect(ctx, []string{"orders"}, func() {})
				Expect(err).NotTo(HaveOccurred())
			}
		}
		Expect(w.ZooKeeper.Watches() - before).To(BeNumerically("<=", 2*groups+1))
	})

	It("are looked at in little time", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 12, "wide": 1000})
		g := open(ctx, w).Group("billing")
		took := func(topic string) time.Duration {
			GinkgoHelper()
			inspect(ctx, g, topic) // connects
			begin := time.Now()
			Expect(inspect(ctx, g, topic).EndErr).NotTo(HaveOccurred())
			return time.Since(begin)
		}
		few, many := took("orders"), took("wide")
		AddReportEntry("a look at 12 and at 1,000 partitions", []time.Duration{few, many})
		Expect(few).To(BeNumerically("<", 200*time.Millisecond))
		Expect(many).To(BeNumerically("<", time.Second))
	})
})

// fill writes n messages to one partition.
func fill(ctx context.Context, w *world.World, topic string, number int32, n int) {
	GinkgoHelper()
	producer, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	Expect(err).NotTo(HaveOccurred())
	defer producer.Close()
	for range n {
		Expect(producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: number}).FirstErr()).To(Succeed())
	}
}
