// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"sync"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = onBoth("A claim", func(w *world) {
	It("stands for one of two that want it", func(ctx SpecContext) {
		a, b := w.join(ctx, "pod-a"), w.join(ctx, "pod-b")
		for number := range 5 {
			var wg sync.WaitGroup
			errs := make([]error, 2)
			for i, m := range []*member{a, b} {
				wg.Go(func() { _, errs[i] = m.claim(ctx, partition(number)) })
			}
			wg.Wait()
			winner, loser := a, 1
			if errs[0] != nil {
				winner, loser = b, 0
			}
			Expect(errs[1-loser]).NotTo(HaveOccurred())
			Expect(errs[loser]).To(ofKind(registry.Conflict))
			Expect(errs[loser].(*registry.Error).Owner).To(HaveValue(SatisfyAll( //nolint:errorlint // see above
				HaveField("Session", winner.ID()), HaveField("Thread", layout.Thread(winner.id)))))
			Expect(w.owner(layout.Owner(group, partition(number)))).To(Equal(winner.ID()))
		}
	})

	It("tells where its partition begins, and a token that grows", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		first, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Expect(first).To(SatisfyAll(HaveField("Placed", BeFalse()), HaveField("Token", BeNumerically(">", 0))))
		Expect(m.place(ctx, partition(0), 42)).To(Succeed())
		_, err = m.commit(ctx, layout.Position{Partition: partition(0), Offset: 43, Version: 0})
		Expect(err).NotTo(HaveOccurred())
		last := layout.Position{Partition: partition(0), Offset: 44, Version: 1}
		_, err = m.Transact(ctx, layout.Release(group, m.id, last))
		Expect(err).NotTo(HaveOccurred())

		second, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Expect(second).To(Equal(registry.Claimed{Token: second.Token, Placed: true, Offset: 44, Version: 2}))
		Expect(second.Token).To(BeNumerically(">", first.Token))
	})

	It("tells that its topic was made anew since its position was written", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		w.createTopic(2)
		for number, offset := range []int64{42, 0} {
			claimed, err := m.claim(ctx, partition(number))
			Expect(err).NotTo(HaveOccurred())
			Expect(claimed.Outlived).To(BeFalse())
			Expect(m.place(ctx, partition(number), offset)).To(Succeed())
		}
		w.set(layout.Topic(topic), topicData(3))
		Expect(m.Position(ctx, group, partition(0))).To(HaveField("Outlived", BeFalse()), "it has grown")
		w.remove(layout.Topic(topic))
		Expect(m.Position(ctx, group, partition(0))).To(HaveField("Outlived", BeFalse()), "there is none")
		w.createTopic(2)

		for range 2 { // giving it up does not make it younger
			Expect(m.claim(ctx, partition(0))).To(SatisfyAll(HaveField("Offset", int64(42)), HaveField("Outlived", BeTrue())))
			_, err := m.Transact(ctx, layout.ReleaseUnmoved(group, m.id, layout.Position{Partition: partition(0)}))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(m.claim(ctx, partition(1))).To(HaveField("Outlived", BeFalse()), "all of the new topic is before it")
		_, err := m.commit(ctx, layout.Position{Partition: partition(0), Offset: 1})
		Expect(err).NotTo(HaveOccurred())
		Expect(m.Position(ctx, group, partition(0))).To(HaveField("Outlived", BeFalse()))
	})

	It("is given up with a position that stands, and with no other", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		_, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Expect(m.place(ctx, partition(0), 42)).To(Succeed())
		w.set(layout.Offset(group, partition(0)), "7")
		_, err = m.Transact(ctx, layout.ReleaseUnmoved(group, m.id, layout.Position{Partition: partition(0)}))
		Expect(err).To(ofKind(registry.Conflict))
		Expect(w.owner(layout.Owner(group, partition(0)))).To(Equal(m.ID()))
	})

	It("may be repeated by its own member", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		first, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		again, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Expect(again).To(Equal(first))
	})

	It("is not ours for bearing our name: the session counts", func(ctx SpecContext) {
		m, other := w.join(ctx, "pod-0"), w.join(ctx, "pod-1")
		impostor := layout.Txn{
			{Kind: layout.CreateEphemeral, Path: layout.Owner(group, partition(0)), Data: []byte(layout.Thread(m.id))},
		}
		_, err := other.Transact(ctx, impostor)
		Expect(err).NotTo(HaveOccurred())
		_, err = m.claim(ctx, partition(0))
		Expect(err).To(SatisfyAll(ofKind(registry.Conflict), MatchError(ContainSubstring("held by"))))
	})

	It("is not another member's of the same session", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		sibling := &member{peer: m.peer, Session: m.Session, id: m.id + "-sibling"}
		Expect(sibling.Register(ctx, group, sibling.id, nil)).To(Succeed())
		_, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		_, err = sibling.claim(ctx, partition(0))
		Expect(err).To(ofKind(registry.Conflict))
	})

	It("is refused without a registration", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
		_, err := m.claim(ctx, partition(0))
		Expect(err).To(ofKind(registry.Lost))
		Expect(w.owner(layout.Owner(group, partition(0)))).To(BeZero())
	})

	It("stands without a position that anybody understands, and says which node it is", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		for _, malformed := range []string{"", "-1", "4x", "99999999999999999999"} {
			w.create(layout.Offset(group, partition(0)), malformed)
			claimed, err := m.claim(ctx, partition(0))
			Expect(err).To(SatisfyAll(
				ofKind(registry.Malformed), MatchError(ContainSubstring(layout.Offset(group, partition(0))))))
			Expect(claimed.Token).NotTo(BeZero())
			Expect(w.owner(layout.Owner(group, partition(0)))).To(Equal(m.ID()))
			reading, err := m.Position(ctx, group, partition(0))
			Expect(err).To(ofKind(registry.Malformed))
			Expect(reading).To(SatisfyAll(HaveField("Owned", BeTrue()), HaveField("Placed", BeFalse())))
			w.remove(layout.Offset(group, partition(0)))
		}
		w.create(layout.Offset(group, partition(0)), " 42\n")
		Expect(m.claim(ctx, partition(0))).To(HaveField("Offset", BeEquivalentTo(42)))
	})

	It("goes with its session, and somebody else's begins where it committed", func(ctx SpecContext) {
		a, b := w.join(ctx, "pod-a"), w.join(ctx, "pod-b")
		first, err := a.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Expect(a.place(ctx, partition(0), 7)).To(Succeed())
		a.expire(w)
		Eventually(func() int64 { return w.owner(layout.Owner(group, partition(0))) }).Should(BeZero())
		second, err := b.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		Expect(second).To(SatisfyAll(
			HaveField("Offset", BeEquivalentTo(7)), HaveField("Token", BeNumerically(">", first.Token))))
	})
})

