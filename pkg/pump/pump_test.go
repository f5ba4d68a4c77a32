// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"bytes"
	"context"
	"strconv"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/sink"
)

var _ = Describe("A pump", func() {
	var first kafka.Partition

	BeforeEach(func() { first = kafka.Partition{Topic: "orders", ID: "0"} })

	It("delivers everything in order and commits what is acknowledged", func(ctx SpecContext) {
		w, cluster := start(ctx, 3)
		publish(ctx, cluster, 90)
		to := newScript()
		work(cluster, "a", pump.Config{Sink: to})
		Eventually(to.distinct).Should(Equal(90))
		Expect(to.faults()).To(BeEmpty())
		Eventually(func() (sum int) {
			for i := range 3 {
				sum += number(committed(w, strconv.Itoa(i)))
			}
			return sum
		}).Should(Equal(90))
	})

	It("blocks on a failure, says so, and heals by itself without losing or reordering anything", func(ctx SpecContext) {
		w, cluster := start(ctx, 1)
		publish(ctx, cluster, 20)
		to := newScript()
		to.answers(func(_ context.Context, m kafka.Message) sink.Result {
			if m.Offset >= 7 {
				return sink.Result{Outcome: sink.Retry, Err: errSink}
			}
			return sink.Result{Outcome: sink.Done}
		})
		a := work(cluster, "a", pump.Config{Sink: to})
		Eventually(a.blocked).Should(ConsistOf("0"))
		lane, _ := a.lane("0")
		Expect(lane.Message).To(Equal("orders/0/7"))
		Expect(lane.Err).To(MatchError(errSink))
		Expect(lane.Attempts).To(BeNumerically(">=", 10))
		Eventually(func() string { return committed(w, "0") }).Should(Equal("7"))
		Consistently(func() string { return committed(w, "0") }).Should(Equal("7"))

		to.answers(nil)
		Eventually(to.distinct).Should(Equal(20))
		Expect(to.faults()).To(BeEmpty())
		Eventually(a.blocked).Should(BeEmpty())
	})

	It("never lets a blocked partition stop another", func(ctx SpecContext) {
		_, cluster := start(ctx, 3)
		to := newScript()
		to.answers(refuse(first))
		a := work(cluster, "a", pump.Config{Sink: to})
		publish(ctx, cluster, 60)
		Eventually(a.blocked).Should(ConsistOf("0"))
		lane, _ := a.lane("0")
		waiting := lane.Pending + lane.BufferedMessages
		Eventually(to.distinct).Should(BeNumerically(">=", 60-waiting))
		to.answers(nil)
		Eventually(to.distinct).Should(Equal(60))
		Expect(to.faults()).To(BeEmpty())
	})

	It("hands a blocked partition over at once", func(ctx SpecContext) {
		w, cluster := start(ctx, 1)
		publish(ctx, cluster, 3)
		to := newScript()
		to.answers(refuse(first))
		a := work(cluster, "a", pump.Config{Sink: to})
		Eventually(a.blocked).Should(ConsistOf("0"))
		a.leave()
		other := newScript()
		work(open(ctx, w), "b", pump.Config{Sink: other})
		Eventually(other.distinct).Should(Equal(3))
	})

	It("finishes what is under way when it leaves, and nothing more", func(ctx SpecContext) {
		w, cluster := start(ctx, 1)
		publish(ctx, cluster, 10)
		to := newScript()
		to.limits = sink.Limits{Messages: 1}
		begun, finish := make(chan struct{}), make(chan struct{})
		var once sync.Once
		to.answers(func(ctx context.Context, _ kafka.Message) sink.Result {
			once.Do(func() { close(begun) })
			select {
			case <-finish:
				return sink.Result{Outcome: sink.Done}
			case <-ctx.Done():
				return sink.Result{Outcome: sink.Unknown, Err: ctx.Err()}
			}
		})
		a := work(cluster, "a", pump.Config{Sink: to})
		Eventually(begun).Should(BeClosed())
		a.cancel()
		Eventually(a.states).Should(ConsistOf("Draining"))
		close(finish)
		Eventually(a.done).Should(BeClosed())
		Expect(to.distinct()).To(Equal(1))
		Expect(committed(w, "0")).To(Equal("1"))
		Expect(w.ZooKeeper.Children(w.Path("/consumers/billing/owners/orders"))).To(BeEmpty())
	})

	It("cuts a sink that hangs when time is up, and commits only what it acknowledged", func(ctx SpecContext) {
		w, cluster := start(ctx, 1)
		publish(ctx, cluster, 5)
		to := newScript()
		to.limits = sink.Limits{Messages: 1}
		to.answers(func(ctx context.Context, m kafka.Message) sink.Result {
			if m.Offset < 2 {
				return sink.Result{Outcome: sink.Done}
			}
			<-ctx.Done()
			return sink.Result{Outcome: sink.Unknown, Err: ctx.Err()}
		})
		a := work(cluster, "a", pump.Config{Sink: to})
		Eventually(to.distinct).Should(Equal(2))
		a.leave()
		Expect(committed(w, "0")).To(Equal("2"))
	})

	It("stops delivering when its lease lapses, and goes on in place when the session comes back", func(ctx SpecContext) {
		w, cluster := start(ctx, 1)
		to := newScript()
		a := work(cluster, "a", pump.Config{Sink: to})
		publish(ctx, cluster, 5)
		Eventually(to.distinct).Should(Equal(5))

		ended := make(chan struct{})
		var once sync.Once
		to.answers(func(ctx context.Context, _ kafka.Message) sink.Result {
			<-ctx.Done() // the attempt under way ends with the lease
			once.Do(func() { close(ended) })
			return sink.Result{Outcome: sink.Unknown, Err: ctx.Err()}
		})
		publish(ctx, cluster, 5)
		w.ZooKeeper.Faults().Freeze()
		Eventually(ended).Should(BeClosed())
		Eventually(func() bool { lane, _ := a.lane("0"); return lane.Paused }).Should(BeTrue())
		to.answers(nil)
		Consistently(to.distinct).Should(Equal(5))
		w.ZooKeeper.Faults().Thaw()
		Eventually(to.distinct).Should(Equal(10))
		Expect(to.faults()).To(BeEmpty())
	})

	It("bounds what waits for a slow sink", func(ctx SpecContext) {
		_, cluster := start(ctx, 1)
		value := bytes.Repeat([]byte("x"), 10_000)
		for range 200 {
			Expect(cluster.Topic("orders").Publish(ctx, value)).To(Succeed())
		}
		to := newScript()
		to.answers(refuse(first))
		const buffer = 100_000
		a := work(cluster, "a", pump.Config{Sink: to, Buffer: buffer})
		Eventually(a.blocked).Should(ConsistOf("0"))
		const fetch = 1 << 20 // the one that crosses the bound
		Consistently(func() int { lane, _ := a.lane("0"); return lane.BufferedBytes }).
			Should(BeNumerically("<=", buffer+fetch))
		to.answers(nil)
		Eventually(to.distinct).Should(Equal(200))
		Expect(to.faults()).To(BeEmpty())
	})

	It("goes on at the earliest message, and counts what is lost, where retention was faster", func(ctx SpecContext) {
		w, cluster := start(ctx, 1)
		publish(ctx, cluster, 10)
		to := newScript()
		a := work(cluster, "a", pump.Config{Sink: to})
		Eventually(to.distinct).Should(Equal(10))
		a.leave()
		publish(ctx, cluster, 10)
		deleteRecords(ctx, w, 15)
		b := work(open(ctx, w), "b", pump.Config{Sink: to})
		Eventually(to.distinct).Should(Equal(15))
		lane, _ := b.lane("0")
		Expect(lane.Lost).To(BeEquivalentTo(5))
		Eventually(func() string { return committed(w, "0") }).Should(Equal("20"))
	})

	It("blocks where the log ends before the position, and skips nothing", func(ctx SpecContext) {
		w, cluster := start(ctx, 1)
		publish(ctx, cluster, 10)
		to := newScript()
		a := work(cluster, "a", pump.Config{Sink: to})
		Eventually(to.distinct).Should(Equal(10))
		a.leave()
		set(w, "0", "14")
		b := work(cluster, "b", pump.Config{Sink: to})
		Eventually(b.blocked).Should(ConsistOf("0"))
		lane, _ := b.lane("0")
		Expect(lane.Err).To(MatchError(ContainSubstring("outside the log")))
		Consistently(func() string { return committed(w, "0") }).Should(Equal("14"))
	})
})
