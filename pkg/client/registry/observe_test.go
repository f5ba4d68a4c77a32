// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = onBoth("A view", func(w *world) {
	It("holds members, partitions, claims and the birth", func(ctx SpecContext) {
		w.createTopic(12)
		a, b := w.join(ctx, "pod-a"), w.join(ctx, "pod-b")
		claimed, err := b.claim(ctx, partition(3))
		Expect(err).NotTo(HaveOccurred())
		view, err := a.observe(ctx, nil, partition(3), partition(4))
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Members).To(HaveLen(2))
		Expect(view.Members[0]).To(SatisfyAll(
			HaveField("ID", a.id), HaveField("Pod", "pod-a"), HaveField("Strategy", layout.Sticky),
			HaveField("Foreign", BeFalse()), HaveField("Topics", map[string]int{topic: 1})))
		Expect(view.Partitions).To(HaveKeyWithValue(topic, HaveLen(12)))
		Expect(view.Partitions[topic][10]).To(Equal(partition(10)), "by number, not as strings")
		Expect(view.Owners).To(Equal(map[kafka.Partition]layout.Ownership{
			partition(3): {Thread: layout.Thread(b.id), Session: b.ID(), Token: claimed.Token},
		}))
		Expect(view).To(SatisfyAll(HaveField("Begun", BeFalse()), HaveField("Problems", BeEmpty())))
	})

	It("of a group that does not exist is empty", func(ctx SpecContext) {
		view, err := w.start().session().Observe(ctx, registry.ObserveRequest{
			Group: group, Topics: []string{topic}, Partitions: []kafka.Partition{partition(0)},
		}, func() {})
		Expect(err).NotTo(HaveOccurred())
		Expect(view).To(SatisfyAll(
			HaveField("Members", BeEmpty()), HaveField("Partitions", BeEmpty()), HaveField("Owners", BeEmpty())))
	})

	It("names what others left malformed, and skips it", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		w.create(layout.Topic(topic), `{"partitions":`)
		w.create(layout.Member(group, "half"), `{"version":1`)
		w.create(layout.Member(group, "pattern"),
			`{"version":1,"subscription":{"(?i)or.*":1},"pattern":"white_list","timestamp":"1"}`)
		w.create(layout.Member(group, "kazoo"),
			`{"pattern":"static","subscription":{"orders":2},"timestamp":1400000000,"version":1}`)
		w.create(layout.Owner(group, partition(1)), "left behind")
		view, err := m.observe(ctx, nil, partition(0), partition(1))
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Members).To(ConsistOf(HaveField("ID", m.id), SatisfyAll(
			HaveField("ID", "kazoo"), HaveField("Foreign", BeTrue()), HaveField("Topics", map[string]int{topic: 2}))))
		Expect(view.Partitions).To(BeEmpty())
		Expect(view.Owners).To(HaveKeyWithValue(partition(1), HaveField("Session", BeZero())))
		Expect(view.Problems).To(HaveExactElements(
			HaveField("Path", layout.Topic(topic)),
			HaveField("Path", layout.Member(group, "half")),
			SatisfyAll(HaveField("Path", layout.Member(group, "pattern")), HaveField("Reason", ContainSubstring("a flag (?"))),
			SatisfyAll(
				HaveField("Path", layout.Owner(group, partition(1))),
				HaveField("Reason", ContainSubstring("not ephemeral"))),
		))
	})

	DescribeTable("comes with a hint when it changes",
		func(ctx SpecContext, change func(ctx SpecContext, other *member)) {
			w.createTopic(1)
			m, other := w.join(ctx, "pod-0"), w.join(ctx, "pod-1")
			_, err := other.claim(ctx, partition(0))
			Expect(err).NotTo(HaveOccurred())
			h := newHints()
			_, err = m.observe(ctx, h.give, partition(0), partition(1))
			Expect(err).NotTo(HaveOccurred())
			Consistently(h.came).ShouldNot(Receive())
			change(ctx, other)
			Eventually(h.came).Should(Receive())
			// And again, with the watch of the next reading.
			_, err = m.observe(ctx, h.give, partition(0), partition(1))
			Expect(err).NotTo(HaveOccurred())
			w.create(layout.Member(group, "one more"), "")
			Eventually(h.came).Should(Receive())
		},
		Entry("a member joins", func(ctx SpecContext, _ *member) { w.join(ctx, "pod-2") }),
		Entry("a member goes", func(ctx SpecContext, other *member) {
			Expect(other.Unregister(ctx, group, other.id)).To(Succeed())
		}),
		Entry("a topic grows", func(SpecContext, *member) { w.set(layout.Topic(topic), topicData(2)) }),
		Entry("a topic goes", func(SpecContext, *member) { w.remove(layout.Topic(topic)) }),
		Entry("a claim goes", func(ctx SpecContext, other *member) {
			_, err := other.Transact(ctx, layout.Forgo(group, other.id, partition(0)))
			Expect(err).NotTo(HaveOccurred())
		}),
		Entry("a claim comes", func(ctx SpecContext, other *member) {
			_, err := other.claim(ctx, partition(1))
			Expect(err).NotTo(HaveOccurred())
		}),
	)

	It("holds claims that are read alone, and comes with no hint when they change", func(ctx SpecContext) {
		w.createTopic(2)
		m, other := w.join(ctx, "pod-0"), w.join(ctx, "pod-1")
		_, err := other.claim(ctx, partition(1))
		Expect(err).NotTo(HaveOccurred())
		h := newHints()
		view, err := m.Observe(ctx, registry.ObserveRequest{
			Group: group, Partitions: []kafka.Partition{partition(0)}, Unwatched: []kafka.Partition{partition(1)},
		}, h.give)
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Owners).To(HaveKeyWithValue(partition(1), HaveField("Thread", layout.Thread(other.id))))
		_, err = other.Transact(ctx, layout.Forgo(group, other.id, partition(1)))
		Expect(err).NotTo(HaveOccurred())
		Consistently(h.came).ShouldNot(Receive())
		_, err = other.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Eventually(h.came).Should(Receive())
	})

	It("comes with a hint when a missing topic appears, and when the group does", func(ctx SpecContext) {
		observe := func(s *registry.Session, h *hints) (layout.View, error) {
			return s.Observe(ctx, registry.ObserveRequest{Group: group, Topics: []string{topic}}, h.give)
		}
		h, s := newHints(), w.start().session()
		_, err := observe(s, h)
		Expect(err).NotTo(HaveOccurred())
		w.createTopic(2)
		Eventually(h.came).Should(Receive())
		Expect(observe(s, h)).To(HaveField("Partitions", HaveKeyWithValue(topic, HaveLen(2))))
		m := w.join(ctx, "pod-0")
		Eventually(func() (layout.View, error) {
			Eventually(h.came).Should(Receive())
			return observe(s, h)
		}).Should(HaveField("Members", ConsistOf(HaveField("ID", m.id))))
	})

	It("hints to each of several observers, and to the newest hint of each", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		ask := func(party string) *hints {
			h := newHints()
			_, err := m.Observe(ctx, registry.ObserveRequest{Group: group, Party: party}, h.give)
			Expect(err).NotTo(HaveOccurred())
			return h
		}
		stale, a, b := ask("a"), ask("a"), ask("b")
		w.create(layout.Member(group, "one more"), "")
		Eventually(a.came).Should(Receive())
		Eventually(b.came).Should(Receive())
		Consistently(stale.came).ShouldNot(Receive())
	})

	It("comes with a hint when the connection is lost, and is true after it", func(ctx SpecContext) {
		w.createTopic(1)
		m, h := w.join(ctx, "pod-0"), newHints()
		for i := range 3 {
			_, err := m.observe(ctx, h.give, partition(0))
			Expect(err).NotTo(HaveOccurred())
			m.network.drop()
			Eventually(h.came).Should(Receive())
			w.set(layout.Topic(topic), topicData(i+2))
			Expect(m.observe(ctx, h.give, partition(0))).To(
				HaveField("Partitions", HaveKeyWithValue(topic, HaveLen(i+2))))
			// The watch of that reading stands.
			w.set(layout.Topic(topic), topicData(i+2))
			Eventually(h.came).Should(Receive())
		}
	})
})

