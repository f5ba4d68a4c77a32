// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07_test

import (
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// wireCase is what was sent on a connection of its own, and what became of it.
type wireCase struct {
	N          int            `json:"n"`
	Name       string         `json:"name"`
	Request    string         `json:"request"`
	Response   string         `json:"response"`
	After      string         `json:"connection_after"`        //nolint:tagliatelle // as recorded
	Usable     *bool          `json:"connection_usable_after"` //nolint:tagliatelle // as recorded
	Log        string         `json:"log"`
	EndBefore  *int           `json:"log_end_before"` //nolint:tagliatelle // as recorded
	EndAfter   *int           `json:"log_end_after"`  //nolint:tagliatelle // as recorded
	OtherTopic map[string]any `json:"other_logs"`     //nolint:tagliatelle // as recorded
}

// asRecorded is how the recorded broker was configured. It picked partition 1 when it was left to choose.
func asRecorded() kafka07.Config {
	return kafka07.Config{
		Partitions: 2, FlushMessages: 1, MaxMessageSize: 4096, Clock: frozen(), Random: func(int) int { return 1 },
	}
}

// size is how many bytes a log has, called topic-partition; nil if there is no such log.
func size(broker *kafka07.Broker, log string) *int {
	GinkgoHelper()
	dash := strings.LastIndexByte(log, '-')
	partition, err := strconv.ParseInt(log[dash+1:], 10, 32)
	Expect(err).NotTo(HaveOccurred())
	segments := broker.Segments(log[:dash], int32(partition))
	if segments == nil {
		return nil
	}
	total := 0
	for _, segment := range segments {
		total += len(segment.Data)
	}
	return &total
}

var _ = Describe("The recorded broker", func() {
	It("answers, refuses and stores so", func(ctx SpecContext) {
		broker := start(ctx, asRecorded())
		var index struct {
			Cases []wireCase `json:"cases"`
		}
		parseJSON(recording("wire", "index.json"), &index)
		Expect(len(index.Cases)).To(BeNumerically(">", 60))
		logs := make(map[string]bool)
		for _, c := range index.Cases {
			By(strconv.Itoa(c.N) + " " + c.Name)
			if c.Log != "" {
				Expect(size(broker, c.Log)).To(Equal(c.EndBefore), "before %s", c.Name)
				logs[c.Log] = true
			}
			replay(ctx, broker, c)
			if c.Log != "" {
				Expect(size(broker, c.Log)).To(Equal(c.EndAfter), "after %s", c.Name)
			}
			for topic, end := range c.OtherTopic {
				got := size(broker, topic+"-0")
				if end == nil {
					Expect(got).To(BeNil(), topic)
				} else {
					Expect(got).To(HaveValue(BeNumerically("==", end)), topic)
				}
			}
		}
		delete(logs, "t-none-9")
		for _, log := range slices.Sorted(maps.Keys(logs)) {
			By("segments of " + log)
			dash := strings.LastIndexByte(log, '-')
			partition, _ := strconv.ParseInt(log[dash+1:], 10, 32)
			segments := broker.Segments(log[:dash], int32(partition))
			Expect(segments).To(HaveLen(1))
			recorded := recording("log", log, segments[0].Name)
			if log == "t-snx-0" {
				// A case that wrote to it was not kept.
				recorded = recorded[:68]
			}
			Expect(segments[0].Data).To(Equal(append([]byte(nil), recorded...)), log)
		}
	})

	It("leaves directories and files so", func(ctx SpecContext) {
		config := asRecorded()
		config.Dir = GinkgoT().TempDir()
		broker := start(ctx, config)
		conn := dial(ctx, broker)
		for _, name := range []string{
			"06_produce_magic1_none", "07_produce_magic0", "08_produce_magic0_and_1_mixed", "14_multiproduce",
		} {
			_, err := conn.Write(recording("wire", name+".req.bin"))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(conn.end("t-multi-a")).To(Equal([]int64{69}))
		for _, log := range []string{"t-none-0", "t-magic0-0", "t-multi-a-0", "t-multi-b-1"} {
			const name = "00000000000000000000.kafka"
			Expect(readFile(config.Dir, log, name)).To(Equal(recording("log", log, name)))
		}
	})

	It("talks to Kafka's own producer and consumer so", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{
			Partitions: 2, TopicPartitions: map[string]int32{"qtopic": 1}, FlushMessages: 1, Clock: frozen(),
		})
		talk(ctx, broker, "producer_sync_none")
		talk(ctx, broker, "producer_sync_gzip")
		talk(ctx, broker, "producer_sync_snappy")
		// One producer between these was not kept. What it sent, the consumer saw.
		dial(ctx, broker).send(produce("ptopic", "one", "two", "three"))
		Eventually(func() *int { return size(broker, "ptopic-0") }).Should(HaveValue(Equal(219)))
		talk(ctx, broker, "producer_one")
		Eventually(func() *int { return size(broker, "ptopic-0") }).Should(HaveValue(Equal(231)))
		Expect(talk(ctx, broker, "consumer_connector")).To(BeNumerically(">", 5))
		Expect(talk(ctx, broker, "consumer_connector_resume")).To(BeNumerically(">", 3))
		Expect(talk(ctx, broker, "consumer_largest")).To(BeNumerically(">", 5))
	})
})

