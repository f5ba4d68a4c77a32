// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

func corrupt(message []byte) []byte {
	message = slices.Clone(message)
	message[len(message)-1]++
	return message
}

// gzipped is a wrapper. It expects nothing, since it also runs while the tree of specs is being built.
func gzipped(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(data)
	_ = w.Close()
	return protocol.AppendMessageAttributes(nil, uint8(protocol.Gzip), out.Bytes())
}

// What becomes of a set: stored is how many bytes of it are, and whether the connection lives on.
var _ = DescribeTable("A set that is produced",
	func(ctx SpecContext, made func() []byte, stored int, open bool) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1, MaxMessageSize: 100})
		conn := dial(ctx, broker)
		conn.send(&protocol.ProduceRequest{Topic: "t", Set: made()})
		if open {
			Expect(conn.end("t")).To(Equal([]int64{int64(stored)}))
		} else {
			conn.expectEnd()
		}
		// Whatever it was, the topic is there now.
		Expect(broker.Topics()).To(Equal([]string{"t"}))
		Expect(*size(broker, "t-0")).To(Equal(stored))
	},
	Entry("whole", func() []byte { return set("a", "b") }, 22, true),
	Entry("empty", func() []byte { return nil }, 0, true),
	Entry("with an incomplete last message", func() []byte { return set("aa", "bb")[:23] }, 12, true),
	Entry("with three bytes behind", func() []byte { return append(set("aa"), 0, 0, 0) }, 12, true),
	Entry("of three bytes", func() []byte { return []byte{0, 0, 0} }, 0, true),
	Entry("with an incomplete first message", func() []byte { return set("aa")[:11] }, 0, false),
	Entry("with a bad checksum in the last message", func() []byte { return slices.Concat(set("a"), corrupt(set("b"))) }, 0, false),
	Entry("with a bad checksum inside a wrapper", func() []byte { return gzipped(corrupt(set("b"))) }, 0, false),
	Entry("with an incomplete first message inside", func() []byte { return gzipped(set("aa")[:11]) }, 0, false),
	Entry("with a wrapper inside a wrapper", func() []byte { return twice }, len(twice), true),
	Entry("with a wrapper of nonsense", func() []byte {
		return protocol.AppendMessageAttributes(nil, uint8(protocol.Gzip), []byte("nonsense"))
	}, 0, false),
	Entry("of a negative length", func() []byte { return []byte{0xff, 0xff, 0xff, 0xff} }, 0, false),
	Entry("of length 0", func() []byte { return []byte{0, 0, 0, 0} }, 0, false),
	Entry("of magic 2", func() []byte { return []byte{0, 0, 0, 6, 2, 0, 0, 0, 0, 0} }, 0, false),
	Entry("of codec 3", func() []byte { return protocol.AppendMessageAttributes(nil, 3, nil) }, 0, false),
	Entry("just small enough", func() []byte { return set(strings.Repeat("x", 100)) }, 110, true),
	Entry("too large", func() []byte { return set("a", strings.Repeat("x", 101)) }, 0, true),
	Entry("small as a wrapper only", func() []byte { return deflated }, len(deflated), true),
	Entry("too large first, then corrupt", func() []byte {
		return slices.Concat(set(strings.Repeat("x", 101)), corrupt(set("b")))
	}, 0, true),
	Entry("corrupt first, then too large", func() []byte {
		return slices.Concat(corrupt(set("b")), set(strings.Repeat("x", 101)))
	}, 0, false),
)

var (
	twice    = gzipped(gzipped(set("a")))
	deflated = gzipped(set(strings.Repeat("x", 9000)))
)

