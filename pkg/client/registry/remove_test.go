// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"slices"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// used makes a group that had members: a marker, positions of n partitions, and the directories.
func (w *world) used(ctx context.Context, n int) {
	GinkgoHelper()
	m := w.join(ctx, "pod-0")
	_, err := m.Transact(ctx, layout.Begin(group, m.id, nil))
	Expect(err).NotTo(HaveOccurred())
	for numbers := range slices.Chunk(slices.Collect(upTo(n)), 400) {
		positions := make([]layout.Op, 0, len(numbers)+1)
		positions = append(positions, layout.Commit(group, m.id, nil)...)
		for _, number := range numbers {
			positions = append(positions, layout.Place(group, m.id, layout.Position{Partition: partition(number)})[1])
		}
		_, err := m.Transact(ctx, positions)
		Expect(err).NotTo(HaveOccurred())
	}
	_, err = m.claim(ctx, partition(0))
	Expect(err).NotTo(HaveOccurred())
	_, err = m.Transact(ctx, layout.Forgo(group, m.id, partition(0)))
	Expect(err).NotTo(HaveOccurred())
	Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
}

func upTo(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// children are the names below a node; nil if there is none.
func (w *world) children(path string) []string {
	names, _, err := w.admin.Children(w.path(path))
	if err != nil {
		return nil
	}
	slices.Sort(names)
	return names
}

var gone = Equal(zk.ErrNoNode.Error())

var _ = onBoth("Removing a group", func(w *world) {
	It("leaves nothing, is repeated without harm, and lets the group begin anew", func(ctx SpecContext) {
		w.used(ctx, 12)
		s := w.start().session()
		for range 2 {
			Expect(s.RemoveGroup(ctx, group)).To(BeEmpty())
			Expect(w.data(layout.Group(group))).To(gone)
		}
		w.used(ctx, 12)
	})

	It("of one that never was is success, and writes nothing", func(ctx SpecContext) {
		Expect(w.start().session().RemoveGroup(ctx, group)).To(BeEmpty())
		Expect(w.data("/consumers")).To(gone)
	})

	It("keeps everything while it has members, also such that nobody understands", func(ctx SpecContext) {
		w.used(ctx, 2)
		w.create(layout.Member(group, "half"), "{")
		m := w.join(ctx, "pod-1")
		Expect(w.start().session().RemoveGroup(ctx, group)).To(Equal([]string{m.id, "half"}))
		Expect(w.data(layout.Offset(group, partition(1)))).To(Equal("0"))
		Expect(w.data(layout.Birth(group))).To(BeEmpty())
	})

	It("keeps what is not a consumer group's", func(ctx SpecContext) {
		w.used(ctx, 2)
		w.create(layout.Group(group)+"/theirs", "x")
		Expect(w.start().session().RemoveGroup(ctx, group)).To(BeEmpty())
		Expect(w.children(layout.Group(group))).To(Equal([]string{"theirs"}))
	})

	It("takes claims that nobody can release any more, lasting and of live sessions", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		_, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		w.create(layout.Owner(group, partition(1)), "left behind")
		Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
		Expect(w.start().session().RemoveGroup(ctx, group)).To(BeEmpty())
		Expect(w.data(layout.Group(group))).To(gone)
	})

	It("of many partitions takes several transactions, and goes on where it was cut short", func(ctx SpecContext) {
		w.used(ctx, 1200)
		s := w.start().session()
		short, cut := context.WithCancel(ctx)
		go func() {
			defer GinkgoRecover()
			Eventually(func() string { return w.data(layout.Birth(group)) }).WithPolling(time.Millisecond).Should(gone)
			cut()
		}()
		_, err := s.RemoveGroup(short, group)
		<-short.Done()
		if err != nil { // it may have been faster
			Expect(err).To(MatchError(context.Canceled))
		}
		Expect(s.RemoveGroup(ctx, group)).To(BeEmpty())
		Expect(w.data(layout.Group(group))).To(gone)
	})

	It("names what it cannot remove", func(ctx SpecContext) {
		w.used(ctx, 2)
		path := layout.Offset(group, partition(1))
		w.create(path+"/theirs", "x")
		_, err := w.start().session().RemoveGroup(ctx, group)
		Expect(err).To(SatisfyAll(ofKind(registry.Conflict), MatchError(ContainSubstring(path)),
			MatchError(ContainSubstring("no consumer group's"))))
		Expect(w.data(layout.Birth(group))).To(BeEmpty(), "all or nothing")
	})

	It("says whose credentials do not suffice", func(ctx SpecContext) {
		w.used(ctx, 2)
		path := layout.Offsets(group, topic)
		_, err := w.admin.SetACL(w.path(path), zk.DigestACL(zk.PermAll, "some", "body"), -1)
		Expect(err).NotTo(HaveOccurred())
		_, err = w.start().session().RemoveGroup(ctx, group)
		Expect(err).To(SatisfyAll(ofKind(registry.Denied), MatchError(ContainSubstring("credentials"))))
	})

	It("and a member that joins all the while leave a group that is whole, or none", func(ctx SpecContext) {
		s, m := w.start().session(), w.start().session()
		for i := range 20 {
			w.create(layout.Offset(group, partition(0)), "5")
			id := layout.MemberID(group, layout.Sticky, "pod-0", births+int64(i), 1)
			joined := make(chan error, 1)
			go func() { joined <- m.Register(ctx, group, id, layout.EncodeMember([]string{topic}, births)) }()
			members, err := s.RemoveGroup(ctx, group)
			Expect(err).NotTo(HaveOccurred())
			Expect(<-joined).NotTo(HaveOccurred())
			if len(members) > 0 {
				Expect(members).To(Equal([]string{id}))
				Expect(w.data(layout.Offset(group, partition(0)))).To(Equal("5"))
			} else {
				Expect(w.data(layout.Offset(group, partition(0)))).To(gone)
			}
			Expect(w.owner(layout.Member(group, id))).To(Equal(m.ID()))
			Expect(m.Unregister(ctx, group, id)).To(Succeed())
			Expect(s.RemoveGroup(ctx, group)).To(BeEmpty())
		}
	})
})

