// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

var _ = onBoth("A member that leaves", func(w *world) {
	It("takes its topics away, is noticed, and goes on to fence what it writes", func(ctx SpecContext) {
		m, other := w.join(ctx, "pod-0"), w.join(ctx, "pod-1")
		Expect(m.claim(ctx, partition(0))).NotTo(BeZero())
		Expect(m.place(ctx, partition(0), 42)).To(Succeed())
		hints := newHints()
		_, err := other.observe(ctx, hints.give)
		Expect(err).NotTo(HaveOccurred())

		Expect(m.Transact(ctx, layout.Retire(group, m.id, 1))).To(Equal([]int32{-1, -1, 0}))
		Eventually(ctx, hints.came).Should(Receive())
		view, err := other.observe(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Problems).To(BeEmpty())
		Expect(view.Members).To(ContainElement(SatisfyAll(
			HaveField("ID", m.id), HaveField("Topics", BeEmpty()), HaveField("Leaving", true))))

		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(Succeed())
		last := layout.Position{Partition: partition(0), Offset: 43}
		Expect(m.Transact(ctx, layout.Release(group, m.id, last))).To(Equal([]int32{-1, 1, -1}))
	})
})

var _ = onBoth("A member that consumes other topics", func(w *world) {
	It("renews its registration, is noticed, and never stands without", func(ctx SpecContext) {
		m, other := w.join(ctx, "pod-0"), w.join(ctx, "pod-1")
		Expect(m.claim(ctx, partition(0))).NotTo(BeZero())
		hints := newHints()
		_, err := other.observe(ctx, hints.give)
		Expect(err).NotTo(HaveOccurred())

		topics := layout.EncodeMember([]string{"bills", "orders"}, 1)
		Expect(m.Transact(ctx, layout.Renew(group, m.id, topics))).To(Equal([]int32{-1, -1, 0}))
		Eventually(ctx, hints.came).Should(Receive())
		subscribed := func(topics ...string) {
			GinkgoHelper()
			view, err := other.observe(ctx, nil)
			Expect(err).NotTo(HaveOccurred())
			Expect(view.Members).To(ContainElement(SatisfyAll(HaveField("ID", m.id), HaveField("Leaving", false),
				WithTransform(layout.Registration.SubscribedTopics, Equal(topics)))))
		}
		subscribed("bills", "orders")
		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(Succeed())

		topics = layout.EncodeMember([]string{"bills"}, 1)
		Expect(m.Transact(ctx, layout.RenewInPlace(group, m.id, topics))).To(Equal([]int32{-1, 1}))
		subscribed("bills")
	})

	It("cannot once its registration is gone", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
		for _, renew := range []layout.Txn{layout.Renew(group, m.id, nil), layout.RenewInPlace(group, m.id, nil)} {
			_, err := m.Transact(ctx, renew)
			Expect(err).To(ofKind(registry.Lost))
		}
	})
})

var _ = onBoth("A position that did not move", func(w *world) {
	It("is verified without a write", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		Expect(m.place(ctx, partition(0), 42)).To(Succeed())
		asIs := layout.Verify(group, m.id, []layout.Position{{Partition: partition(0), Offset: 42}})
		Expect(m.Transact(ctx, asIs)).To(Equal([]int32{-1, -1}))
		w.set(layout.Offset(group, partition(0)), "7")
		_, err := m.Transact(ctx, asIs)
		Expect(err).To(SatisfyAll(ofKind(registry.Conflict), HaveField("Index", 1)))
	})
})
