// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// take reads one request.
func take(reader *bufio.Reader) error {
	request, err := http.ReadRequest(reader)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err
}

// answer takes requests and answers each with text.
func answer(text string) func(net.Conn) {
	return func(conn net.Conn) {
		for reader := bufio.NewReader(conn); take(reader) == nil; {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
	}
}

// answerOnce takes one request, answers, and closes the connection.
func answerOnce(text string) func(net.Conn) {
	return func(conn net.Conn) {
		if take(bufio.NewReader(conn)) == nil {
			io.WriteString(conn, text)
		}
	}
}

// answerAndStall takes one request, answers, and says no more until the peer goes.
func answerAndStall(text string) func(net.Conn) {
	return func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		if take(reader) == nil {
			io.WriteString(conn, text)
			_, _ = reader.ReadByte()
		}
	}
}

func reset(conn net.Conn) {
	_ = take(bufio.NewReader(conn))
	_ = conn.(*net.TCPConn).SetLinger(0)
}

var _ = Describe("A bad sink", func() {
	DescribeTable("that answers nothing sensible is Unknown, and reads the same each time",
		func(ctx SpecContext, serve func(net.Conn), text string) {
			address := script(serve)
			s := newSink(httpsink.Config{URL: address, Timeout: 200 * time.Millisecond})
			for range 3 {
				result := deliverOne(ctx, s)
				Expect(result.Outcome).To(Equal(sink.Unknown))
				Expect(result.Err).To(MatchError("POST " + address + ": " + text))
			}
		},
		Entry("closes", answerOnce(""), "connection closed before the answer"),
		Entry("closes within the header", answerOnce("HTTP/1.1 200 OK\r\nX: "), "connection closed before the answer"),
		Entry("resets", reset, "connection reset by peer"),
		Entry("hangs", answerAndStall(""), "no answer within 200ms"),
		Entry("stalls within the header", answerAndStall("HTTP/1.1 200 OK\r\nX: "), "no answer within 200ms"),
		Entry("garbage", answerOnce("\x00\x01garbage\r\n\r\n"), "the answer is not HTTP"),
		Entry("a bad status", answerOnce("HTTP/1.1 OK\r\n\r\n"), "the answer is not HTTP"),
		Entry("a bad header", answerOnce("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), "the answer is not HTTP"),
		Entry("a bad length", answerOnce("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "the answer is not HTTP"),
		Entry("a header without end", func(conn net.Conn) {
			_ = take(bufio.NewReader(conn))
			for _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n"); err == nil; {
				_, err = io.WriteString(conn, "X: "+strings.Repeat("x", 1000)+"\r\n")
			}
		}, "the answer's header is larger than 64 KiB"),
		Entry("100 Continue without end", func(conn net.Conn) {
			_ = take(bufio.NewReader(conn))
			for err := error(nil); err == nil; {
				_, err = io.WriteString(conn, "HTTP/1.1 100 Continue\r\nX: "+strings.Repeat("x", 1000)+"\r\n\r\n")
			}
		}, "the answer's header is larger than 64 KiB"),
		Entry("a slow header", func(conn net.Conn) {
			_ = take(bufio.NewReader(conn))
			ticks := time.NewTicker(5 * time.Millisecond)
			defer ticks.Stop()
			for _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: "); err == nil; <-ticks.C {
				_, err = io.WriteString(conn, "x")
			}
		}, "no answer within 200ms"),
	)

	It("that hangs is left when the context ends", func(ctx SpecContext) {
		canceled, cancel := context.WithCancel(ctx)
		server := serve(func(_ http.ResponseWriter, r *http.Request) {
			// The server notices that the client has gone only once the body is read.
			io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		})
		results := deliver(canceled, newSink(httpsink.Config{URL: server.URL}), one(), one())
		Expect(results[0].Outcome).To(Equal(sink.Unknown))
		Expect(results[0].Err).To(MatchError("POST " + server.URL + ": interrupted before the answer"))
		Expect(results[1]).To(Equal(sink.Result{}))
	})

	DescribeTable("whose status is 2xx has the message, whatever follows", func(ctx SpecContext, serve func(net.Conn)) {
		s := newSink(httpsink.Config{URL: script(serve)})
		started := time.Now()
		Expect(deliverOne(ctx, s)).To(Equal(sink.Result{Outcome: sink.Done}))
		Expect(time.Since(started)).To(BeNumerically("<", 5*time.Second))
	},
		Entry("a body that stalls", answerAndStall("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")),
		Entry("a body that is cut", answerOnce("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")),
		Entry("a body of bad chunks", answerOnce("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")),
		Entry("interim answers before it", answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"+okAnswer)),
	)

	It("that answers without end costs bounded memory and time", func(ctx SpecContext) {
		var sent atomic.Int64
		address := script(func(conn net.Conn) {
			_ = take(bufio.NewReader(conn))
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			for chunk := make([]byte, 64<<10); ; {
				n, err := conn.Write(chunk)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
		s := newSink(httpsink.Config{URL: address})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 20 {
			Expect(deliverOne(ctx, s)).To(Equal(sink.Result{Outcome: sink.Done}))
		}
		runtime.ReadMemStats(&after)
		// 20 connections with their buffers; the server's 64 KiB each count as well, being in this process.
		Expect(after.TotalAlloc - before.TotalAlloc).To(BeNumerically("<", 20*256<<10))
		Expect(sent.Load()).To(BeNumerically(">", 20*64<<10), "the far side must have sent more than was wanted")
	})

	It("that announces gigabytes is not read at all", func(ctx SpecContext) {
		s := newSink(httpsink.Config{URL: script(answerAndStall("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n"))})
		started := time.Now()
		Expect(deliverOne(ctx, s).Outcome).To(Equal(sink.Done))
		Expect(time.Since(started)).To(BeNumerically("<", 900*time.Millisecond), "answerPatience must not be waited for")
	})

	It("is not offered compression", func(ctx SpecContext) {
		var accepted []string
		server := serve(func(_ http.ResponseWriter, r *http.Request) { accepted = r.Header.Values("Accept-Encoding") })
		Expect(deliverOne(ctx, newSink(httpsink.Config{URL: server.URL})).Outcome).To(Equal(sink.Done))
		Expect(accepted).To(BeEmpty())
	})

	It("that answers 500 for long gets nothing out of order and loses nothing", func(ctx SpecContext) {
		r := &receiver{}
		server := serve(r.ServeHTTP)
		s := newSink(httpsink.Config{URL: server.URL})
		messages := make([]kafka.Message, 50)
		for i := range messages {
			messages[i] = kafka.Message{Partition: orders, Offset: int64(i), Value: fmt.Append(nil, i)}
		}
		f := r.fixture(s)
		for attempts := 0; len(messages) > 0; attempts++ {
			Expect(attempts).To(BeNumerically("<", 200))
			f.Refuse(attempts % 3)
			results := deliver(ctx, s, messages...)
			for len(results) > 0 && results[0].Outcome == sink.Done {
				results, messages = results[1:], messages[1:]
			}
		}
		Expect(r.errs).To(BeEmpty())
		for i, message := range r.delivered() {
			Expect(message.Offset).To(Equal(int64(i)))
		}
	})
})

var _ = Describe("Connections", func() {
	It("are reused", func(ctx SpecContext) {
		var connections atomic.Int32
		s := newSink(httpsink.Config{URL: script(func(conn net.Conn) {
			connections.Add(1)
			answer("HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhello")(conn)
		})})
		for range 20 {
			Expect(deliver(ctx, s, one(), one())).To(HaveEach(sink.Result{Outcome: sink.Done}))
		}
		Expect(connections.Load()).To(Equal(int32(1)))
	})

	It("are reused after a refusal", func(ctx SpecContext) {
		var connections atomic.Int32
		s := newSink(httpsink.Config{URL: script(func(conn net.Conn) {
			connections.Add(1)
			answer("HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nhello")(conn)
		})})
		for range 20 {
			Expect(deliverOne(ctx, s).Outcome).To(Equal(sink.Retry))
		}
		Expect(connections.Load()).To(Equal(int32(1)))
	})

	It("that the server closed while idle are replaced within the attempt, with the same id", func(ctx SpecContext) {
		var keys []string
		var requests atomic.Int32
		// The first connection answers once and closes on the second request without an answer: what a keep-alive
		// timeout looks like from here if the request and the end cross.
		closing := func(conn net.Conn) {
			reader := bufio.NewReader(conn)
			for i := range 2 {
				request, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				io.Copy(io.Discard, request.Body)
				keys = append(keys, request.Header.Get("Idempotency-Key"))
				requests.Add(1)
				if i == 0 {
					io.WriteString(conn, okAnswer)
				}
			}
		}
		var last *http.Request
		var body bytes.Buffer
		s := newSink(httpsink.Config{URL: script(closing, func(conn net.Conn) {
			reader := bufio.NewReader(conn)
			last, _ = http.ReadRequest(reader)
			io.Copy(&body, last.Body)
			requests.Add(1)
			io.WriteString(conn, okAnswer)
			_, _ = reader.ReadByte()
		})})
		Expect(deliverOne(ctx, s).Outcome).To(Equal(sink.Done))
		Expect(deliverOne(ctx, s).Outcome).To(Equal(sink.Done))
		Expect(requests.Load()).To(Equal(int32(3)))
		Expect(keys).To(HaveEach("orders/3/42"))
		Expect(last.Header.Get("Idempotency-Key")).To(Equal("orders/3/42"))
		Expect(body.String()).To(Equal("hello"))
	})

	It("that are fresh and break are not replaced", func(ctx SpecContext) {
		var requests atomic.Int32
		s := newSink(httpsink.Config{URL: script(func(conn net.Conn) {
			if take(bufio.NewReader(conn)) == nil {
				requests.Add(1)
			}
		})})
		Expect(deliverOne(ctx, s).Outcome).To(Equal(sink.Unknown))
		Expect(requests.Load()).To(Equal(int32(1)))
	})

	It("that answered before they were sent everything do no harm", func(ctx SpecContext) {
		// The body is bigger than any buffer on the way, so the answer comes while net/http still writes it.
		big := one()
		big.Value = bytes.Repeat([]byte("x"), 32<<20)
		s := newSink(httpsink.Config{URL: script(func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				io.Copy(io.Discard, conn)
			}
		})})
		for range 3 {
			Expect(deliver(ctx, s, big, one())).To(HaveEach(sink.Result{Outcome: sink.Done}))
		}
	})

	It("may be closed twice", func() {
		s := newSink(httpsink.Config{URL: "http://sink.test/"})
		Expect(s.Close()).To(Succeed())
	})
})
