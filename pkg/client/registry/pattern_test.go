// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

var _ = onBoth("A foreign member that subscribes by a pattern", func(w *world) {
	const foreign = "billing_vm-1795355352903-3ba28f54"
	topicsOf := func(view layout.View) map[string]int {
		GinkgoHelper()
		Expect(view.Members).To(ConsistOf(SatisfyAll(HaveField("ID", foreign), HaveField("Foreign", BeTrue()))))
		return view.Members[0].Topics
	}
	BeforeEach(func() {
		for _, name := range []string{"orders", "orders-eu", "events"} {
			w.create(layout.Topic(name), "")
		}
	})

	for name, look := range map[string]func(ctx SpecContext, s *registry.Session, h *hints) layout.View{
		"Observe": func(ctx SpecContext, s *registry.Session, h *hints) layout.View {
			view, err := s.Observe(ctx, registry.ObserveRequest{Group: group}, h.give)
			Expect(err).NotTo(HaveOccurred())
			return view
		},
		"Inspect": func(ctx SpecContext, s *registry.Session, h *hints) layout.View {
			found, err := s.Inspect(ctx, registry.InspectRequest{Group: group}, h.give)
			Expect(err).NotTo(HaveOccurred())
			return found.View
		},
	} {
		It("consumes what matches it as of then, for "+name, func(ctx SpecContext) {
			w.create(layout.Member(group, foreign), `*2*orders.*|zz`)
			s, h := w.start().session(), newHints()
			Expect(topicsOf(look(ctx, s, h))).To(Equal(map[string]int{"orders": 2, "orders-eu": 2}))
			Consistently(h.came).ShouldNot(Receive())
			w.create(layout.Topic("zz"), "")
			Eventually(h.came).Should(Receive())
			Expect(topicsOf(look(ctx, s, h))).To(HaveLen(3))
			w.remove(layout.Topic("orders"))
			Eventually(h.came).Should(Receive())
			Expect(topicsOf(look(ctx, s, h))).To(Equal(map[string]int{"orders-eu": 2, "zz": 2}))
		})
	}

	It("consumes all but what matches a black list, and perhaps nothing", func(ctx SpecContext) {
		w.create(layout.Member(group, foreign), `!1!orders.*`)
		s := w.start().session()
		view, err := s.Observe(ctx, registry.ObserveRequest{Group: group}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(topicsOf(view)).To(Equal(map[string]int{"events": 1}))
		w.set(layout.Member(group, foreign), `{"version":1,"subscription":{".*":1},"pattern":"black_list","timestamp":"1"}`)
		view, err = s.Observe(ctx, registry.ObserveRequest{Group: group}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(topicsOf(view)).To(BeEmpty())
		Expect(view.Problems).To(BeEmpty())
	})

	It("is a problem when its expression is not certain to be understood", func(ctx SpecContext) {
		w.create(layout.Member(group, foreign), `*1*(?!orders).*`)
		found, err := w.start().session().Inspect(ctx, registry.InspectRequest{Group: group}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Members).To(BeEmpty())
		Expect(found.Unreadable).To(ConsistOf(foreign))
		Expect(found.Problems).To(ConsistOf(SatisfyAll(
			HaveField("Path", layout.Member(group, foreign)), HaveField("Reason", ContainSubstring("a look ahead (?!")))))
	})

	It("is a problem when the list of topics may not be read", func(ctx SpecContext) {
		w.create(layout.Member(group, foreign), `*1*orders`)
		w.create(layout.Member(group, "other"), `{ "orders": 1 }`)
		s := w.start().session()
		_, err := w.admin.SetACL(w.path(layout.Topics), zk.DigestACL(zk.PermAll, "somebody", "else"), -1)
		Expect(err).NotTo(HaveOccurred())
		view, err := s.Observe(ctx, registry.ObserveRequest{Group: group}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Members).To(ConsistOf(HaveField("ID", "other")))
		Expect(view.Problems).To(ConsistOf(SatisfyAll(
			HaveField("Path", layout.Member(group, foreign)), HaveField("Reason", ContainSubstring("cannot be told")))))
	})
})

var _ = underFaults("A group without patterns", func(w *world) {
	It("does not look at the list of topics", func(ctx SpecContext) {
		w.createTopic(1)
		w.create(layout.Member(group, "other"), `{ "orders": 1 }`)
		s, server := w.start().session(), w.target.(embeddedTarget)
		before, watches := server.Requests(zookeeper.OpGetChildren2), server.Watches()
		_, err := s.Observe(ctx, registry.ObserveRequest{Group: group}, func() {})
		Expect(err).NotTo(HaveOccurred())
		Expect(server.Requests(zookeeper.OpGetChildren2)-before).To(Equal(uint64(1)), "that of the members")
		Expect(server.Watches() - watches).To(Equal(1))
		Expect(w.admin.Delete(w.path(layout.Member(group, "other")), -1)).To(Succeed())
		w.create(layout.Member(group, "other"), `*1*orders`)
		_, err = s.Observe(ctx, registry.ObserveRequest{Group: group}, func() {})
		Expect(err).NotTo(HaveOccurred())
		Expect(server.Watches() - watches).To(Equal(2))
	})
})
