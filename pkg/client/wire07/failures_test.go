// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// A tenth of what brokers get, so that specs need not wait.
const patience = 500 * time.Millisecond

var _ = Describe("A broker in trouble", func() {
	var (
		w   *world
		all map[kafka.Partition]int64
	)

	BeforeEach(func(ctx SpecContext) {
		all = map[kafka.Partition]int64{first: 0, second: 0, third: 0}
		w = newWorld(ctx, kafka07.Config{}, wire07.Config{}.WithPatience(patience))
		w.fill(ctx, first, numbers(0, 100))
		w.fill(ctx, third, numbers(0, 10))
	})

	// failing waits until partitions 1-0 and 1-1 report an error, and checks that 2-0 goes on.
	failing := func(ctx context.Context, words string) {
		GinkgoHelper()
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.failing[first]).To(BeTrue())
			g.Expect(w.reader.failing[second]).To(BeTrue())
		})
		Expect(w.reader.err(first)).To(MatchError(ContainSubstring(words)))
		Expect(w.reader.err(first)).To(MatchError(ContainSubstring("broker 1")))
		w.reader.until(ctx, func(g Gomega) { g.Expect(len(w.reader.messages[third])).To(BeNumerically(">=", 10)) })
		before := len(w.reader.messages[third])
		w.fill(ctx, third, numbers(10, 20))
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.messages[third]).To(HaveLen(before + 10)) })
		Expect(w.reader.errs).NotTo(HaveKey(third))
		Expect(w.reader.stops).To(BeEmpty())
	}

	// healed waits until what is written now comes, and no error is left.
	healed := func(ctx context.Context) {
		GinkgoHelper()
		w.fill(ctx, first, numbers(100, 200))
		w.reader.untilValues(ctx, first, words(0, 200))
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[second]).To(BeFalse()) })
		Expect(w.reader.stops).To(BeEmpty())
	}

	It("may refuse connections", func(ctx SpecContext) {
		w.brokers["1"].Faults().Refuse(true)
		w.transport.Add(all)
		failing(ctx, "fetch: ")
		w.brokers["1"].Faults().Clear()
		healed(ctx)
	})

	It("may be down from the beginning", func(ctx SpecContext) {
		w.brokers["1"].Stop()
		w.transport.Add(all)
		failing(ctx, "connection refused")
		told := len(w.reader.errs[first])
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.errs[first]).To(HaveLen(told), "told again") })
		Expect(w.brokers["1"].Restart(ctx)).To(Succeed())
		healed(ctx)
	})

	It("may stall", func(ctx SpecContext) {
		w.transport.Add(all)
		w.reader.untilValues(ctx, first, words(0, 100))
		w.brokers["1"].Faults().Stall()
		failing(ctx, "receive an answer: it takes longer than 500ms")
		w.brokers["1"].Faults().Resume()
		healed(ctx)
	})

	It("may answer late", func(ctx SpecContext) {
		w.brokers["1"].Faults().AnswerLate(patience / 5)
		w.transport.Add(all)
		healed(ctx)
		Expect(w.reader.errs).To(BeEmpty())
		w.brokers["1"].Faults().AnswerLate(10 * patience)
		failing(ctx, "it takes longer")
		w.brokers["1"].Faults().Clear()
		w.fill(ctx, second, numbers(0, 1))
		w.reader.untilValues(ctx, second, words(0, 1))
	})

	DescribeTable("may break off its answer", func(ctx SpecContext, after int) {
		cut := w.brokers["1"].Faults().CutAfter(kafka07.Out, after)
		w.transport.Add(all)
		w.reader.untilValues(ctx, first, words(0, 100))
		Eventually(cut).WithContext(ctx).Should(BeClosed())
		healed(ctx)
	}, Entry(nil, 0), Entry(nil, 3), Entry(nil, 4), Entry(nil, 5), Entry(nil, 6), Entry(nil, 11), Entry(nil, 12),
		Entry(nil, 500), Entry(nil, 1201))

	It("may be killed at any byte, and comes back", func(ctx SpecContext) {
		w.transport.Add(all)
		for i := range 20 {
			w.transport.Pause([]kafka.Partition{second})
			w.fill(ctx, second, numbers(i*50, i*50+50))
			dead := w.brokers["1"].Faults().DieAfter(kafka07.Out, i*29)
			w.transport.Resume([]kafka.Partition{second})
			w.reader.until(ctx, func(g Gomega) { g.Expect(dead).To(BeClosed()) })
			Expect(w.brokers["1"].Restart(ctx)).To(Succeed())
			w.brokers["1"].Faults().Clear()
		}
		w.reader.untilValues(ctx, second, words(0, 1000))
		healed(ctx)
	}, NodeTimeout(time.Minute))

	It("may leave, and come back elsewhere", func(ctx SpecContext) {
		w.transport.Add(all)
		w.reader.untilValues(ctx, first, words(0, 100))
		gone := w.live()
		delete(gone, "1")
		Expect(w.transport.SetBrokers(gone)).To(Succeed())
		failing(ctx, "broker 1: the broker is not registered as live")
		Expect(w.transport.SetBrokers(nil)).To(Succeed(), "no brokers at all change nothing")

		set := w.brokers["1"].Segments("orders", 0)[0].Data
		w.brokers["1"].Stop()
		moved, err := kafka07.Start(ctx, kafka07.Config{ID: 1, Partitions: 2, FlushMessages: 1})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(moved.Close)
		w.brokers["1"] = moved
		w.fill(ctx, first, set)
		Expect(w.transport.SetBrokers(w.live())).To(Succeed())
		healed(ctx)
	})

	It("is left at once when it has moved, even if it hangs", func(ctx SpecContext) {
		w.brokers["1"].Faults().Stall()
		w.transport.Add(all)
		w.reader.untilValues(ctx, third, words(0, 10))
		moved, err := kafka07.Start(ctx, kafka07.Config{ID: 1, Partitions: 2, FlushMessages: 1})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(moved.Close)
		w.brokers["1"].Close()
		w.brokers["1"] = moved
		w.fill(ctx, first, numbers(0, 100))
		Expect(w.transport.SetBrokers(w.live())).To(Succeed())
		healed(ctx)
	})

	It("is told to those added meanwhile", func(ctx SpecContext) {
		w.brokers["1"].Stop()
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[first]).To(BeTrue()) })
		w.transport.Add(map[kafka.Partition]int64{second: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[second]).To(BeTrue()) })
		w.transport.Remove([]kafka.Partition{first, second})
		w.transport.Add(map[kafka.Partition]int64{at(9, 0): 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[at(9, 0)]).To(BeTrue()) })
		Expect(w.reader.err(at(9, 0))).To(MatchError(ContainSubstring("broker 9: the broker is not registered")))
	})

	It("is seen to be well by what is paused, too", func(ctx SpecContext) {
		w.brokers["1"].Stop()
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.transport.Pause([]kafka.Partition{first})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[first]).To(BeTrue()) })
		Expect(w.brokers["1"].Restart(ctx)).To(Succeed())
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[first]).To(BeFalse()) })
		Expect(w.reader.messages).To(BeEmpty())
	})

	It("does not keep Close or Poll", func(ctx SpecContext) {
		w.brokers["1"].Faults().Stall()
		w.transport.Add(all)
		w.reader.untilValues(ctx, third, words(0, 10))
		polled := make(chan struct{})
		go func() {
			defer close(polled)
			w.transport.Remove([]kafka.Partition{third})
			w.transport.Poll(ctx)
			w.transport.Poll(ctx)
		}()
		start := time.Now()
		w.transport.Close()
		w.transport.Close()
		Expect(time.Since(start)).To(BeNumerically("<", patience))
		Eventually(polled).WithContext(ctx).Should(BeClosed())
		w.transport.Add(all)
		Expect(w.transport.Poll(ctx)).To(BeEmpty())
	})
})

