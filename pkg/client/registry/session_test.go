// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

var _ = onBoth("A session", func(w *world) {
	It("says what it is", func() {
		p := w.start()
		s := p.session()
		Expect(s.Epoch()).To(BeEquivalentTo(1))
		Expect(s.ID()).NotTo(BeZero())
		Expect(s.Timeout()).To(Equal(sessionTimeout))
		Expect(p.State().Fenced).To(BeTrue())
		Consistently(s.Done()).ShouldNot(BeClosed())
	})

	It("gets the timeout that the server grants", func() {
		s := w.start(func(c *registry.Config) { c.SessionTimeout = time.Minute }).session()
		Expect(s.Timeout()).To(Equal(20 * tick))
	})

	It("warns of a timeout too short for the server's tick", func() {
		p := w.start(func(c *registry.Config) { c.SessionTimeout = 2 * tick })
		p.session()
		Eventually(p.State).Should(HaveField("Warning", ContainSubstring("at least 600ms")))
		sound := w.start(func(c *registry.Config) { c.SessionTimeout = 3 * tick })
		sound.session()
		Consistently(sound.State).Should(HaveField("Warning", BeEmpty()))
	})

	It("leaves at once when its client stops", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		began := time.Now()
		m.stop()
		Expect(time.Since(began)).To(BeNumerically("<", sessionTimeout/2))
		Expect(m.Done()).To(BeClosed())
		Expect(w.owner(layout.Member(group, m.id))).To(BeZero())
		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(ofKind(registry.Lost))
		Expect(m.State()).To(SatisfyAll(HaveField("Session", BeNil()), HaveField("Err", Not(BeNil()))))
	})

	It("ends in time when its client stops and the server is silent", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		w.Freeze()
		DeferCleanup(w.Thaw)
		began := time.Now()
		m.stop()
		Expect(time.Since(began)).To(BeNumerically("<", 3*time.Second), "a second for the goodbye")
	})

	It("outlives its connection", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		for range 3 {
			m.network.drop()
			Expect(m.Probe(ctx, layout.Member(group, m.id))).To(Succeed())
		}
		Expect(m.session()).To(BeIdenticalTo(m.Session))
	})

	It("says that it is disconnected, and bounds what is asked meanwhile", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		m.network.cut()
		Eventually(m.State).Should(SatisfyAll(
			HaveField("Connected", BeFalse()), HaveField("Session", BeIdenticalTo(m.Session)),
			HaveField("Err", MatchError(ContainSubstring("the network is down")))))
		Expect(m.Probe(within(ctx, 50*time.Millisecond), layout.Member(group, m.id))).To(ofKind(registry.Unavailable))
		m.network.heal()
		m.session()
	})

	It("is over once it has expired, and another begins", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		m.expire(w)
		Expect(m.Done()).NotTo(BeClosed(), "nobody has told the client")
		m.network.heal()
		Eventually(m.Done()).Should(BeClosed())
		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(ofKind(registry.Lost))
		next := m.session()
		Expect(next.Epoch()).To(BeNumerically(">", m.Epoch()))
		Expect(next.ID()).NotTo(Equal(m.ID()))
	})

	It("never carries out in the next session what was asked in this one", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		m.network.cut()
		Eventually(m.State).Should(HaveField("Connected", BeFalse()))
		asked := make(chan error, 1)
		go func() { asked <- m.Register(ctx, group, "late", nil) }()
		Eventually(func() int64 { return w.owner(layout.Member(group, m.id)) }).Should(BeZero())
		m.network.heal()
		Eventually(asked).Should(Receive(ofKind(registry.Lost)))
		m.session()
		Consistently(func() int64 { return w.owner(layout.Member(group, "late")) }).Should(BeZero())
	})

	It("can be abandoned", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		m.Abandon()
		Eventually(m.Done()).Should(BeClosed())
		Eventually(func() *registry.Session { return m.State().Session }).ShouldNot(Or(BeNil(), BeIdenticalTo(m.Session)))
		Expect(w.owner(layout.Member(group, m.id))).To(BeZero())
	})

	It("is told apart from a removed registration", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		w.remove(layout.Member(group, m.id))
		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(ofKind(registry.Lost))
		Expect(m.Done()).NotTo(BeClosed())
		Expect(m.Register(ctx, group, m.id, nil)).To(Succeed())
		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(Succeed())
	})

	It("survives a server that freezes for less than its timeout, and one that restarts", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0", func(c *registry.Config) { c.SessionTimeout = 20 * tick })
		w.Freeze()
		DeferCleanup(w.Thaw)
		Expect(m.Probe(within(ctx, 200*time.Millisecond), layout.Member(group, m.id))).To(ofKind(registry.Unavailable))
		w.Thaw()
		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(Succeed())
		Expect(w.Restart(ctx)).To(Succeed())
		Expect(m.Probe(ctx, layout.Member(group, m.id))).To(Succeed())
		Expect(m.session()).To(BeIdenticalTo(m.Session))
	})

	It("comes back by itself after a server that froze for longer than its timeout", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		w.Freeze()
		DeferCleanup(w.Thaw)
		Eventually(m.State).Should(SatisfyAll(
			HaveField("Connected", BeFalse()), HaveField("Err", MatchError(ContainSubstring("no answer")))))
		w.Thaw()
		began := time.Now()
		m.session()
		Expect(time.Since(began)).To(BeNumerically("<", 10*time.Second))
	})
})

var _ = onBoth("A registration", func(w *world) {
	It("may be repeated by its own session", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		Expect(m.Register(ctx, group, m.id, nil)).To(Succeed())
		Expect(w.data(layout.Member(group, m.id))).To(ContainSubstring(`"pattern":"static"`))
	})

	It("is refused under the name of another session's", func(ctx SpecContext) {
		m, other := w.join(ctx, "pod-0"), w.start().session()
		err := other.Register(ctx, group, m.id, nil)
		Expect(err).To(ofKind(registry.Conflict))
		Expect(err.(*registry.Error).Owner.Session).To(Equal(m.ID())) //nolint:errorlint // what this is about
	})

	It("goes when asked, twice if asked twice", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
		Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
		Expect(w.owner(layout.Member(group, m.id))).To(BeZero())
	})
})
