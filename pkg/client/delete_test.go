// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
)

var _ = Describe("Deleting a group", func() {
	var billing client.ConsumerConfig

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	It("waits for its members to be gone, then leaves nothing, so that the next begins anew", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		g := cluster.Group("billing")
		received := newBook()
		a := join(open(ctx, w), "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(received.distinct).Should(Equal(20))

		inUse := &client.GroupInUseError{}
		Expect(errors.As(g.Delete(ctx), &inUse)).To(BeTrue())
		Expect(inUse).To(MatchError("group billing is in use by a: end its members first"))
		Expect(inUse.Members).To(ConsistOf(HaveField("Pod", "a")))
		Expect(w.ZooKeeper.Children(w.Path("/consumers/billing"))).To(ContainElements("ids", "offsets", "samsa"))

		a.leave()
		Expect(g.Delete(ctx)).To(Succeed())
		Expect(w.ZooKeeper.Children(w.Path("/consumers"))).To(BeEmpty())
		Expect(g.Delete(ctx)).To(Succeed())

		again := newBook()
		join(open(ctx, w), "a", billing, again)
		Eventually(again.distinct).Should(Equal(20))
	})

	It("never harms a member that joins all the while", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		publish(ctx, cluster.Topic("orders"), 20)
		g := cluster.Group("billing")
		for i := range 8 {
			received := newBook()
			a := join(cluster, fmt.Sprint("a-", i), billing, received)
			err := g.Delete(ctx)
			if inUse := (&client.GroupInUseError{}); err != nil {
				Expect(errors.As(err, &inUse)).To(BeTrue(), "%v", err)
			}
			Eventually(received.distinct).Should(Equal(20))
			a.leave()
			Expect(g.Delete(ctx)).To(Succeed())
		}
	})

	It("works without transactions", func(ctx SpecContext) {
		w, err := world.Start(ctx, world.Config{
			Tick: tick, Brokers: 1, Topics: map[string]int32{"orders": 40}, WithoutMulti: true,
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Close)
		cluster := open(ctx, w)
		Expect(cluster.State().Fenced).To(BeFalse())
		g := cluster.Group("billing")
		a := join(cluster, "a", billing, newBook())
		Eventually(a.running).Should(Equal(40))
		Expect(g.Delete(ctx)).To(MatchError(ContainSubstring("in use by a")))
		a.leave()
		Expect(g.Delete(ctx)).To(Succeed())
		Expect(w.ZooKeeper.Children(w.Path("/consumers"))).To(BeEmpty())
	})

	It("names few of many members", func() {
		err := &client.GroupInUseError{Group: "billing"}
		for _, pod := range []string{"d", "b", "a", "c", "e", "a"} {
			err.Members = append(err.Members, client.GroupMember{Pod: pod})
		}
		Expect(err).To(MatchError("group billing is in use by a, b, c and 2 more: end its members first"))
	})
})