var _ = Describe("A partition that the broker refuses", func() {
	It("says why, and goes on when it is there", func(ctx SpecContext) {
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{})
		w.fill(ctx, first, numbers(0, 5))
		w.transport.Add(map[kafka.Partition]int64{at(1, 2): 0, first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[at(1, 2)]).To(BeTrue()) })
		Expect(w.reader.err(at(1, 2))).To(MatchError(And(
			ContainSubstring("orders/1-2 at position 0"), ContainSubstring("broker 1 has no partition 2 of the topic"))))
		Expect(w.reader.err(at(1, 2))).To(MatchError(protocol.WrongPartition))
		w.reader.untilValues(ctx, first, words(0, 5))

		address := w.brokers["1"].Addr()
		w.brokers["1"].Close()
		larger, err := kafka07.Start(ctx, kafka07.Config{ID: 1, Addr: address, Partitions: 3, FlushMessages: 1})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(larger.Close)
		w.brokers["1"] = larger
		w.fill(ctx, at(1, 2), numbers(0, 5))
		w.reader.untilValues(ctx, at(1, 2), words(0, 5))
	})

	DescribeTable("is given up where its name can be none", func(ctx SpecContext, topic, id string) {
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{})
		w.fill(ctx, first, numbers(0, 5))
		wrong := kafka.Partition{Topic: topic, ID: id}
		w.transport.Add(map[kafka.Partition]int64{wrong: 0, first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.stops).To(HaveKeyWithValue(wrong, 1)) })
		Expect(w.reader.err(wrong)).To(MatchError(ContainSubstring(wrong.String())))
		w.reader.untilValues(ctx, first, words(0, 5))
		_, err := w.transport.Positions(ctx, []kafka.Partition{wrong}, kafka.Latest())
		Expect(err).To(MatchError(ContainSubstring(wrong.String())))
	},
		Entry(nil, "orders", "3"), Entry(nil, "orders", "1-"), Entry(nil, "orders", "-1"), Entry(nil, "orders", "1--1"),
		Entry(nil, "orders", "1-01"), Entry(nil, "orders", "1-2147483648"), Entry(nil, "or/ders", "1-0"),
		Entry(nil, "", "1-0"), Entry(nil, "..", "1-0"),
	)
})

