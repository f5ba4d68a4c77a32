// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

var _ = Describe("Fetching", func() {
	var w *world

	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx, kafka07.Config{}, wire07.Config{}) })

	It("gives messages with their positions", func(ctx SpecContext) {
		set := protocol.AppendMessage(nil, []byte("one"))
		set = protocol.AppendMessageMagic0(set, []byte("two"))
		set = protocol.AppendMessage(set, nil)
		end := w.fill(ctx, first, set)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.untilValues(ctx, first, []string{"one", "two", ""})
		got := w.reader.messages[first]
		Expect(got[0].ID()).To(Equal("orders/1-0/0"))
		Expect([]int64{got[0].Offset, got[1].Offset, got[2].Offset}).To(Equal([]int64{0, 13, 25}))
		Expect([]int64{got[0].Next, got[1].Next, got[2].Next}).To(Equal([]int64{13, 25, end}))
		Expect(got[0].Key).To(BeNil())
		Expect(got[0].Timestamp).To(BeZero())
		Expect(got[2].Value).To(And(BeEmpty(), Not(BeNil())))
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.ends).To(HaveKeyWithValue(first, end)) })
	})

	DescribeTable("gives messages of a wrapper its position and numbers", func(ctx SpecContext, codec protocol.Codec) {
		from := w.fill(ctx, first, protocol.AppendMessage(nil, []byte("plain")))
		to := w.fill(ctx, first, wrap(codec, numbers(0, 3)))
		w.fill(ctx, first, protocol.AppendMessage(nil, []byte("plain")))
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.untilValues(ctx, first, []string{"plain", "0", "1", "2", "plain"})
		got := w.reader.messages[first]
		Expect(got[0].Next).To(Equal(from))
		for i, next := range []int64{from, from, to} {
			inner := got[i+1]
			Expect(inner.Offset).To(Equal(from))
			Expect(inner.Index).To(BeEquivalentTo(i))
			Expect(inner.Next).To(Equal(next))
		}
		Expect(got[4].Offset).To(Equal(to))
		Expect(got[4].Index).To(BeZero())
	}, Entry("gzip", protocol.Gzip), Entry("snappy", protocol.Snappy))

	It("brings partitions that were added and no others, from their positions on", func(ctx SpecContext) {
		for _, partition := range []kafka.Partition{first, second, third, at(2, 1)} {
			w.fill(ctx, partition, numbers(0, 10))
		}
		from := int64(len(numbers(0, 3)))
		positions := map[kafka.Partition]int64{first: from, third: 0}
		w.transport.Add(positions)
		Expect(positions).To(HaveLen(2), "the caller's map is changed")
		w.reader.untilValues(ctx, first, words(3, 10))
		w.reader.untilValues(ctx, third, words(0, 10))
		end := w.fill(ctx, third, numbers(10, 12))
		w.fill(ctx, second, numbers(10, 12))
		w.reader.untilValues(ctx, third, words(0, 12))
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.ends).To(HaveKeyWithValue(third, end)) })
		w.reader.quiet(ctx, func(g Gomega) {
			g.Expect(w.reader.messages).To(HaveLen(2))
			g.Expect(w.reader.errs).To(BeEmpty())
		})
	})

	It("brings nothing of a removed partition, and begins anew where it is added", func(ctx SpecContext) {
		w.fill(ctx, first, numbers(0, 10))
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.untilValues(ctx, first, words(0, 10))
		w.transport.Remove([]kafka.Partition{first, second})
		w.fill(ctx, first, numbers(10, 20))
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.messages[first]).To(HaveLen(10)) })
		w.transport.Add(map[kafka.Partition]int64{first: int64(len(numbers(0, 5)))})
		w.reader.untilValues(ctx, first, words(0, 10), words(5, 20))
	})

	It("moves a partition that is added again", func(ctx SpecContext) {
		w.fill(ctx, first, numbers(0, 10))
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.untilValues(ctx, first, words(0, 10))
		w.transport.Add(map[kafka.Partition]int64{first: int64(len(numbers(0, 8))), second: 0})
		w.reader.untilValues(ctx, first, words(0, 10), words(8, 10))
	})

	It("brings nothing while paused and all of it after", func(ctx SpecContext) {
		w.fill(ctx, first, numbers(0, 5))
		w.transport.Add(map[kafka.Partition]int64{first: 0, second: 0})
		w.transport.Pause([]kafka.Partition{first, at(7, 7)})
		w.fill(ctx, second, numbers(0, 5))
		w.reader.untilValues(ctx, second, words(0, 5))
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.messages[first]).To(BeEmpty()) })
		w.transport.Resume([]kafka.Partition{first, at(7, 7)})
		w.reader.untilValues(ctx, first, words(0, 5))
	})

	It("keeps a moved partition paused", func(ctx SpecContext) {
		w.fill(ctx, first, numbers(0, 5))
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.transport.Pause([]kafka.Partition{first})
		w.transport.Add(map[kafka.Partition]int64{first: int64(len(numbers(0, 2)))})
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.messages[first]).To(BeEmpty()) })
		w.transport.Resume([]kafka.Partition{first})
		w.reader.untilValues(ctx, first, words(2, 5))
	})

	It("brings a message to an idle partition well within a second", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 0, second: 0})
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.messages).To(BeEmpty()) })
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.errs).To(BeEmpty()) })
		w.fill(ctx, first, numbers(0, 1))
		start := time.Now()
		w.reader.untilValues(ctx, first, words(0, 1))
		Expect(time.Since(start)).To(BeNumerically("<", 700*time.Millisecond))
	})

	It("tells where the log ends, also of what is paused", func(ctx SpecContext) {
		end := w.fill(ctx, first, numbers(0, 5))
		w.transport.Add(map[kafka.Partition]int64{first: 0, second: 0})
		w.transport.Pause([]kafka.Partition{first})
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.ends).To(Equal(map[kafka.Partition]int64{first: end, second: 0}))
		})
		Expect(w.reader.messages).To(BeEmpty())
		end = w.fill(ctx, first, numbers(5, 10))
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.ends).To(HaveKeyWithValue(first, end)) })
	})

	It("goes on over the ends of segments", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{SegmentSize: 100}, wire07.Config{})
		for i := range 50 {
			w.fill(ctx, first, numbers(i*10, i*10+10))
		}
		Expect(len(w.brokers["1"].Segments("orders", 0))).To(BeNumerically(">", 10))
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.untilValues(ctx, first, words(0, 500))
	})

	It("grows its fetches to what a message takes, up to the declared maximum", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{MaxMessageBytes: 10_000, FetchMaxPartitionBytes: 3})
		large := strings.Repeat("x", 10_000)
		w.fill(ctx, first, protocol.AppendMessage(numbers(0, 20), []byte(large)))
		from := w.fill(ctx, first, numbers(20, 40))
		w.transport.Add(map[kafka.Partition]int64{first: 0, second: 0})
		w.reader.untilValues(ctx, first, words(0, 20), []string{large}, words(20, 40))
		Expect(w.reader.errs).To(BeEmpty())

		w.fill(ctx, first, protocol.AppendMessage(nil, []byte(large+"y")))
		w.fill(ctx, second, numbers(0, 5))
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.stops[first]).To(Equal(1)) })
		Expect(w.reader.err(first)).To(MatchError(And(
			ContainSubstring("orders/1-0 at position %d", from),
			ContainSubstring("takes 10011 bytes, 1 more than maxMessageBytes (10000)"))))
		w.reader.untilValues(ctx, second, words(0, 5))
		Expect(w.reader.stops).To(HaveLen(1))
	})

	It("reports a position inside a message as corrupt data, and goes on beside it", func(ctx SpecContext) {
		w.fill(ctx, first, numbers(0, 10))
		w.transport.Add(map[kafka.Partition]int64{first: 3, second: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.stops).To(HaveKeyWithValue(first, 1)) })
		Expect(w.reader.err(first)).To(MatchError(
			And(ContainSubstring("orders/1-0"), ContainSubstring("position 3"))))
		w.fill(ctx, second, numbers(0, 5))
		w.reader.untilValues(ctx, second, words(0, 5))
		Expect(w.reader.messages).NotTo(HaveKey(first))
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.untilValues(ctx, first, words(0, 10))
	})

	It("gives what stands before corrupt data, with the error behind it", func(ctx SpecContext) {
		set := numbers(0, 10)
		sizes := len(numbers(0, 7))
		end := w.fill(ctx, first, set)
		w.corrupt("1", "orders", sizes+protocol.Overhead)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.stops).To(HaveKeyWithValue(first, 1)) })
		Expect(w.reader.values(first)).To(Equal(words(0, 7)))
		Expect(w.reader.err(first)).To(MatchError(protocol.ErrChecksum))
		Expect(w.reader.err(first)).To(MatchError(ContainSubstring("orders/1-0: corrupt at position %d", sizes)))
		w.transport.Add(map[kafka.Partition]int64{first: int64(len(numbers(0, 8)))})
		w.reader.untilValues(ctx, first, words(0, 7), words(8, 10))
		Expect(w.reader.messages[first][8].Next).To(Equal(end))
	})

	It("gives no message of a wrapper that is corrupt", func(ctx SpecContext) {
		from := w.fill(ctx, first, numbers(0, 1))
		w.fill(ctx, first, wrap(protocol.Snappy, numbers(0, 100)))
		w.corrupt("1", "orders", int(from)+protocol.Overhead+100)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.stops).To(HaveKeyWithValue(first, 1)) })
		Expect(w.reader.values(first)).To(Equal(words(0, 1)))
		Expect(w.reader.err(first)).To(MatchError(ContainSubstring("corrupt at position %d", from)))
	})

	It("waits for the rest of a log that ends inside a message", func(ctx SpecContext) {
		w.fill(ctx, first, numbers(0, 10))
		// "1" behind the payload "5" and the next length, read as a length: 00 00 07 01.
		position := int64(len(numbers(0, 9))) + 2
		w.transport.Add(map[kafka.Partition]int64{first: position})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.errs[first]).NotTo(BeEmpty()) })
		Expect(w.reader.err(first)).To(MatchError(ContainSubstring("orders/1-0 at position %d", position)))
	})
})