var _ = Describe("A request", func() {
	DescribeTable("closes the connection and makes no topic",
		func(ctx SpecContext, frame []byte) {
			broker := start(ctx, kafka07.Config{Partitions: 2, MaxRequestSize: 1000})
			conn := dial(ctx, broker)
			_, err := conn.Write(frame)
			Expect(err).NotTo(HaveOccurred())
			conn.expectEnd()
			Expect(broker.Topics()).To(BeEmpty())
		},
		Entry("of size 0", []byte{0, 0, 0, 0}),
		Entry("of a negative size", []byte{0xff, 0xff, 0xff, 0xff}),
		Entry("over the limit", []byte{0, 0, 0x03, 0xe9}),
		Entry("of an unknown kind", []byte{0, 0, 0, 2, 0, 9}),
		Entry("that is too short", []byte{0, 0, 0, 4, 0, 1, 0, 1}),
		Entry("PRODUCE to a partition out of range", (&protocol.ProduceRequest{Topic: "t", Partition: 2}).AppendTo(nil)),
		Entry("PRODUCE to partition -2", (&protocol.ProduceRequest{Topic: "t", Partition: -2}).AppendTo(nil)),
		Entry("PRODUCE to a/b", (&protocol.ProduceRequest{Topic: "a/b"}).AppendTo(nil)),
		Entry("PRODUCE to a/b, any partition", (&protocol.ProduceRequest{Topic: "a/b", Partition: -1}).AppendTo(nil)),
		Entry("MULTIPRODUCE whose last part is cut off", cutOff()),
		Entry("OFFSETS of a/b", (&protocol.OffsetsRequest{Topic: "a/b", Time: -1, MaxOffsets: 1}).AppendTo(nil)),
		Entry("OFFSETS of a partition out of range",
			(&protocol.OffsetsRequest{Topic: "t", Partition: 2, Time: -1, MaxOffsets: 1}).AppendTo(nil)),
	)

	It("MULTIPRODUCE is done in order up to what is refused, and goes on over what is dropped", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1, MaxMessageSize: 100})
		conn := dial(ctx, broker)
		part := func(topic, payload string) protocol.ProduceRequest { return *produce(topic, payload) }
		bad := part("c", "bad")
		bad.Set = corrupt(bad.Set)
		conn.send(&protocol.MultiProduceRequest{Produces: []protocol.ProduceRequest{
			part("a", "good"), part("dropped", strings.Repeat("x", 101)), part("b", "good"), bad, part("d", "good"),
		}})
		conn.expectEnd()
		Expect(broker.Topics()).To(Equal([]string{"a", "b", "c", "dropped"}))
		Expect(*size(broker, "a-0") + *size(broker, "b-0")).To(Equal(28))
		Expect(*size(broker, "c-0") + *size(broker, "dropped-0")).To(BeZero())
	})

	It("PRODUCE of an empty wrapper is no message, so nothing is flushed for it", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1})
		conn := dial(ctx, broker)
		empty := gzipped(nil)
		conn.send(&protocol.ProduceRequest{Topic: "t", Set: empty})
		Expect(conn.end("t")).To(Equal([]int64{0}))
		conn.send(produce("t", "good"))
		Expect(conn.end("t")).To(Equal([]int64{int64(len(empty)) + 14}))
		Expect(conn.payloads("t", 0)).To(Equal([]string{"good"}))
	})

	It("FETCH and OFFSETS make nothing", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{})
		conn := dial(ctx, broker)
		Expect(conn.fetch("t", 0, 100).Code).To(Equal(protocol.None))
		Expect(conn.end("t")).To(Equal([]int64{0}))
		Expect(conn.offsets("t", 0, protocol.EarliestTime, 0)).To(Equal([]int64{0}))
		Expect(conn.offsets("t", 0, 1000, 10)).To(BeEmpty())
		Expect(broker.Topics()).To(BeEmpty())
		Expect(broker.Segments("t", 0)).To(BeNil())
	})

	It("FETCH of a negative size breaks off behind a header, also as a part of a MULTIFETCH", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1})
		conn := dial(ctx, broker)
		conn.send(produce("t", "good"))
		Expect(conn.fetch("t", 14, -1)).To(Equal(protocol.FetchResponse{Set: []byte{}}), "at the end it is not looked at")
		conn.send(&protocol.MultiFetchRequest{Fetches: []protocol.FetchRequest{
			{Topic: "t", MaxSize: 5},
			{Topic: "t", MaxSize: -3},
			{Topic: "t", MaxSize: 100},
		}})
		// 2 for the error code of the whole, 6 and the set for each part: 2 + (6+5) + (6-3) + (6+14).
		want := []byte{0, 0, 0, 36, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 10, 1, 0xff, 0xff, 0xff, 0xff, 0, 0}
		got := make([]byte, len(want))
		_, err := io.ReadFull(conn, got) // it may come in parts
		Expect(err).NotTo(HaveOccurred())
		Expect(got).To(Equal(want))
		conn.expectEnd()
	})

	It("OFFSETS of a negative number closes where there is a log", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1})
		conn := dial(ctx, broker)
		Expect(conn.offsets("t", 0, protocol.LatestTime, -1)).To(Equal([]int64{0}))
		conn.send(produce("t", "good"), &protocol.OffsetsRequest{Topic: "t", Time: -1, MaxOffsets: -1})
		conn.expectEnd()
	})

	It("PRODUCE to any partition goes to one of them", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1, TopicPartitions: map[string]int32{"t": 3}})
		conn := dial(ctx, broker)
		q := produce("t", "good")
		q.Partition = protocol.AnyPartition
		conn.send(slices.Repeat([]protocol.Request{q}, 100)...)
		conn.end("t")
		total := 0
		for _, log := range []string{"t-0", "t-1", "t-2"} {
			Expect(size(broker, log)).To(HaveValue(BeNumerically(">", 0)), log)
			total += *size(broker, log)
		}
		Expect(total).To(Equal(1400))
	})
})

