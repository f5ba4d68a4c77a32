// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

var _ = Describe("Append, with a broker in trouble,", func() {
	It("is refused by one that cannot be reached", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		transport := openTransport(broker.Addr(), wire07.Config{})
		broker.Kill()
		_, err := transport.Append(ctx, on(1, 0), values("a"))
		Expect(err).To(beRefused())
		Expect(broker.Restart(ctx)).To(Succeed())
		_, err = transport.Append(ctx, on(1, 0), values("b"))
		Expect(err).NotTo(HaveOccurred())
		Expect(stored(broker, 0)).To(Equal([]string{"b"}))
	})

	It("fails with all that are underway when one of them is refused; what came before that one is stored",
		func(ctx SpecContext) {
			broker := startBroker(ctx, kafka07.Config{ID: 1, Partitions: 2})
			watched := new(tap)
			transport := openTransport(broker.Addr(), wire07.Config{Dial: watched.dial})
			broker.Faults().Stall()
			var underway []<-chan outcome
			for i, partition := range []kafka.Partition{on(1, 0), on(1, 7), on(1, 1)} {
				before := watched.written.Load()
				underway = append(underway, appending(ctx, transport, partition, values(string(rune('a'+i)))))
				Eventually(watched.written.Load).Should(BeNumerically(">", before))
			}
			broker.Faults().Resume()
			// The first was answered, if its answer came before the end was seen.
			Eventually(underway[1]).Should(Receive(HaveField("Err", beUnknown())))
			Eventually(underway[2]).Should(Receive(HaveField("Err", beUnknown())))
			Expect(stored(broker, 0)).To(Equal([]string{"a"}))
			Expect(stored(broker, 1)).To(BeEmpty())
			Expect(watched.dials.Load()).To(Equal(int64(1)))

			_, err := transport.Append(ctx, on(1, 0), values("d"))
			Expect(err).NotTo(HaveOccurred())
			Expect(stored(broker, 0)).To(Equal([]string{"a", "d"}))
		})

	It("gives up waiting with its context, and leaves the others alone", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		watched := new(tap)
		transport := openTransport(broker.Addr(), wire07.Config{Dial: watched.dial})
		broker.Faults().Stall()
		impatient, leave := context.WithCancel(ctx)
		first := appending(impatient, transport, on(1, 0), values("a"))
		Eventually(watched.written.Load).Should(BeNumerically(">", 0))
		second := appending(ctx, transport, on(1, 0), values("b"))
		leave()
		Eventually(first).Should(Receive(HaveField("Err", And(beUnknown(), MatchError(context.Canceled)))))
		Consistently(second, 20*time.Millisecond).ShouldNot(Receive())
		broker.Faults().Resume()
		Eventually(second).Should(Receive(HaveField("Err", BeNil())))
		Expect(stored(broker, 0)).To(Equal([]string{"a", "b"}))
		Expect(watched.dials.Load()).To(Equal(int64(1)))
	})

	It("is refused if its context ends before any of it is written", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		watched := &tap{hold: make(chan struct{})}
		transport := openTransport(broker.Addr(), wire07.Config{Dial: watched.dial})
		first := appending(ctx, transport, on(1, 0), values("a"))
		Eventually(watched.dials.Load).Should(Equal(int64(1)))
		// The writer has taken the first and waits; what comes now stays in the queue.
		Consistently(first, 20*time.Millisecond).ShouldNot(Receive())
		impatient, leave := context.WithCancel(ctx)
		second := appending(impatient, transport, on(1, 0), values("b"))
		third := appending(ctx, transport, on(1, 0), values("c"))
		Consistently(second, 20*time.Millisecond).ShouldNot(Receive())
		leave()
		Eventually(second).Should(Receive(HaveField("Err", And(beRefused(), MatchError(context.Canceled)))))
		close(watched.hold)
		Eventually(first).Should(Receive(HaveField("Err", BeNil())))
		Eventually(third).Should(Receive(HaveField("Err", BeNil())))
		Expect(stored(broker, 0)).To(Equal([]string{"a", "c"}))
	})

	It("drops a connection whose oldest answer is late", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		watched := new(tap)
		transport := openTransport(broker.Addr(), wire07.Config{Dial: watched.dial}.WithPatience(100*time.Millisecond))
		_, err := transport.Append(ctx, on(1, 0), values("a"))
		Expect(err).NotTo(HaveOccurred())
		// As long as nothing is underway nothing is late.
		Consistently(watched.closes.Load, 150*time.Millisecond).Should(BeZero())
		broker.Faults().Stall()
		start := time.Now()
		_, err = transport.Append(ctx, on(1, 0), values("b"))
		Expect(err).To(beUnknown())
		Expect(err).To(MatchError(os.ErrDeadlineExceeded))
		Expect(time.Since(start)).To(BeNumerically(">", 90*time.Millisecond))
		Expect(watched.closes.Load()).To(Equal(int64(1)))
		broker.Faults().Resume()
		_, err = transport.Append(ctx, on(1, 0), values("c"))
		Expect(err).NotTo(HaveOccurred())
		Expect(stored(broker, 0)).To(ContainElements("a", "c"))
	})

	It("notices that an idle connection was closed, before it writes", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		watched := new(tap)
		transport := openTransport(broker.Addr(), wire07.Config{Dial: watched.dial})
		for round := range 3 {
			_, err := transport.Append(ctx, on(1, 0), values("a"))
			Expect(err).NotTo(HaveOccurred())
			broker.Stop()
			Expect(broker.Restart(ctx)).To(Succeed())
			Eventually(watched.closes.Load).Should(Equal(int64(round + 1)))
		}
		Expect(stored(broker, 0)).To(Equal([]string{"a", "a", "a"}))
	})

	It("bounds what is underway; what has no room waits, and is refused when its context ends", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		watched := new(tap)
		transport := openTransport(broker.Addr(), wire07.Config{Dial: watched.dial})
		broker.Faults().Stall()
		large := make([]kafka.Message, 10) // more than 8 MiB: it takes all the room
		for i := range large {
			large[i].Value = make([]byte, 900_000)
		}
		underway := appending(ctx, transport, on(1, 0), large)
		Eventually(watched.written.Load).Should(BeNumerically(">", 0))
		impatient, leave := context.WithCancel(ctx)
		first := appending(impatient, transport, on(1, 0), values("a"))
		second := appending(ctx, transport, on(1, 0), values("b"))
		Consistently(first, 50*time.Millisecond).ShouldNot(Receive())
		leave()
		Eventually(first).Should(Receive(HaveField("Err", And(beRefused(), MatchError(context.Canceled)))))
		Consistently(second, 20*time.Millisecond).ShouldNot(Receive())
		broker.Faults().Resume()
		Eventually(underway).Should(Receive(HaveField("Err", BeNil())))
		Eventually(second).Should(Receive(HaveField("Err", BeNil())))
		Expect(sizes(broker, 0)).To(And(HaveLen(11), ContainElement(1)))
	})

	It("fails when the transport is closed", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		watched := new(tap)
		transport := openTransport(broker.Addr(), wire07.Config{Dial: watched.dial})
		broker.Faults().Stall()
		underway := appending(ctx, transport, on(1, 0), values("a"))
		Eventually(watched.written.Load).Should(BeNumerically(">", 0))
		transport.Close()
		Eventually(underway).Should(Receive(HaveField("Err",
			And(beUnknown(), MatchError(ContainSubstring("transport is closed"))))))
	})

	// Wherever a broker dies, what it said is true, and what it did not say is not claimed. A request is 44 bytes, its
	// PRODUCE, and 32.
	It("never takes a message for stored, nor for not stored, without knowing", func(ctx SpecContext) {
		for _, direction := range []kafka07.Direction{kafka07.In, kafka07.Out} {
			for n := range 80 {
				broker := startBroker(ctx, kafka07.Config{ID: 1})
				transport := openTransport(broker.Addr(), wire07.Config{})
				broker.Faults().DieAfter(direction, n)
				_, err := transport.Append(ctx, on(1, 0), values(strings.Repeat("x", 20)))
				refused, isRefused := errors.AsType[*kafka.Refused](err)
				switch held := stored(broker, 0); {
				case err == nil:
					Expect(held).To(HaveLen(1), "after %d bytes", n)
				case isRefused:
					Expect(held).To(BeEmpty(), "after %d bytes: %v", n, refused)
				default:
					Expect(err).To(beUnknown())
				}
				transport.Close()
				broker.Close()
			}
		}
	})
})