var _ = onBoth("The cluster", func(w *world) {
	It("shows brokers as they come, change and go", func(ctx SpecContext) {
		s, h := w.start().session(), newHints()
		Expect(s.Brokers(ctx, h.give)).To(BeEmpty())
		w.create(layout.Broker("2"), `{"version":1,"host":"b2","port":9092,"jmx_port":-1,"timestamp":"1"}`)
		Eventually(h.came).Should(Receive())
		Eventually(func() ([]layout.BrokerRegistration, error) {
			brokers, _, err := s.Brokers(ctx, h.give)
			return brokers, err
		}).Should(ConsistOf(SatisfyAll(HaveField("ID", "2"), HaveField("Host", "b2"), HaveField("Port", 9092))))

		w.create(layout.Broker("10"), `nonsense`)
		Eventually(h.came).Should(Receive())
		Eventually(func() []layout.Problem {
			_, problems, err := s.Brokers(ctx, h.give)
			Expect(err).NotTo(HaveOccurred())
			return problems
		}).Should(ConsistOf(HaveField("Path", layout.Broker("10"))))

		w.set(layout.Broker("10"), `creator:b10:9093`)
		Eventually(h.came).Should(Receive())
		brokers, problems, err := s.Brokers(ctx, h.give)
		Expect(err).NotTo(HaveOccurred())
		Expect(problems).To(BeEmpty())
		Expect(brokers).To(HaveLen(2))
		Expect(brokers[0]).To(SatisfyAll(HaveField("ID", "10"), HaveField("Era07", BeTrue())))

		w.remove(layout.Broker("2"))
		Eventually(h.came).Should(Receive())
		brokers, _, err = s.Brokers(ctx, h.give)
		Expect(err).NotTo(HaveOccurred())
		Expect(brokers).To(HaveLen(1))
	})

	It("shows topics and their partitions", func(ctx SpecContext) {
		s, h := w.start().session(), newHints()
		Expect(s.Topics(ctx, h.give)).To(BeEmpty())
		_, err := s.Partitions(ctx, topic, h.give)
		Expect(err).To(ofKind(registry.NoNode))
		w.createTopic(3)
		Eventually(h.came).Should(Receive())
		Eventually(func() ([]string, error) { return s.Topics(ctx, h.give) }).Should(Equal([]string{topic}))
		Expect(s.Partitions(ctx, topic, h.give)).To(HaveExactElements(partition(0), partition(1), partition(2)))
		w.set(layout.Topic(topic), "nonsense")
		Eventually(h.came).Should(Receive())
		_, err = s.Partitions(ctx, topic, nil)
		Expect(err).To(ofKind(registry.Malformed))
	})
})