var _ = underFaults("Removing a group, when things go wrong,", func(w *world) {
	// raced removes the group while register is called between the look for members and the first transaction.
	raced := func(
		ctx context.Context, s *registry.Session, op zookeeper.Op, path string, meanwhile func(),
	) ([]string, error) {
		GinkgoHelper()
		held := w.faults().HoldAnswers(zookeeper.Match{
			Op: op, Session: s.ID(), Path: func(p string) bool { return p == w.path(path) },
		})
		type result struct {
			members []string
			err     error
		}
		results := make(chan result, 1)
		go func() {
			members, err := s.RemoveGroup(ctx, group)
			results <- result{members, err}
		}()
		Eventually(held.Fired()).Should(BeClosed())
		meanwhile()
		held.Cancel()
		var r result
		Eventually(results).Should(Receive(&r))
		return r.members, r.err
	}

	It("it is refused by a member that registers after it looked", func(ctx SpecContext) {
		w.used(ctx, 3)
		var m *member
		members, err := raced(ctx, w.start().session(), zookeeper.OpGetChildren2, layout.Members(group), func() {
			m = w.join(ctx, "late")
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(members).To(Equal([]string{m.id}))
		Expect(w.data(layout.Offset(group, partition(2)))).To(Equal("0"))
		Expect(w.data(layout.Birth(group))).To(BeEmpty())
	})

	It("it is stopped by a member that registers between two transactions", func(ctx SpecContext) {
		w.used(ctx, 1200)
		var m *member
		members, err := raced(ctx, w.start().session(), zookeeper.OpMulti, layout.Birth(group), func() {
			m = w.join(ctx, "late")
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(members).To(Equal([]string{m.id}))
		Expect(len(w.children(layout.Offsets(group, topic)))).To(BeNumerically("~", 700, 10))
		Expect(w.data(layout.Birth(group))).To(gone, "what is left of it begins anew")
	})

	It("a member that came and went does not stop it", func(ctx SpecContext) {
		w.used(ctx, 1200)
		members, err := raced(ctx, w.start().session(), zookeeper.OpMulti, layout.Birth(group), func() {
			m := w.join(ctx, "late")
			Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(members).To(BeEmpty())
		Expect(w.data(layout.Group(group))).To(gone)
	})

	It("a lost answer, and a lost request, are made good for", func(ctx SpecContext) {
		for _, lose := range []func(*zookeeper.Faults, zookeeper.Match) *zookeeper.Fault{
			func(f *zookeeper.Faults, m zookeeper.Match) *zookeeper.Fault { return f.DropBeforeAnswer(1, m) },
			func(f *zookeeper.Faults, m zookeeper.Match) *zookeeper.Fault { return f.DropBeforeRequest(1, m) },
		} {
			w.used(ctx, 3)
			s := w.start().session()
			lost := lose(w.faults(), zookeeper.Match{Op: zookeeper.OpMulti, Session: s.ID()})
			Expect(s.RemoveGroup(ctx, group)).To(BeEmpty())
			Expect(lost.Fired()).To(BeClosed())
			Expect(w.data(layout.Group(group))).To(gone)
		}
	})

	It("ends with its context", func(ctx SpecContext) {
		w.used(ctx, 3)
		s := w.start().session()
		w.faults().Freeze()
		_, err := s.RemoveGroup(within(ctx, 100*time.Millisecond), group)
		Expect(err).To(ofKind(registry.Unavailable))
	})
})

var _ = Describe("Removing a group without transactions", Label(onEmbedded), func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		server, err := zookeeper.Start(ctx, zookeeper.Config{TickTime: tick, DisableMulti: true})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Close)
		w = &world{target: embeddedTarget{server}, admin: connect(server.Addr()), chroot: "/old"}
		DeferCleanup(w.admin.Close)
		w.create("/", "")
	})

	It("works, refuses members, and leaves claims of live sessions alone", func(ctx SpecContext) {
		w.used(ctx, 100)
		s := w.start().session()
		m := w.join(ctx, "pod-1")
		Expect(s.RemoveGroup(ctx, group)).To(Equal([]string{m.id}))
		Expect(w.children(layout.Offsets(group, topic))).To(HaveLen(100))
		_, err := m.claim(ctx, kafka.Partition{Topic: topic, ID: "0"})
		Expect(err).NotTo(HaveOccurred())
		Expect(m.Unregister(ctx, group, m.id)).To(Succeed())
		_, err = s.RemoveGroup(ctx, group)
		Expect(err).To(SatisfyAll(ofKind(registry.Conflict), MatchError(ContainSubstring("live session"))))
		m.stop()
		Expect(s.RemoveGroup(ctx, group)).To(BeEmpty())
		Expect(w.data(layout.Group(group))).To(gone)
	})
})