// dialogue is a broker that follows a script, once for each connection; after its last line it answers properly.
type dialogue struct {
	net.Listener
	script []func(conn net.Conn)
}

func listen(ctx context.Context, script ...func(conn net.Conn)) *dialogue {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	d := &dialogue{Listener: listener, script: append(script, obey)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.serve()
	}()
	DeferCleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return d
}

func (d *dialogue) serve() {
	for line := 0; ; line++ {
		conn, err := d.Accept()
		if err != nil {
			return
		}
		d.script[min(line, len(d.script)-1)](conn)
		_ = conn.Close()
	}
}

// nextRequest reads one, nil at the end.
func nextRequest(conn net.Conn) protocol.Request {
	var head [protocol.SizeBytes]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil
	}
	size, err := protocol.FrameSize(head[:], protocol.MaxRequestSize)
	if err != nil {
		return nil
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil
	}
	request, _ := protocol.DecodeRequest(body)
	return request
}

// obey answers each OFFSETS.
func obey(conn net.Conn) {
	for request := nextRequest(conn); request != nil; request = nextRequest(conn) {
		if request.API() == protocol.APIOffsets {
			_, _ = conn.Write((&protocol.OffsetsResponse{Offsets: []int64{0}}).AppendTo(nil))
		}
	}
}

