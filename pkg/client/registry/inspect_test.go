// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// look inspects the group from a session that is no member's.
func look(ctx context.Context, s *registry.Session, party string, tell func()) layout.Inspection {
	GinkgoHelper()
	found, err := s.Inspect(ctx, registry.InspectRequest{Group: group, Topics: []string{topic}, Party: party}, tell)
	Expect(err).NotTo(HaveOccurred())
	return found
}

var _ = onBoth("A group, inspected from outside", func(w *world) {
	It("that does not exist is empty, and leaves nothing behind", func(ctx SpecContext) {
		found := look(ctx, w.start().session(), "", func() {})
		Expect(found).To(SatisfyAll(
			HaveField("Members", BeEmpty()), HaveField("Partitions", BeEmpty()), HaveField("Owners", BeEmpty()),
			HaveField("Committed", BeEmpty()), HaveField("Problems", BeEmpty()), HaveField("Begun", BeFalse())))
		Expect(w.data(layout.Group(group))).To(Equal(zk.ErrNoNode.Error()))
	})

	It("shows members, claims and positions of all partitions", func(ctx SpecContext) {
		w.createTopic(12)
		a := w.join(ctx, "pod-a")
		claimed, err := a.claim(ctx, partition(10))
		Expect(err).NotTo(HaveOccurred())
		Expect(a.place(ctx, partition(10), 7)).To(Succeed())
		Expect(a.place(ctx, partition(3), 0)).To(Succeed())
		w.create(layout.Birth(group), "")
		found := look(ctx, w.start().session(), "", nil)
		Expect(found).To(SatisfyAll(
			HaveField("Members", ConsistOf(HaveField("ID", a.id))), HaveField("Begun", BeTrue()),
			HaveField("Partitions", HaveKeyWithValue(topic, HaveLen(12))),
			HaveField("Owners", Equal(map[kafka.Partition]layout.Ownership{
				partition(10): {Thread: layout.Thread(a.id), Session: a.ID(), Token: claimed.Token},
			})),
			HaveField("Committed", Equal(map[kafka.Partition]int64{partition(10): 7, partition(3): 0})),
			HaveField("Malformed", BeEmpty()), HaveField("Unreadable", BeEmpty()), HaveField("Problems", BeEmpty())))
	})

	It("names what cannot be understood, each by itself", func(ctx SpecContext) {
		w.createTopic(4)
		w.create(layout.Member(group, "half"), `{"version":1`)
		w.create(layout.Offset(group, partition(0)), "-1")
		w.create(layout.Offset(group, partition(1)), "5")
		w.create(layout.Owner(group, partition(2)), "left behind")
		_, err := w.admin.Create(w.path(layout.Owner(group, partition(3))), []byte("x"), 0,
			zk.DigestACL(zk.PermAll, "some", "body"))
		Expect(err).NotTo(HaveOccurred())
		found := look(ctx, w.start().session(), "", nil)
		Expect(found).To(SatisfyAll(
			HaveField("Unreadable", Equal([]string{"half"})),
			HaveField("Malformed", Equal(map[kafka.Partition]bool{partition(0): true})),
			HaveField("Committed", Equal(map[kafka.Partition]int64{partition(1): 5})),
			HaveField("Owners", HaveKeyWithValue(partition(2), HaveField("Thread", "left behind"))),
			HaveField("Owners", HaveKeyWithValue(partition(3), HaveField("Thread", "unreadable")))))
		Expect(found.Problems).To(HaveExactElements(
			HaveField("Path", layout.Member(group, "half")),
			SatisfyAll(HaveField("Path", layout.Offset(group, partition(0))), HaveField("Reason", ContainSubstring(`"-1"`))),
			SatisfyAll(HaveField("Path", layout.Owner(group, partition(2))),
				HaveField("Reason", ContainSubstring("not ephemeral"))),
			SatisfyAll(HaveField("Path", layout.Owner(group, partition(3))),
				HaveField("Reason", ContainSubstring("credentials")))))
	})

	It("whose claims may not be listed is read claim by claim", func(ctx SpecContext) {
		w.createTopic(2)
		m := w.join(ctx, "pod-0")
		_, err := m.claim(ctx, partition(1))
		Expect(err).NotTo(HaveOccurred())
		_, err = w.admin.SetACL(w.path(layout.Owners(group, topic)), zk.DigestACL(zk.PermAll, "some", "body"), -1)
		Expect(err).NotTo(HaveOccurred())
		found := look(ctx, m.Session, "", nil)
		Expect(found.Owners).To(HaveKeyWithValue(partition(1), HaveField("Thread", layout.Thread(m.id))))
		Expect(found.Problems).To(ConsistOf(HaveField("Path", layout.Owners(group, topic))))
	})

	DescribeTable("comes with a hint when it changes, and none when a position does",
		func(ctx SpecContext, change func(ctx SpecContext, other *member)) {
			w.createTopic(2)
			other := w.join(ctx, "pod-1")
			_, err := other.claim(ctx, partition(0))
			Expect(err).NotTo(HaveOccurred())
			Expect(other.place(ctx, partition(0), 1)).To(Succeed())
			s, h := w.start().session(), newHints()
			look(ctx, s, "", h.give)
			w.set(layout.Offset(group, partition(0)), "2")
			Consistently(h.came).ShouldNot(Receive())
			change(ctx, other)
			Eventually(h.came).Should(Receive())
			look(ctx, s, "", h.give)
			w.create(layout.Member(group, "one more"), "")
			Eventually(h.came).Should(Receive())
		},
		Entry("a member joins", func(ctx SpecContext, _ *member) { w.join(ctx, "pod-2") }),
		Entry("a topic grows", func(SpecContext, *member) { w.set(layout.Topic(topic), topicData(3)) }),
		Entry("a claim goes", func(ctx SpecContext, other *member) {
			_, err := other.Transact(ctx, layout.Forgo(group, other.id, partition(0)))
			Expect(err).NotTo(HaveOccurred())
		}),
		Entry("a claim comes", func(ctx SpecContext, other *member) {
			_, err := other.claim(ctx, partition(1))
			Expect(err).NotTo(HaveOccurred())
		}),
	)

	It("comes with a hint when the first claim of a topic is made", func(ctx SpecContext) {
		w.createTopic(1)
		other := w.join(ctx, "pod-1")
		s, h := w.start().session(), newHints()
		look(ctx, s, "", h.give)
		_, err := other.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() map[kafka.Partition]layout.Ownership {
			return look(ctx, s, "", h.give).Owners
		}).Should(HaveLen(1))
		Eventually(h.came).Should(Receive())
	})

	It("tells every party, and none that has forgotten it", func(ctx SpecContext) {
		w.createTopic(1)
		s := w.start().session()
		stale, a, b, gone := newHints(), newHints(), newHints(), newHints()
		look(ctx, s, "a", stale.give)
		look(ctx, s, "a", a.give)
		look(ctx, s, "b", b.give)
		look(ctx, s, "gone", gone.give)
		s.Forget(group, "gone")
		w.set(layout.Topic(topic), topicData(2))
		Eventually(a.came).Should(Receive())
		Eventually(b.came).Should(Receive())
		Consistently(gone.came).ShouldNot(Receive())
		Expect(stale.came).NotTo(Receive())
		look(ctx, s, "gone", gone.give)
		w.create(layout.Member(group, "one more"), "")
		Eventually(gone.came).Should(Receive())
	})

	It("with 1,000 partitions is read as a whole", func(ctx SpecContext) {
		w.createTopic(1000)
		m := w.join(ctx, "pod-0")
		for from := 0; from < 1000; from += 500 {
			txn := layout.Begin(group, m.id, nil)[:1]
			for number := from; number < from+500; number++ {
				txn = append(txn, layout.Claim(group, m.id, partition(number))[1],
					layout.Place(group, m.id, layout.Position{Partition: partition(number), Offset: 9})[1])
			}
			_, err := m.Transact(ctx, txn)
			Expect(err).NotTo(HaveOccurred())
		}
		s := w.start().session()
		begin := time.Now()
		found := look(ctx, s, "", func() {})
		took := time.Since(begin)
		Expect(found.Owners).To(HaveLen(1000))
		Expect(found.Committed).To(HaveLen(1000))
		AddReportEntry("1,000 partitions", took)
	})
})

var _ = underFaults("Inspecting without end", func(w *world) {
	It("leaves two watches for each topic and one for the group, and none more", func(ctx SpecContext) {
		w.createTopic(50)
		s, server := w.start().session(), w.target.(embeddedTarget)
		// A client of its own watches nothing else; groups share the topic's watch.
		before := server.Watches()
		for range 5 {
			for i := range 20 {
				_, err := s.Inspect(ctx, registry.InspectRequest{
					Group: fmt.Sprint("group-", i), Topics: []string{topic},
				}, func() {})
				Expect(err).NotTo(HaveOccurred())
			}
		}
		Expect(server.Watches() - before).To(BeNumerically("<=", 1+2*20))
		requests := server.Requests(zookeeper.OpSetWatches)
		Expect(requests).To(BeZero())
	})
})
