// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

var _ = underFaults("With a server that misbehaves", func(w *world) {
	It("a claim whose answer is lost stands", func(ctx SpecContext) {
		m, faults := w.join(ctx, "pod-0"), w.faults()
		lost := faults.DropBeforeAnswer(1, zookeeper.Match{Op: zookeeper.OpMulti, Session: m.ID()})
		claimed, err := m.claim(ctx, partition(0)) // refused: the directory is missing
		Expect(err).NotTo(HaveOccurred())
		Expect(lost.Fired()).To(BeClosed())
		lost = faults.DropBeforeAnswer(1, zookeeper.Match{Op: zookeeper.OpMulti, Session: m.ID()})
		_, err = m.claim(ctx, partition(1))
		Expect(err).NotTo(HaveOccurred())
		Expect(lost.Fired()).To(BeClosed())
		Expect(m.claim(ctx, partition(0))).To(Equal(claimed))
	})

	It("a claim whose request is lost is made again", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		lost := w.faults().DropBeforeRequest(1, zookeeper.Match{Op: zookeeper.OpMulti, Session: m.ID()})
		_, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Expect(lost.Fired()).To(BeClosed())
		Expect(w.owner(layout.Owner(group, partition(0)))).To(Equal(m.ID()))
	})

	It("a registration whose answer is lost stands", func(ctx SpecContext) {
		s := w.start().session()
		lost := w.faults().DropBeforeAnswer(1, zookeeper.Match{
			Op: zookeeper.OpCreate, Session: s.ID(),
			Path: func(path string) bool { return path == w.path(layout.Member(group, "x")) },
		})
		Expect(s.Register(ctx, group, "x", nil)).To(Succeed())
		Expect(s.Register(ctx, group, "x", nil)).To(Succeed())
		Expect(lost.Fired()).To(BeClosed())
	})

	It("a commit whose answer is lost is unknown, and reading tells", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		_, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Expect(m.place(ctx, partition(0), 1)).To(Succeed())
		w.faults().DropBeforeAnswer(1, zookeeper.Match{Op: zookeeper.OpMulti, Session: m.ID()})
		_, err = m.commit(ctx, layout.Position{Partition: partition(0), Offset: 2})
		Expect(err).To(ofKind(registry.Unavailable))
		Expect(m.Position(ctx, group, partition(0))).To(SatisfyAll(
			HaveField("Offset", BeEquivalentTo(2)), HaveField("Version", BeEquivalentTo(1))))
	})

	It("a view survives lost watches and lost events: reading again tells the truth", func(ctx SpecContext) {
		w.createTopic(1)
		m, h, faults := w.join(ctx, "pod-0"), newHints(), w.faults()
		faults.LoseSetWatches(true)
		faults.LoseWatchEvents(true)
		_, err := m.observe(ctx, h.give)
		Expect(err).NotTo(HaveOccurred())
		w.set(layout.Topic(topic), topicData(2))
		Consistently(h.came).ShouldNot(Receive())
		Expect(m.observe(ctx, h.give)).To(HaveField("Partitions", HaveKeyWithValue(topic, HaveLen(2))))
		m.network.drop()
		Eventually(h.came).Should(Receive(), "a lost connection is a hint")
		faults.LoseWatchEvents(false)
		_, err = m.observe(ctx, h.give)
		Expect(err).NotTo(HaveOccurred())
		w.set(layout.Topic(topic), topicData(3))
		Eventually(h.came).Should(Receive())
	})

	It("reading without end leaves one watch per path", func(ctx SpecContext) {
		w.createTopic(1)
		m, h := w.join(ctx, "pod-0"), newHints()
		server := w.target.(embeddedTarget)
		_, err := m.observe(ctx, h.give, partition(0))
		Expect(err).NotTo(HaveOccurred())
		watches := server.Watches()
		for range 50 {
			_, err := m.observe(ctx, h.give, partition(0))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(server.Watches()).To(Equal(watches))
		before := server.Requests(zookeeper.OpSetWatches)
		m.network.drop()
		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(Succeed())
		Expect(server.Requests(zookeeper.OpSetWatches)).To(Equal(before), "the library has none left to set again")
	})

	It("an expiry out of the blue ends the session", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		Expect(w.target.(embeddedTarget).ExpireNow(m.ID())).To(BeTrue())
		Eventually(m.Done()).Should(BeClosed())
		Expect(m.session().Epoch()).To(BeNumerically(">", m.Epoch()))
	})

	It("an answer that comes late is waited for no longer than asked", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		held := w.faults().HoldAnswers(zookeeper.Match{Op: zookeeper.OpMulti, Session: m.ID()})
		_, err := m.claim(within(ctx, 100*time.Millisecond), partition(0))
		Expect(err).To(ofKind(registry.Unavailable))
		held.Cancel()
		Expect(m.claim(ctx, partition(0))).To(HaveField("Token", Not(BeZero())))
	})

	It("a connection that answers pings alone is replaced", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		held := w.faults().HoldAnswers(zookeeper.Match{Session: m.ID()})
		Eventually(m.Done()).Should(BeClosed())
		held.Cancel()
		Expect(m.session().Epoch()).To(BeNumerically(">", m.Epoch()))
	})

	It("a server that resets every connection is not stormed", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		faults := w.faults()
		faults.RefuseConnections(true)
		m.network.drop()
		dials := len(m.network.dialed())
		Eventually(m.State).Should(HaveField("Connected", BeFalse()))
		Consistently(func() int { return len(m.network.dialed()) }, 2*time.Second).Should(BeNumerically("<", dials+4))
		faults.RefuseConnections(false)
		m.session()
	})
})