// impostor accepts connections and answers each request with the next of its answers; the last one is repeated.
type impostor struct {
	listener net.Listener
	answers  func(request []byte) []byte
	requests atomic.Int64
	serving  sync.WaitGroup
}

func newImpostor(ctx context.Context, answers func(request []byte) []byte) *impostor {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	p := &impostor{listener: listener, answers: answers}
	p.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() { p.serve(conn) })
		}
	})
	DeferCleanup(func() {
		_ = listener.Close()
		p.serving.Wait()
	})
	return p
}

func (p *impostor) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	head := make([]byte, 4)
	for {
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		p.requests.Add(1)
		if _, err := conn.Write(p.answers(body)); err != nil {
			return
		}
	}
}

var _ = Describe("A broker that answers nonsense", func() {
	DescribeTable("is dropped with a clear error, and tried again", func(ctx SpecContext, answer []byte, reason string) {
		p := newImpostor(ctx, func([]byte) []byte { return answer })
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{}.WithPatience(patience))
		live := w.live()
		live["1"] = p.listener.Addr().String()
		Expect(w.transport.SetBrokers(live)).To(Succeed())
		w.fill(ctx, third, numbers(0, 10))
		w.transport.Add(map[kafka.Partition]int64{first: 0, third: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[first]).To(BeTrue()) })
		Expect(w.reader.err(first)).To(MatchError(And(ContainSubstring("broker 1 at "), ContainSubstring(reason))))
		w.reader.until(ctx, func(g Gomega) { g.Expect(p.requests.Load()).To(BeNumerically(">", 2)) })
		w.reader.untilValues(ctx, third, words(0, 10))
		Expect(w.reader.messages).NotTo(HaveKey(first))
		Expect(w.reader.stops).To(BeEmpty())
		w.fill(ctx, first, numbers(0, 7))
		Expect(w.transport.SetBrokers(w.live())).To(Succeed())
		w.reader.untilValues(ctx, first, words(0, 7))
	},
		Entry("nothing", nil, "it takes longer"),
		Entry("half a frame", append(frame(int32(2+len(goodPart())), 0), goodPart()[:5]...), "it takes longer"),
		Entry("a gigabyte", frame(1<<30, 0), "impossible length"),
		Entry("a negative size", frame(-5, 0), "impossible length"),
		Entry("no size", frame(0, 0), "impossible length"),
		Entry("only one byte", frame(1, 0), "impossible length"),
		Entry("no parts", frame(2, 0), "not enough bytes"),
		Entry("an error of the whole", frame(2, -1), "of the whole answer"),
		Entry("a part larger than asked for", append(frame(2+6, 0), part(2<<20, 0, nil)...), "asked for 1048576"),
		Entry("a part larger than the answer", append(frame(2+6, 0), part(5, 0, nil)...), "3 bytes, 0 are left"),
		Entry("a negative part", append(frame(2+6, 0), part(-1, 0, nil)...), "impossible length"),
		Entry("two parts", append(append(frame(int32(2+2*len(goodPart())), 0), goodPart()...), goodPart()...), "unexpected bytes at the end"),
		Entry("the answer to OFFSETS", (&protocol.OffsetsResponse{Offsets: []int64{1, 2}}).AppendTo(nil), ""),
		Entry("text", []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "impossible length"),
	)

	It("is dropped where it answers OFFSETS so", func(ctx SpecContext) {
		p := newImpostor(ctx, func(request []byte) []byte {
			if protocol.API(binary.BigEndian.Uint16(request)) == protocol.APIOffsets { //nolint:gosec // wire
				return (&protocol.OffsetsResponse{}).AppendTo(nil)
			}
			return append(frame(2+6, 0), part(2, 0, nil)...)
		})
		w := newWorld(ctx, kafka07.Config{}, wire07.Config{Brokers: map[string]string{"1": p.listener.Addr().String()}})
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.failing[first]).To(BeTrue()) })
		Expect(w.reader.err(first)).To(MatchError(ContainSubstring("OFFSETS response")))
		_, err := w.transport.Positions(ctx, []kafka.Partition{first}, kafka.Latest())
		Expect(err).To(MatchError(ContainSubstring("orders/1-0: broker 1 at")))
	})
})