// replay runs one case.
func replay(ctx SpecContext, broker *kafka07.Broker, c wireCase) {
	GinkgoHelper()
	conn := dial(ctx, broker)
	defer conn.Close()
	_, err := conn.Write(recording("wire", c.Request))
	Expect(err).NotTo(HaveOccurred())
	want := recording("wire", c.Response)
	got := make([]byte, len(want))
	_, err = io.ReadFull(conn, got)
	Expect(err).NotTo(HaveOccurred(), c.Name)
	Expect(got).To(Equal(want), c.Name)
	switch c.After {
	case "open":
		Expect(c.Usable).To(HaveValue(BeTrue()))
		Expect(conn.end("nobody-wrote-this")).To(Equal([]int64{0}), c.Name)
	case "fin":
		n, err := conn.Read(make([]byte, 1))
		Expect(n).To(BeZero(), c.Name)
		Expect(err).To(MatchError(io.EOF), c.Name)
	default:
		Fail("unknown end of a connection: " + c.After)
	}
}

// talk replays the requests of a conversation, connection by connection, and compares the answers. It returns how many
// there were.
func talk(ctx SpecContext, broker *kafka07.Broker, name string) int {
	GinkgoHelper()
	var recorded struct {
		Frames []struct {
			Conn int    `json:"conn"`
			Dir  string `json:"dir"`
			Hex  string `json:"hex"`
		} `json:"frames"`
	}
	parseJSON(recording("clients", name+".json"), &recorded)
	conns := make(map[int]client)
	answers := 0
	for i, f := range recorded.Frames {
		if _, ok := conns[f.Conn]; !ok {
			conns[f.Conn] = dial(ctx, broker)
		}
		frame, err := hex.DecodeString(f.Hex)
		Expect(err).NotTo(HaveOccurred())
		switch {
		case len(frame) == 0: // The end of one of the directions.
		case f.Dir == "request":
			_, err := conns[f.Conn].Write(frame)
			Expect(err).NotTo(HaveOccurred())
		default:
			body, err := conns[f.Conn].body()
			Expect(err).NotTo(HaveOccurred())
			Expect(body).To(Equal(frame[protocol.SizeBytes:]), "%s, frame %d", name, i)
			answers++
		}
	}
	for _, conn := range conns {
		// Whatever was sent is worked off before the connection ends.
		closeWrite(conn)
		_, err := conn.Read(make([]byte, 1))
		Expect(err).To(MatchError(io.EOF))
	}
	return answers
}

func closeWrite(c client) {
	GinkgoHelper()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	Expect(ok).To(BeTrue())
	Expect(half.CloseWrite()).To(Succeed())
}

