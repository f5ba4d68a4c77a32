// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"context"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
)

var _ = Describe("A position outside of the log", func() {
	var (
		w  *world.World
		to *script
	)

	// left is a group that has consumed ten messages and left, so that 10 is where the next member begins.
	left := func(ctx context.Context) {
		GinkgoHelper()
		var cluster *client.Cluster
		w, cluster = start(ctx, 1)
		publish(ctx, cluster, 10)
		before := newScript()
		a := work(cluster, "a", pump.Config{Sink: before})
		Eventually(before.distinct).Should(Equal(10))
		a.leave()
		to = newScript()
	}

	// remade makes the topic anew, with so many messages.
	remade := func(ctx context.Context, messages int) *client.Cluster {
		GinkgoHelper()
		Expect(w.Kafka.DeleteTopic(ctx, "orders")).To(Succeed())
		Expect(w.Kafka.CreateTopic(ctx, "orders", 1)).To(Succeed())
		cluster := open(ctx, w)
		publish(ctx, cluster, messages)
		return cluster
	}

	BeforeEach(func(ctx SpecContext) { left(ctx) })

	It("is left for the earliest, or the latest, where the rule says so", func(ctx SpecContext) {
		cluster := remade(ctx, 4)
		seen := &jumps{}
		b := work(cluster, "b", pump.Config{Sink: to, OutOfRange: lane.ToEarliest, Observer: seen})
		Eventually(to.distinct).Should(Equal(4))
		Eventually(func() string { return committed(w, "0") }).Should(Equal("4"))
		Expect(seen.list()).To(ConsistOf(And(
			HaveField("From", int64(10)), HaveField("To", int64(0)), HaveField("Lost", int64(0)))))
		b.leave()

		cluster = remade(ctx, 2)
		c := work(cluster, "c", pump.Config{Sink: to, OutOfRange: lane.ToLatest, Observer: seen})
		Eventually(func() string { return committed(w, "0") }).Should(Equal("2"))
		Expect(to.distinct()).To(Equal(4), "nothing of before is delivered")
		publish(ctx, cluster, 3)
		Eventually(func() string { return committed(w, "0") }).Should(Equal("5"))
		Expect(c.blocked()).To(BeEmpty())
	})

	It("is left for the end that is nearer, where the rule says so", func(ctx SpecContext) {
		cluster := open(ctx, w)
		publish(ctx, cluster, 10)
		deleteRecords(ctx, w, 15)
		seen := &jumps{}
		b := work(cluster, "b", pump.Config{Sink: to, OutOfRange: lane.ToNearest, Observer: seen})
		Eventually(to.distinct).Should(Equal(5), "what retention left")
		Expect(seen.list()).To(ConsistOf(And(
			HaveField("From", int64(10)), HaveField("To", int64(15)), HaveField("Lost", int64(5)))))
		b.leave()

		cluster = remade(ctx, 4)
		c := work(cluster, "c", pump.Config{Sink: to, OutOfRange: lane.ToNearest})
		Eventually(func() string { return committed(w, "0") }).Should(Equal("4"))
		Expect(to.distinct()).To(Equal(5), "what the new topic held is skipped")
		publish(ctx, cluster, 3)
		Eventually(func() string { return committed(w, "0") }).Should(Equal("7"))
		Expect(c.blocked()).To(BeEmpty())
	})

	It("blocks below the start, where the rule says so, until somebody sets another", func(ctx SpecContext) {
		cluster := open(ctx, w)
		publish(ctx, cluster, 10)
		deleteRecords(ctx, w, 15)
		b := work(cluster, "b", pump.Config{Sink: to, OutOfRange: lane.BlockOutOfRange})
		Eventually(b.blocked).Should(ConsistOf("0"))
		Consistently(func() string { return committed(w, "0") }).Should(Equal("10"))
		set(w, "0", "16")
		Eventually(to.distinct).Should(Equal(4))
		Eventually(b.blocked).Should(BeEmpty())
	})

	It("blocks beyond the end until the log holds it again", func(ctx SpecContext) {
		cluster := open(ctx, w)
		set(w, "0", "12")
		b := work(cluster, "b", pump.Config{Sink: to})
		Eventually(b.blocked).Should(ConsistOf("0"))
		publish(ctx, cluster, 1)
		Consistently(b.blocked).Should(ConsistOf("0"))
		publish(ctx, cluster, 1) // now the log ends exactly there
		Eventually(b.blocked).Should(BeEmpty())
		Expect(b.consumer.Status().Fetches).To(HaveEach(HaveField("Err", BeNil())))
		publish(ctx, cluster, 1)
		Eventually(to.distinct).Should(Equal(1))
		Eventually(func() string { return committed(w, "0") }).Should(Equal("13"))
	}, NodeTimeout(time.Minute))

	It("is any, of a topic that was made anew and has grown beyond it before anybody looked", func(ctx SpecContext) {
		cluster := remade(ctx, 20)
		b := work(cluster, "b", pump.Config{Sink: to})
		Eventually(b.blocked).Should(ConsistOf("0"))
		lane, _ := b.lane("0")
		Expect(lane.Err).To(MatchError(kafka.ErrReplaced))
		b.leave()

		By("remembering it when another comes")
		c := work(cluster, "c", pump.Config{Sink: to})
		Eventually(c.blocked).Should(ConsistOf("0"))
		Expect(to.distinct()).To(BeZero())
		set(w, "0", "0")
		Eventually(to.distinct).Should(Equal(20))
		Eventually(c.blocked).Should(BeEmpty())
	}, NodeTimeout(time.Minute))

	It("is any, of a topic that is made anew while it is consumed", func(ctx SpecContext) {
		cluster := open(ctx, w)
		b := work(cluster, "b", pump.Config{Sink: to})
		publish(ctx, cluster, 1)
		Eventually(to.distinct).Should(Equal(1))
		remade(ctx, 5)
		Eventually(b.blocked).Should(ConsistOf("0"))
		lane, _ := b.lane("0")
		Expect(lane.Err).To(Or(MatchError(kafka.ErrReplaced), MatchError(ContainSubstring("outside the log"))))
		set(w, "0", "0")
		Eventually(to.distinct).Should(Equal(6))
	}, NodeTimeout(time.Minute))
})

// jumps is an Observer that remembers them.
type jumps struct {
	mu   sync.Mutex
	seen []lane.Jump
}

func (*jumps) Fetched(kafka.Partition, int, int)       {}
func (*jumps) Delivered(kafka.Partition, pump.Attempt) {}

func (j *jumps) Jumped(_ kafka.Partition, jump lane.Jump) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = append(j.seen, jump)
}

func (j *jumps) list() []lane.Jump {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]lane.Jump(nil), j.seen...)
}
