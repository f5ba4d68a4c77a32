// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink_test

import (
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

func discardLog() *log.Logger { return slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) }

var _ = Describe("Answers", func() {
	DescribeTable("mean", func(ctx SpecContext, status int, outcome sink.Outcome, text string) {
		server := serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		result := deliverOne(ctx, newSink(httpsink.Config{URL: server.URL + "/orders"}))
		Expect(result.Outcome).To(Equal(outcome))
		if outcome == sink.Done {
			Expect(result.Err).NotTo(HaveOccurred())
			return
		}
		Expect(result.Err).To(MatchError("POST " + server.URL + "/orders: " + text))
	},
		Entry(nil, 200, sink.Done, ""),
		Entry(nil, 202, sink.Done, ""),
		Entry(nil, 204, sink.Done, ""),
		Entry(nil, 299, sink.Done, ""),
		Entry(nil, 400, sink.Permanent, "400 Bad Request"),
		Entry(nil, 401, sink.Retry, "401 Unauthorized"),
		Entry(nil, 403, sink.Retry, "403 Forbidden"),
		Entry(nil, 404, sink.Retry, "404 Not Found"),
		Entry(nil, 408, sink.Retry, "408 Request Timeout"),
		Entry(nil, 409, sink.Retry, "409 Conflict"),
		Entry(nil, 410, sink.Retry, "410 Gone"),
		Entry(nil, 412, sink.Retry, "412 Precondition Failed"),
		Entry(nil, 413, sink.Permanent, "413 Request Entity Too Large"),
		Entry(nil, 415, sink.Permanent, "415 Unsupported Media Type"),
		Entry(nil, 422, sink.Permanent, "422 Unprocessable Entity"),
		Entry(nil, 425, sink.Retry, "425 Too Early"),
		Entry(nil, 429, sink.Retry, "429 Too Many Requests"),
		Entry(nil, 431, sink.Permanent, "431 Request Header Fields Too Large"),
		Entry(nil, 499, sink.Permanent, "499"),
		Entry(nil, 500, sink.Retry, "500 Internal Server Error"),
		Entry(nil, 503, sink.Retry, "503 Service Unavailable"),
		Entry(nil, 599, sink.Retry, "599"),
		Entry(nil, 777, sink.Retry, "777"),
		Entry(nil, 304, sink.Retry, "304 Not Modified (redirects are not followed: set the sink's address to where it is)"),
	)

	DescribeTable("say when to come back", func(ctx SpecContext, status int, header string, after time.Duration) {
		server := serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(status)
		})
		s := newSink(httpsink.Config{URL: server.URL, Now: theTime})
		Expect(deliverOne(ctx, s).After).To(Equal(after))
	},
		Entry("seconds", 429, "7", 7*time.Second),
		Entry("seconds", 503, "120", 2*time.Minute),
		Entry("no wait", 503, "0", time.Duration(0)),
		Entry("bounded", 503, "999999", time.Hour),
		Entry("bounded where no number holds it", 503, strings.Repeat("9", 100), time.Hour),
		Entry("a date", 503, "Fri, 02 Jan 2026 03:04:35 GMT", 30*time.Second),
		Entry("a date that is bounded", 503, "Sat, 02 Jan 2027 03:04:35 GMT", time.Hour),
		Entry("a date that has passed", 503, "Thu, 01 Jan 2026 03:04:35 GMT", time.Duration(0)),
		Entry("garbage", 503, "soon", time.Duration(0)),
		Entry("a negative number", 503, "-5", time.Duration(0)),
		Entry("not on other statuses", 500, "7", time.Duration(0)),
		Entry("not on redirects", 302, "7", time.Duration(0)),
	)

	It("are not followed elsewhere, and name where they point without secrets", func(ctx SpecContext) {
		requests := 0
		server := serve(func(w http.ResponseWriter, r *http.Request) {
			requests++
			http.Redirect(w, r, "https://user:secret@login.test/in?state=123#x", http.StatusTemporaryRedirect)
		})
		result := deliverOne(ctx, newSink(httpsink.Config{URL: server.URL}))
		Expect(result.Outcome).To(Equal(sink.Retry))
		Expect(result.Err).To(MatchError("POST " + server.URL + ": 307 Temporary Redirect to https://login.test/in" +
			" (redirects are not followed: set the sink's address to where it is)"))
		Expect(requests).To(Equal(1))
	})

	It("never show the user, the password or the query of the address", func(ctx SpecContext) {
		var user, password, query string
		status := http.StatusOK
		server := serve(func(w http.ResponseWriter, r *http.Request) {
			user, password, _ = r.BasicAuth()
			query = r.URL.RawQuery
			w.WriteHeader(status)
		})
		address := strings.Replace(server.URL, "http://", "http://joe:s3cret@", 1) + "/in?token=t0ken"
		s := newSink(httpsink.Config{URL: address})
		Expect(deliverOne(ctx, s).Outcome).To(Equal(sink.Done))
		Expect([]string{user, password, query}).To(Equal([]string{"joe", "s3cret", "token=t0ken"}))
		status = http.StatusTeapot
		Expect(deliverOne(ctx, s).Err).To(MatchError("POST " + server.URL + "/in: 418 I'm a teapot"))
		server.Close()
		// The old connection may first have to be found dead.
		Eventually(func() error { return deliverOne(ctx, s).Err }).
			Should(MatchError("POST " + server.URL + "/in: connection refused"))
	})
})

