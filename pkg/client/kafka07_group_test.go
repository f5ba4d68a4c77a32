// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
)

var _ = Describe("A group on Kafka 0.7", func() {
	var billing client.ConsumerConfig

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	DescribeTable("is shared with Kafka 0.7's own consumers", func(ctx SpecContext, registration string) {
		w := start07(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		Eventually(a.running).Should(Equal(4))
		publish(ctx, cluster.Topic("orders"), 40)
		Eventually(received.distinct).Should(Equal(40))

		// Its id comes first, so it takes the first half of the partitions, in the order of their names.
		foreign := joinForeign(w, "billing", registration)
		Eventually(a.running).Should(Equal(2))
		foreign.claim("orders", "0-0")
		foreign.claim("orders", "0-1")
		view := inspect(ctx, cluster.Group("billing"), "orders")
		Expect(view.Strategy).To(Equal(client.Range))
		Expect(view.Members).To(HaveExactElements(
			And(HaveField("ID", foreign.id), HaveField("Foreign", true), HaveField("Topics", []string{"orders"})),
			And(HaveField("Pod", "a"), HaveField("Foreign", false))))
		owners := map[string]string{}
		for _, p := range view.Partitions {
			Expect(p.Stray).To(BeFalse())
			owners[p.Partition.ID] = p.Owner
		}
		Expect(owners).To(Equal(map[string]string{
			"0-0": foreign.id, "0-1": foreign.id, "1-0": a.Status().Member, "1-1": a.Status().Member,
		}))
		Expect(a.problems()).To(BeEmpty())

		foreign.conn.Close() // as its session does
		Eventually(a.running).Should(Equal(4))
		publish(ctx, cluster.Topic("orders"), 40)
		Eventually(received.distinct).Should(Equal(80))
		Expect(received.twice()).To(BeEmpty())
		Expect(received.outOfOrder()).To(BeEmpty())
	},
		Entry("which name topics", `{ "orders": 1 }`),
		Entry("which take what a pattern matches", `*1*ord.*`),
		Entry("which take what a pattern does not match", `!1!ret.*`),
	)

	It("is looked at, with lags in bytes", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(received.distinct).Should(Equal(20))
		a.leave()
		done := map[string]int64{}
		for _, p := range inspect(ctx, cluster.Group("billing"), "orders").Partitions {
			Expect(p).To(And(HaveField("Lag", BeZero()), HaveField("Earliest", BeZero()), HaveField("Owner", BeEmpty())))
			done[p.Partition.ID] = p.Committed
		}
		Expect(slices.Sorted(maps.Keys(done))).To(Equal([]string{"0-0", "1-0"}))
		publish(ctx, cluster.Topic("orders"), 20)
		view := inspect(ctx, cluster.Group("billing"), "orders", "returns")
		Expect(view.EndErr).NotTo(HaveOccurred())
		Expect(view.Missing).To(ConsistOf("returns"))
		for _, p := range view.Partitions {
			end := w.Kafka07.End(p.Partition)
			Expect(end).To(BeNumerically(">", done[p.Partition.ID]))
			Expect(p).To(And(HaveField("End", end), HaveField("Lag", end-done[p.Partition.ID])))
		}
	})

	It("says which ends are unknown while a broker does not answer", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		publish(ctx, cluster.Topic("orders"), 20)
		Expect(w.Kafka07.FreezeBroker(0)).To(Succeed())
		view := inspect(ctx, cluster.Group("billing"), "orders")
		Expect(view.EndErr).To(MatchError(ContainSubstring("1 of 2 partitions")))
		Expect(view.Partitions).To(HaveExactElements(
			And(HaveField("Partition.ID", "0-0"), HaveField("Lag", int64(-1))),
			And(HaveField("Partition.ID", "1-0"), HaveField("Lag", BeNumerically(">", 0)))))
	})

	It("is deleted, once nobody is in it, and begins anew", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(received.distinct).Should(Equal(20))
		inUse := (*client.GroupInUseError)(nil)
		Expect(cluster.Group("billing").Delete(ctx)).To(BeAssignableToTypeOf(inUse))
		a.leave()
		Expect(cluster.Group("billing").Delete(ctx)).To(Succeed())
		_, exists := w.ZooKeeper.Get(w.Path("/consumers/billing"))
		Expect(exists).To(BeFalse())
		afresh := newBook()
		join(cluster, "a", billing, afresh)
		Eventually(afresh.distinct).Should(Equal(20))
	})
})