var _ = Describe("A position outside the log", func() {
	var w *world

	outside := func(ctx context.Context, partition kafka.Partition) *kafka.OutOfRange {
		GinkgoHelper()
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.stops).To(HaveKeyWithValue(partition, 1)) })
		outOfRange, ok := errors.AsType[*kafka.OutOfRange](w.reader.err(partition))
		Expect(ok).To(BeTrue(), "got %v", w.reader.err(partition))
		return outOfRange
	}

	It("is told with the bounds, on either side", func(ctx SpecContext) {
		w = newWorld(ctx, kafka07.Config{SegmentSize: 100, RetentionBytes: 100}, wire07.Config{})
		for i := range 20 {
			w.fill(ctx, first, numbers(i*10, i*10+10))
		}
		end := w.fill(ctx, second, numbers(0, 10))
		Expect(w.brokers["1"].Clean()).To(Succeed())
		segments := w.brokers["1"].Segments("orders", 0)
		earliest, last := segments[0].Start, segments[len(segments)-1]
		Expect(earliest).To(BeNumerically(">", 0))
		w.transport.Add(map[kafka.Partition]int64{first: 5, second: end + 1})
		Expect(outside(ctx, first)).To(Equal(&kafka.OutOfRange{
			Partition: first, Position: 5, Earliest: earliest, Latest: last.Start + int64(last.Visible),
		}))
		Expect(outside(ctx, first).Truncated()).To(BeFalse())
		Expect(outside(ctx, second)).To(Equal(&kafka.OutOfRange{
			Partition: second, Position: end + 1, Earliest: 0, Latest: end,
		}))
		Expect(outside(ctx, second).Truncated()).To(BeTrue())
		w.transport.Add(map[kafka.Partition]int64{second: math.MaxInt64, third: -1})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.stops[second]).To(Equal(2)) })
		Expect(outside(ctx, third)).To(Equal(&kafka.OutOfRange{Partition: third, Position: -1}))
	})

	It("shows in a log that does not exist any more, where brokers answer as if all were well", func(ctx SpecContext) {
		w = newWorld(ctx, kafka07.Config{}, wire07.Config{})
		w.transport.Add(map[kafka.Partition]int64{first: 100})
		Expect(outside(ctx, first)).To(Equal(&kafka.OutOfRange{Partition: first, Position: 100}))
	})

	It("shows when the broker comes back without its log", func(ctx SpecContext) {
		w = newWorld(ctx, kafka07.Config{}, wire07.Config{})
		end := w.fill(ctx, first, numbers(0, 10))
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.untilValues(ctx, first, words(0, 10))
		w.brokers["1"].Close()
		fresh, err := kafka07.Start(ctx, kafka07.Config{ID: 1, Addr: w.brokers["1"].Addr(), Partitions: 2, FlushMessages: 1})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(fresh.Close)
		Expect(outside(ctx, first)).To(Equal(&kafka.OutOfRange{Partition: first, Position: end}))
	})

	It("is one beyond what is flushed, until it is", func(ctx SpecContext) {
		w = newWorld(ctx, kafka07.Config{FlushMessages: 1000, FlushScheduler: time.Hour}, wire07.Config{})
		Expect(w.fill(ctx, first, numbers(0, 10))).To(BeZero())
		position := int64(len(numbers(0, 5)))
		w.transport.Add(map[kafka.Partition]int64{first: position, second: 0})
		Expect(outside(ctx, first)).To(Equal(&kafka.OutOfRange{Partition: first, Position: position}))
		w.brokers["1"].Flush()
		w.transport.Add(map[kafka.Partition]int64{first: position})
		w.reader.untilValues(ctx, first, words(5, 10))
	})

	It("is none after a restart, which shows all that was written", func(ctx SpecContext) {
		w = newWorld(ctx, kafka07.Config{FlushMessages: 10, FlushScheduler: time.Hour}, wire07.Config{})
		Expect(w.fill(ctx, first, numbers(0, 10))).NotTo(BeZero())
		w.fill(ctx, first, numbers(10, 15))
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.untilValues(ctx, first, words(0, 10))
		w.brokers["1"].Kill()
		Expect(w.brokers["1"].Restart(ctx)).To(Succeed())
		w.reader.untilValues(ctx, first, words(0, 15))
		Expect(w.reader.stops).To(BeEmpty())
	})
})