// cutOff is a MULTIPRODUCE of which the second part's set goes beyond the frame.
func cutOff() []byte {
	frame := (&protocol.MultiProduceRequest{Produces: []protocol.ProduceRequest{
		*produce("a", "good"), *produce("b", "good"),
	}}).AppendTo(nil)
	frame = frame[:len(frame)-1]
	frame[3]--
	return frame
}

var _ = Describe("Segments", func() {
	It("are rolled by size, and a fetch never crosses into the next", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1, SegmentSize: 30, Clock: frozen()})
		conn := dial(ctx, broker)
		for range 7 {
			conn.send(produce("t", "good")) // 14 bytes: the third makes 42, which is more than 30
		}
		Expect(conn.end("t")).To(Equal([]int64{98}))
		segments := broker.Segments("t", 0)
		names := make([]string, len(segments))
		for i, s := range segments {
			names[i] = s.Name
		}
		Expect(names).To(Equal([]string{
			"00000000000000000000.kafka", "00000000000000000042.kafka", "00000000000000000084.kafka",
		}))
		Expect(conn.fetch("t", 14, 1<<20).Set).To(Equal(set("good", "good")))
		Expect(conn.fetch("t", 42, 1<<20).Set).To(Equal(set("good", "good", "good")))
		Expect(conn.fetch("t", 84, 1<<20).Set).To(Equal(set("good")))
		Expect(conn.offsets("t", 0, protocol.LatestTime, 10)).To(Equal([]int64{98, 84, 42, 0}))
		Expect(conn.offsets("t", 0, protocol.LatestTime, 2)).To(Equal([]int64{98, 84}))
		Expect(conn.offsets("t", 0, protocol.EarliestTime, 10)).To(Equal([]int64{0}))
		Expect(conn.offsets("t", 0, protocol.LatestTime, 0)).To(BeEmpty())
	})

	It("are rolled by age, and found by time", func(ctx SpecContext) {
		clock := frozen()
		broker := start(ctx, kafka07.Config{FlushMessages: 1, SegmentAge: time.Hour, Clock: clock})
		conn := dial(ctx, broker)
		ask := func(at time.Time) []int64 { return conn.offsets("t", 0, at.UnixMilli(), 10) }
		conn.send(produce("t", "good"))
		conn.end("t")
		clock.Advance(2 * time.Hour)
		conn.send(produce("t", "good"))
		conn.end("t")
		clock.Advance(time.Minute)
		Expect(ask(recordedAt.Add(-time.Second))).To(BeEmpty())
		Expect(ask(recordedAt)).To(Equal([]int64{0}))
		Expect(ask(recordedAt.Add(2 * time.Hour))).To(Equal([]int64{14, 0}))
		Expect(ask(clock.Now())).To(Equal([]int64{28, 14, 0}))
	})

	It("are deleted when they are old, and all of them leave an empty one at the end", func(ctx SpecContext) {
		clock := frozen()
		broker := start(ctx, kafka07.Config{
			FlushMessages: 1, SegmentAge: time.Minute, Retention: time.Hour, CleanInterval: time.Minute, Clock: clock,
		})
		conn := dial(ctx, broker)
		conn.send(produce("t", "good"))
		conn.end("t")
		clock.Advance(50 * time.Minute)
		conn.send(produce("t", "good"))
		Expect(conn.offsets("t", 0, protocol.LatestTime, 10)).To(Equal([]int64{28, 14, 0}))
		clock.Advance(20 * time.Minute)
		Eventually(func() []int64 { return conn.offsets("t", 0, protocol.EarliestTime, 1) }).Should(Equal([]int64{14}))
		Expect(conn.fetch("t", 0, 100).Code).To(Equal(protocol.OffsetOutOfRange))
		Expect(conn.payloads("t", 14)).To(Equal([]string{"good"}))

		clock.Advance(time.Hour)
		Eventually(func() []int64 { return conn.offsets("t", 0, protocol.EarliestTime, 1) }).Should(Equal([]int64{28}))
		Expect(conn.offsets("t", 0, protocol.LatestTime, 10)).To(Equal([]int64{28}), "an empty segment has no end of its own")
		Expect(conn.fetch("t", 28, 100).Code).To(Equal(protocol.None))
		Expect(broker.Clean()).To(Succeed())
		conn.send(produce("t", "good"))
		Expect(conn.end("t")).To(Equal([]int64{42}))
	})

	It("are deleted when they are too many", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1, SegmentSize: 1, RetentionBytes: 30, Clock: frozen()})
		conn := dial(ctx, broker)
		for range 5 {
			conn.send(produce("t", "good"))
		}
		conn.end("t")
		Expect(broker.Clean()).To(Succeed())
		// 70 bytes, 40 too many: two segments of 14 fit into that.
		Expect(conn.offsets("t", 0, protocol.LatestTime, 10)).To(Equal([]int64{70, 56, 42, 28}))
	})

	It("are found again by a broker on the same directory, cut behind their last whole message", func(ctx SpecContext) {
		config := kafka07.Config{FlushMessages: 1000, SegmentSize: 20, Dir: GinkgoT().TempDir(), Clock: frozen()}
		broker := start(ctx, config)
		conn := dial(ctx, broker)
		for range 3 {
			conn.send(produce("topic-with-dashes", "good"))
		}
		Expect(conn.end("topic-with-dashes")).To(Equal([]int64{28}), "rolling flushes")
		broker.Close()
		last := append(readFile(config.Dir, "topic-with-dashes-0", "00000000000000000028.kafka"), set("good")[:9]...)
		writeFile(last, config.Dir, "topic-with-dashes-0", "00000000000000000028.kafka")

		broker = start(ctx, config)
		conn = dial(ctx, broker)
		Expect(conn.end("topic-with-dashes")).To(Equal([]int64{42}))
		conn.send(produce("topic-with-dashes", "good"))
		conn.end("topic-with-dashes")
		broker.Flush()
		Expect(conn.payloads("topic-with-dashes", 28)).To(Equal([]string{"good", "good"}))
		Expect(readFile(config.Dir, "topic-with-dashes-0", "00000000000000000028.kafka")).To(Equal(set("good", "good")))
	})
})