var _ = Describe("No connection", func() {
	It("is Retry, and reads the same each time", func(ctx SpecContext) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		address := "http://" + listener.Addr().String()
		listener.Close()
		s := newSink(httpsink.Config{URL: address})
		for range 3 {
			result := deliverOne(ctx, s)
			Expect(result.Outcome).To(Equal(sink.Retry))
			Expect(result.Err).To(MatchError("POST " + address + ": connection refused"))
			Expect(result.Err).To(MatchError(syscall.ECONNREFUSED))
		}
	})

	DescribeTable("for want of a name", func(ctx SpecContext, problem *net.DNSError, text string) {
		s := newSink(httpsink.Config{URL: "http://sink.test/", Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: problem}
		}})
		result := deliverOne(ctx, s)
		Expect(result.Outcome).To(Equal(sink.Retry))
		Expect(result.Err).To(MatchError("POST http://sink.test/: " + text))
	},
		Entry("unknown", &net.DNSError{Err: "no such host", Name: "sink.test", Server: "10.0.0.1:53", IsNotFound: true},
			"no such host: sink.test"),
		Entry("unanswered", &net.DNSError{Err: "i/o timeout", Name: "sink.test", Server: "10.0.0.1:53", IsTimeout: true},
			"no name server could resolve sink.test"),
	)

	It("within the timeout is Retry", func(ctx SpecContext) {
		s := newSink(httpsink.Config{URL: "http://sink.test/", Timeout: 30 * time.Millisecond, Dial: neverDials})
		result := deliverOne(ctx, s)
		Expect(result.Outcome).To(Equal(sink.Retry))
		Expect(result.Err).To(MatchError("POST http://sink.test/: no connection within 30ms"))
	})

	It("when the context ends has begun nothing", func(ctx SpecContext) {
		dialing := make(chan struct{})
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			close(dialing)
			return neverDials(ctx, network, address)
		}
		s := newSink(httpsink.Config{URL: "http://sink.test/", Dial: dial})
		canceled, cancel := context.WithCancel(ctx)
		go func() {
			<-dialing
			cancel()
		}()
		Expect(deliverOne(canceled, s)).To(Equal(sink.Result{}))
		// The sink's Close ends the dial, which waits for nobody any more: goleak tells.
	})
})

func neverDials(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func theTime() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