var _ = Describe("Backpressure", func() {
	// A log of 64 MiB in sets of 1 MiB.
	const sets = 64

	log := func(ctx context.Context, w *world, partition kafka.Partition, count int) {
		GinkgoHelper()
		set := protocol.AppendMessage(nil, []byte(strings.Repeat("x", 1<<20-protocol.Overhead)))
		for range count {
			w.fill(ctx, partition, set)
		}
	}

	It("bounds what is kept of a partition that nobody polls", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{MaxMessageSize: 2 << 20}, wire07.Config{MaxMessageBytes: 2 << 20})
		log(ctx, w, first, sets)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		fetched := 0
		Eventually(w.kept).WithContext(ctx).Should(BeNumerically(">", 0))
		Consistently(w.kept, 300*time.Millisecond).WithContext(ctx).Should(
			BeNumerically("<=", (wire07.MaxWaiting+1)<<20))
		for fetched < sets {
			for _, fetch := range w.transport.Poll(ctx) {
				Expect(fetch.Err).NotTo(HaveOccurred())
				fetched += fetch.Batch.Len()
			}
		}
		Expect(fetched).To(Equal(sets))
	})

	It("does not let paused partitions hold up their neighbours", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{MaxMessageSize: 2 << 20}, wire07.Config{MaxMessageBytes: 2 << 20})
		log(ctx, w, first, 8)
		log(ctx, w, second, 8)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		Eventually(w.kept).WithContext(ctx).Should(BeNumerically(">=", wire07.MaxWaiting<<20))
		w.transport.Pause([]kafka.Partition{first})
		w.transport.Add(map[kafka.Partition]int64{second: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.messages[second]).To(HaveLen(8)) })
		Expect(w.reader.messages[first]).To(BeEmpty())
		w.transport.Resume([]kafka.Partition{first})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.messages[first]).To(HaveLen(8)) })
	})

	It("keeps wrappers that inflate a hundredfold within bounds", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{FetchMaxPartitionBytes: 50_000})
		const wrappers = 60
		payload := []byte(strings.Repeat("x", 10_000))
		var set []byte
		for range 400 {
			set = protocol.AppendMessage(set, payload)
		}
		wrapper := wrap(protocol.Gzip, set)
		Expect(len(wrapper)).To(BeNumerically("<", len(set)/100))
		for range wrappers {
			w.fill(ctx, first, wrapper) // some 20 MB in each fetch
		}
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		Eventually(w.kept).WithContext(ctx).Should(BeNumerically(">", 0))
		Consistently(w.kept, 300*time.Millisecond).WithContext(ctx).Should(
			BeNumerically("<", wire07.MaxBuffered+21<<20), "the bound, a set, a wrapper")
		fetched := 0
		next := int64(0)
		for fetched < wrappers*400 {
			for _, fetch := range w.transport.Poll(ctx) {
				Expect(fetch.Err).NotTo(HaveOccurred())
				if fetch.Batch.Len() == 0 {
					continue
				}
				Expect(fetch.Batch.Message(0).Offset).To(Equal(next))
				fetched += fetch.Batch.Len()
				next = fetch.Batch.Next(fetch.Batch.Len() - 1)
			}
			runtime.Gosched()
		}
		Expect(fetched).To(Equal(wrappers * 400))
	}, NodeTimeout(time.Minute))
})