// say answers the first requests with some bytes, and waits until the client has gone.
func say(answer []byte) func(net.Conn) {
	return func(conn net.Conn) {
		nextRequest(conn)
		nextRequest(conn)
		_, _ = conn.Write(answer)
		_, _ = io.Copy(io.Discard, conn)
	}
}

var _ = DescribeTable("Append drops a connection on which a broker answers",
	func(ctx SpecContext, answer []byte, reason string) {
		server := listen(ctx, say(answer))
		watched := new(tap)
		config := wire07.Config{Dial: watched.dial}.WithPatience(100 * time.Millisecond)
		transport := openTransport(server.Addr().String(), config)
		_, err := transport.Append(ctx, on(1, 0), values("a"))
		Expect(err).To(beUnknown())
		Expect(err).To(MatchError(ContainSubstring(reason)))
		_, err = transport.Append(ctx, on(1, 0), values("b"))
		Expect(err).NotTo(HaveOccurred())
		Expect(watched.dials.Load()).To(Equal(int64(2)))
	},
	Entry("nothing", nil, "wait for an acknowledgement"),
	Entry("half a frame", []byte{0, 0, 0, 14, 0, 0, 0}, "read an acknowledgement"),
	Entry("half a size", []byte{0, 0}, "wait for an acknowledgement"),
	Entry("a negative size", []byte{0xff, 0xff, 0xff, 0xff}, "-1"),
	Entry("a gigabyte", []byte{0x40, 0, 0, 0}, "1073741824"),
	Entry("two positions", (&protocol.OffsetsResponse{Offsets: []int64{2, 1}}).AppendTo(nil), "want 1 to 14"),
	Entry("no position", (&protocol.OffsetsResponse{}).AppendTo(nil), "want one"),
	Entry("a negative position", (&protocol.OffsetsResponse{Offsets: []int64{-1}}).AppendTo(nil), "want one"),
	Entry("an error", (&protocol.OffsetsResponse{Code: protocol.WrongPartition, Offsets: []int64{0}}).AppendTo(nil),
		"no such partition"),
	Entry("the answer to a FETCH", (&protocol.FetchResponse{Set: make([]byte, 12)}).AppendTo(nil), "acknowledgement"),
	Entry("HTTP", []byte("HTTP/1.1 400 Bad Request\r\n"), "1213486160"),
)

var _ = Describe("Append, with a broker that says too much,", func() {
	It("drops the connection before the next message", func(ctx SpecContext) {
		answer := (&protocol.OffsetsResponse{Offsets: []int64{0}}).AppendTo(nil)
		server := listen(ctx, say(append(answer, answer...)))
		watched := new(tap)
		transport := openTransport(server.Addr().String(), wire07.Config{Dial: watched.dial})
		_, err := transport.Append(ctx, on(1, 0), values("a"))
		Expect(err).NotTo(HaveOccurred())
		Eventually(watched.closes.Load).Should(Equal(int64(1)))
		_, err = transport.Append(ctx, on(1, 0), values("b"))
		Expect(err).NotTo(HaveOccurred())
		Expect(watched.dials.Load()).To(Equal(int64(2)))
	})
})

var _ = Describe("Appends of many goroutines", func() {
	// A broker that answers nothing before it has read all of them would wait for ever if one waited for another.
	It("are all underway at once, on one connection", func(ctx SpecContext) {
		const count = 100
		server := listen(ctx, func(conn net.Conn) {
			var answers []byte
			var last protocol.ProduceRequest
			for produced := 0; produced < count || last.Topic != ""; {
				switch request := nextRequest(conn).(type) {
				case *protocol.ProduceRequest:
					last, produced = *request, produced+1
				case *protocol.OffsetsRequest:
					if *request != (protocol.OffsetsRequest{
						Topic: last.Topic, Partition: last.Partition, Time: protocol.EarliestTime, MaxOffsets: 1,
					}) {
						return
					}
					last = protocol.ProduceRequest{}
					answers = (&protocol.OffsetsResponse{Offsets: []int64{0}}).AppendTo(answers)
				default:
					return
				}
			}
			_, _ = conn.Write(answers)
			_, _ = io.Copy(io.Discard, conn)
		})
		watched := new(tap)
		transport := openTransport(server.Addr().String(), wire07.Config{Dial: watched.dial})
		var underway []<-chan outcome
		for i := range count {
			underway = append(underway, appending(ctx, transport, on(1, i%3), values("a", "b")))
		}
		for _, one := range underway {
			Eventually(one).Should(Receive(HaveField("Err", BeNil())))
		}
		Expect(watched.dials.Load()).To(Equal(int64(1)))
	})
})