// frame begins an answer to MULTIFETCH.
func frame(size int32, code int16) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(size)) //nolint:gosec // the wire's two's complement
	return binary.BigEndian.AppendUint16(head, uint16(code)) //nolint:gosec // the wire's two's complement
}

// part is one part of such an answer.
func part(size int32, code int16, set []byte) []byte { return append(frame(size, code), set...) }

func goodPart() []byte {
	set := numbers(0, 3)
	return part(int32(2+len(set)), 0, set)
}

var _ = Describe("Open", func() {
	DescribeTable("refuses what cannot work", func(config wire07.Config, words string) {
		_, err := wire07.Open(config)
		Expect(err).To(MatchError(ContainSubstring(words)))
	},
		Entry("no brokers", wire07.Config{}, "no brokers"),
		Entry("no port", wire07.Config{Brokers: map[string]string{"1": "localhost"}}, `broker 1: address "localhost"`),
		Entry("no host", wire07.Config{Brokers: map[string]string{"1": ":9092"}}, "is not host:port"),
		Entry("negative", wire07.Config{Brokers: map[string]string{"1": "a:1"}, MaxMessageBytes: -1}, "MaxMessageBytes is -1"),
		Entry("large", wire07.Config{Brokers: map[string]string{"1": "a:1"}, FetchMaxPartitionBytes: 1<<30 + 1},
			"FetchMaxPartitionBytes is 1073741825"),
	)

	It("keeps the brokers where new ones cannot be", func() {
		transport, err := wire07.Open(wire07.Config{Brokers: map[string]string{"1": "a:1"}})
		Expect(err).NotTo(HaveOccurred())
		defer transport.Close()
		Expect(transport.SetBrokers(map[string]string{"1": "b"})).To(MatchError(ContainSubstring("host:port")))
	})
})