var _ = Describe("Order and visibility", func() {
	It("answers behind produces in their order, each with the exact end", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1})
		conn := dial(ctx, broker)
		const pairs, message = 2000, 14
		go func() {
			defer GinkgoRecover()
			for range pairs {
				conn.send(produce("t", "good"), &protocol.OffsetsRequest{Topic: "t", Time: protocol.LatestTime, MaxOffsets: 1})
			}
		}()
		for i := range pairs {
			body, err := conn.body()
			Expect(err).NotTo(HaveOccurred())
			var response protocol.OffsetsResponse
			Expect(response.Decode(body)).To(Succeed())
			Expect(response.Offsets).To(Equal([]int64{int64(i+1) * message}))
		}
	})

	It("shows nothing before a flush", func(ctx SpecContext) {
		clock := frozen()
		broker := start(ctx, kafka07.Config{FlushMessages: 1000, Clock: clock})
		conn := dial(ctx, broker)
		conn.send(produce("t", "one", "two"))
		Expect(conn.end("t")).To(Equal([]int64{0}))
		Expect(conn.offsets("t", 0, protocol.LatestTime, 10)).To(Equal([]int64{0}))
		Expect(conn.fetch("t", 0, 1<<20)).To(Equal(protocol.FetchResponse{Set: []byte{}}))
		Expect(conn.fetch("t", 26, 1<<20).Code).To(Equal(protocol.OffsetOutOfRange))
		Expect(*size(broker, "t-0")).To(Equal(26))

		By("the flusher, which looks every 3 s for logs whose last flush is 3 s old")
		clock.Advance(3 * time.Second)
		Eventually(func() []int64 { return conn.end("t") }).Should(Equal([]int64{26}))
		Expect(conn.fetch("t", 26, 1<<20)).To(Equal(protocol.FetchResponse{Set: []byte{}}))
		conn.send(produce("t", "three"))
		Expect(conn.end("t")).To(Equal([]int64{26}))
		broker.Flush()
		Expect(conn.end("t")).To(Equal([]int64{41}))

		By("the number of messages")
		for range 999 {
			conn.send(produce("t", "good"))
		}
		Expect(conn.end("t")).To(Equal([]int64{41}))
		conn.send(produce("t", "good"))
		Expect(conn.end("t")).To(Equal([]int64{14041}))

		By("the number of messages inside wrappers")
		conn.send(wrapped("t", 999))
		Expect(conn.end("t")).To(Equal([]int64{14041}))
		conn.send(wrapped("t", 2))
		Expect(conn.end("t")).To(Equal([]int64{int64(*size(broker, "t-0"))}))
	})

	It("stores what stands before a refused request and nothing behind it", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1})
		bad := produce("t", "bad")
		bad.Set[len(bad.Set)-1]++
		conn := dial(ctx, broker)
		conn.send(produce("t", "good"), bad, produce("t", "good"),
			&protocol.OffsetsRequest{Topic: "t", Time: protocol.EarliestTime, MaxOffsets: 1})
		conn.expectEnd()
		Expect(dial(ctx, broker).end("t")).To(Equal([]int64{14}))
	})

	It("works everything off that was sent before the client closed", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1})
		conn := dial(ctx, broker)
		for range 500 {
			conn.send(produce("t", "good"))
		}
		closeWrite(conn)
		_, err := conn.Read(make([]byte, 1))
		Expect(err).To(MatchError(io.EOF))
		Expect(dial(ctx, broker).end("t")).To(Equal([]int64{7000}))

		conn = dial(ctx, broker)
		for range 500 {
			conn.send(produce("t", "good"))
		}
		Expect(conn.Close()).To(Succeed())
		Eventually(func() []int64 { return dial(ctx, broker).end("t") }).Should(Equal([]int64{14000}))
	})

	It("does nothing more for a client that does not read its answers", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1, MaxMessageSize: 20 << 20})
		conn := dial(ctx, broker)
		conn.send(produce("t", strings.Repeat("m", 18<<20)))
		before := conn.end("t")
		conn.send(&protocol.FetchRequest{Topic: "t", MaxSize: 20 << 20}, produce("t", "after"))
		other := dial(ctx, broker)
		Consistently(func() []int64 { return other.end("t") }, 100*time.Millisecond).Should(Equal(before))
		_, err := conn.body()
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() []int64 { return other.end("t") }).Should(Equal([]int64{before[0] + 15}))
	})
})

// wrapped is a gzip wrapper of n messages.
func wrapped(topic string, n int) *protocol.ProduceRequest {
	GinkgoHelper()
	var compressor protocol.Compressor
	made, err := compressor.AppendWrapper(nil, protocol.Gzip, set(slices.Repeat([]string{"good"}, n)...))
	Expect(err).NotTo(HaveOccurred())
	return &protocol.ProduceRequest{Topic: topic, Set: made}
}
