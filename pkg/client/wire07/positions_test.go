// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

var _ = Describe("Positions", func() {
	It("are the first still held and the next to come", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{SegmentSize: 100, RetentionBytes: 100}, wire07.Config{})
		for i := range 20 {
			w.fill(ctx, first, numbers(i*10, i*10+10))
		}
		end := w.fill(ctx, third, numbers(0, 10))
		Expect(w.brokers["1"].Clean()).To(Succeed())
		segments := w.brokers["1"].Segments("orders", 0)
		all := []kafka.Partition{first, second, third}
		Expect(w.transport.Positions(ctx, all, kafka.Earliest())).To(Equal(
			map[kafka.Partition]int64{first: segments[0].Start, second: 0, third: 0}))
		last := segments[len(segments)-1]
		Expect(w.transport.Positions(ctx, all, kafka.Latest())).To(Equal(
			map[kafka.Partition]int64{first: last.Start + int64(last.Visible), second: 0, third: end}))
		Expect(w.transport.Positions(ctx, nil, kafka.Latest())).To(BeEmpty())
	})

	It("of a time are where the first segment begins that was written to since", func(ctx SpecContext) {
		begin := time.Date(2012, 3, 1, 12, 0, 0, 500_000_000, time.UTC)
		clock := zookeeper.NewManualClock(begin)
		w := newWorld(ctx, kafka07.Config{SegmentSize: 50, Clock: clock}, wire07.Config{})
		for i := range 6 { // each fills a segment
			w.fill(ctx, first, numbers(i*10, i*10+10))
			clock.Advance(time.Minute)
		}
		segments := w.brokers["1"].Segments("orders", 0)
		Expect(segments).To(HaveLen(6))
		end := segments[5].Start + int64(segments[5].Visible)
		since := func(after time.Duration) int64 {
			GinkgoHelper()
			found, err := w.transport.Positions(ctx, []kafka.Partition{first, second}, kafka.Since(begin.Add(after)))
			Expect(err).NotTo(HaveOccurred())
			Expect(found).To(HaveKeyWithValue(second, int64(0)))
			return found[first]
		}
		Expect(since(-time.Hour)).To(BeZero())
		Expect(since(0)).To(BeZero())
		Expect(since(2 * time.Second)).To(Equal(segments[1].Start))
		Expect(since(time.Minute)).To(Equal(segments[1].Start), "a message at that very time")
		Expect(since(time.Minute+500*time.Millisecond)).To(Equal(segments[1].Start), "files' times may be whole seconds")
		Expect(since(3*time.Minute - time.Second)).To(Equal(segments[3].Start))
		Expect(since(5*time.Minute+2*time.Second)).To(Equal(end), "nothing since: the end")
		Expect(since(24*time.Hour)).To(Equal(end), "still to come: the end")
		found, err := w.transport.Positions(ctx, []kafka.Partition{first}, kafka.Since(time.Time{}))
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(HaveKeyWithValue(first, int64(0)))
	})

	It("that cannot be had are missing, and the error names them", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{}.WithPatience(patience))
		end := w.fill(ctx, first, numbers(0, 10))
		w.brokers["2"].Faults().Stall()
		asked := []kafka.Partition{first, second, third, at(2, 1), at(1, 7), at(8, 0)}
		found, err := w.transport.Positions(ctx, asked, kafka.Latest())
		Expect(found).To(Equal(map[kafka.Partition]int64{first: end, second: 0}))
		Expect(err).To(MatchError(And(
			ContainSubstring("orders/2-0, orders/2-1: broker 2 at "), ContainSubstring("it takes longer than 500ms"),
			ContainSubstring("orders/1-7: broker 1 at "), ContainSubstring("the broker has no such partition"),
			ContainSubstring("orders/8-0: broker 8: the broker is not registered as live"))))
		Expect(err).To(MatchError(protocol.WrongPartition))
	})

	It("of many partitions are asked for in parts", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{TopicPartitions: map[string]int32{"orders": 300}}, wire07.Config{})
		var asked []kafka.Partition
		for number := range 302 {
			asked = append(asked, at(1, number))
		}
		end := w.fill(ctx, at(1, 299), numbers(0, 10))
		found, err := w.transport.Positions(ctx, asked, kafka.Latest())
		Expect(found).To(HaveLen(300))
		Expect(found).To(HaveKeyWithValue(at(1, 299), end))
		Expect(err).To(MatchError(ContainSubstring("orders/1-300, orders/1-301")))
	})

	It("end with the transport", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{})
		w.brokers["1"].Faults().Stall()
		asked := make(chan error, 1)
		go func() {
			_, err := w.transport.Positions(ctx, []kafka.Partition{first}, kafka.Latest())
			asked <- err
		}()
		w.transport.Close()
		Eventually(asked).WithContext(ctx).Should(Receive(MatchError(ContainSubstring("the transport is closed"))))
	})
})

var _ = Describe("Ping", func() {
	It("is answered if any broker answers", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{}.WithPatience(patience))
		w.brokers["1"].Faults().Stall()
		Expect(w.transport.Ping(ctx)).To(Succeed())
		w.brokers["2"].Stop()
		Expect(w.transport.Ping(ctx)).To(MatchError(And(
			ContainSubstring("no broker answers"), ContainSubstring("broker 1 at "), ContainSubstring("broker 2 at "),
			ContainSubstring("connection refused"))))
		w.brokers["1"].Faults().Resume()
		Expect(w.transport.Ping(ctx)).To(Succeed())
		Expect(w.brokers["1"].Topics()).To(BeEmpty(), "it makes no topic")
	})
})