var _ = Describe("A server without transactions", Label(onEmbedded), func() {
	for _, silent := range []bool{false, true} {
		name := "that refuses them"
		if silent {
			name = "that ignores them"
		}
		Context(name, func() {
			var w *world
			BeforeEach(func(ctx SpecContext) {
				server, err := zookeeper.Start(ctx, zookeeper.Config{TickTime: tick, DisableMulti: true, SilentMulti: silent})
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(server.Close)
				w = &world{target: embeddedTarget{server}, admin: connect(server.Addr()), chroot: "/old"}
				DeferCleanup(w.admin.Close)
				w.create("/", "")
			})

			It("works all the same, and says so", func(ctx SpecContext) {
				a, b := w.join(ctx, "pod-a"), w.join(ctx, "pod-b")
				Expect(a.State().Fenced).To(BeFalse())
				_, err := a.Transact(ctx, layout.Begin(group, a.id, []layout.Position{{Partition: partition(0), Offset: 4}}))
				Expect(err).NotTo(HaveOccurred())
				Expect(a.claim(ctx, partition(0))).To(HaveField("Offset", BeEquivalentTo(4)))
				_, err = b.claim(ctx, partition(0))
				Expect(err).To(ofKind(registry.Conflict))
				_, err = b.Transact(ctx, layout.Forgo(group, b.id, partition(0)))
				Expect(err).To(ofKind(registry.Conflict), "another session's claim is not deleted")
				Expect(a.commit(ctx, layout.Position{Partition: partition(0), Offset: 5})).To(Equal([]int32{-1, 1}))
				_, err = a.commit(ctx, layout.Position{Partition: partition(0), Offset: 6})
				Expect(err).To(ofKind(registry.Conflict))
				Expect(a.Transact(ctx, layout.Release(group, a.id, layout.Position{
					Partition: partition(0), Offset: 6, Version: 1,
				}))).To(Equal([]int32{-1, 2, -1}))
				Expect(b.claim(ctx, partition(0))).To(HaveField("Offset", BeEquivalentTo(6)))
				Expect(b.Unregister(ctx, group, b.id)).To(Succeed())
				_, err = b.commit(ctx, layout.Position{Partition: partition(0), Offset: 7, Version: 2})
				Expect(err).To(ofKind(registry.Lost))
			})
		})
	}
})