var _ = onBoth("A transaction", func(w *world) {
	var m *member
	at := func(number int, offset int64, version int32) layout.Position {
		return layout.Position{Partition: partition(number), Offset: offset, Version: version}
	}

	BeforeEach(func(ctx SpecContext) {
		m = w.join(ctx, "pod-0")
		for number := range 3 {
			_, err := m.claim(ctx, partition(number))
			Expect(err).NotTo(HaveOccurred())
			Expect(m.place(ctx, partition(number), 0)).To(Succeed())
		}
	})

	It("gives the versions it wrote", func(ctx SpecContext) {
		Expect(m.commit(ctx, at(0, 5, 0), at(1, 6, 0))).To(Equal([]int32{-1, 1, 1}))
		Expect(m.commit(ctx, at(0, 7, 1))).To(Equal([]int32{-1, 2}))
		Expect(w.data(layout.Offset(group, partition(0)))).To(Equal("7"))
	})

	It("happens as a whole or not at all, and tells what was refused", func(ctx SpecContext) {
		_, err := m.commit(ctx, at(0, 5, 0), at(1, 6, 9), at(2, 7, 0))
		Expect(err).To(SatisfyAll(
			ofKind(registry.Conflict), MatchError(zk.ErrBadVersion), HaveField("Index", 2),
			HaveField("Path", layout.Offset(group, partition(1)))))
		for number := range 3 {
			Expect(w.data(layout.Offset(group, partition(number)))).To(Equal("0"))
		}
	})

	It("is refused where the position has gone", func(ctx SpecContext) {
		w.remove(layout.Offset(group, partition(1)))
		_, err := m.commit(ctx, at(0, 5, 0), at(1, 6, 0))
		Expect(err).To(SatisfyAll(ofKind(registry.Conflict), HaveField("Index", 2)))
	})

	It("writes the last position and gives up the claim in one", func(ctx SpecContext) {
		stale := layout.Release(group, m.id, at(0, 5, 3))
		_, err := m.Transact(ctx, stale)
		Expect(err).To(SatisfyAll(ofKind(registry.Conflict), HaveField("Index", 1)))
		Expect(w.owner(layout.Owner(group, partition(0)))).To(Equal(m.ID()))

		Expect(m.Transact(ctx, layout.Release(group, m.id, at(0, 5, 0)))).To(Equal([]int32{-1, 1, -1}))
		Expect(m.Position(ctx, group, partition(0))).To(Equal(
			registry.Reading{Placed: true, Offset: 5, Version: 1}))
		Expect(m.Transact(ctx, layout.Forgo(group, m.id, partition(1)))).To(Equal([]int32{-1, -1}))
		Expect(w.owner(layout.Owner(group, partition(1)))).To(BeZero())
	})

	It("of a member whose registration is gone is refused", func(ctx SpecContext) {
		Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
		for _, txn := range []layout.Txn{
			layout.Commit(group, m.id, []layout.Position{at(0, 5, 0)}),
			layout.Release(group, m.id, at(0, 5, 0)),
			layout.Forgo(group, m.id, partition(0)),
			layout.Begin(group, m.id, nil),
		} {
			_, err := m.Transact(ctx, txn)
			Expect(err).To(SatisfyAll(ofKind(registry.Lost), HaveField("Index", 0)))
		}
		Expect(w.data(layout.Offset(group, partition(0)))).To(Equal("0"))
		Expect(w.owner(layout.Owner(group, partition(0)))).To(Equal(m.ID()))
	})

	It("of a session that has expired is refused, also when its member comes back", func(ctx SpecContext) {
		m.expire(w)
		m.network.heal()
		_, err := m.commit(ctx, at(0, 5, 0))
		Expect(err).To(ofKind(registry.Lost))
		m.Session = m.session()
		_, err = m.commit(ctx, at(0, 5, 0))
		Expect(err).To(ofKind(registry.Lost), "in the next session, under the old id")
		Expect(w.data(layout.Offset(group, partition(0)))).To(Equal("0"))
	})

	It("decides once where a group begins", func(ctx SpecContext) {
		other := w.join(ctx, "pod-1")
		begin := func(m *member, offset int64) error {
			positions := []layout.Position{at(3, offset, 0), at(4, offset, 0)}
			_, err := m.Transact(ctx, layout.Begin(group, m.id, positions))
			return err
		}
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, member := range []*member{m, other} {
			wg.Go(func() { errs[i] = begin(member, int64(10*(i+1))) })
		}
		wg.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		Expect(errs[winner]).NotTo(HaveOccurred())
		Expect(errs[1-winner]).To(SatisfyAll(ofKind(registry.Conflict), MatchError(zk.ErrNodeExists)))
		want := []string{"10", "20"}[winner]
		for _, number := range []int{3, 4} {
			Expect(w.data(layout.Offset(group, partition(number)))).To(Equal(want))
		}
		Expect(m.observe(ctx, nil)).To(HaveField("Begun", BeTrue()))
	})

	It("makes the directories it needs, and 500 positions in one", func(ctx SpecContext) {
		positions := make([]layout.Position, 500)
		for i := range positions {
			positions[i] = layout.Position{Partition: kafka.Partition{Topic: "other", ID: partition(i).ID}, Offset: int64(i)}
		}
		versions, err := m.Transact(ctx, layout.Begin(group, m.id, positions))
		Expect(err).NotTo(HaveOccurred())
		Expect(versions).To(HaveLen(502))
		Expect(m.commit(ctx, positions...)).To(HaveLen(501))
	})

	It("that no server would take is refused", func(ctx SpecContext) {
		positions := make([]layout.Position, 15_000)
		for i := range positions {
			positions[i] = at(i, 1, 0)
		}
		_, err := m.commit(ctx, positions...)
		Expect(err).To(SatisfyAll(ofKind(registry.Malformed), MatchError(ContainSubstring("make it smaller"))))
	})

	It("that is empty is nothing", func(ctx SpecContext) {
		Expect(m.Transact(ctx, nil)).To(BeEmpty())
	})
})
