// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

var _ = Describe("A probe", func() {
	It("connects, and sends nothing", func(ctx SpecContext) {
		var connections, requests atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		server.Start()
		DeferCleanup(server.Close)
		s := newSink(httpsink.Config{URL: server.URL})
		Expect(s.Host()).To(Equal("127.0.0.1"))
		Expect(s.Probe(ctx)).To(Succeed())
		Eventually(connections.Load).Should(BeEquivalentTo(1))
		Expect(requests.Load()).To(BeZero())
	})

	DescribeTable("fails as an attempt does",
		func(ctx SpecContext, address, reason string) {
			resolver := &net.DNSError{Err: "no such host", Name: "nowhere.invalid", Server: "127.0.0.1:4711", IsNotFound: true}
			s := newSink(httpsink.Config{
				URL: address, Timeout: 50 * time.Millisecond,
				Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					switch host, _, _ := net.SplitHostPort(address); host {
					case "nowhere.invalid":
						return nil, &net.OpError{Op: "dial", Net: network, Err: resolver}
					case "192.0.2.1":
						<-ctx.Done()
						return nil, ctx.Err()
					}
					return (&net.Dialer{}).DialContext(ctx, network, address)
				},
			})
			for range 2 {
				probe := s.Probe(ctx)
				failed := (*httpsink.Error)(nil)
				Expect(errors.As(probe, &failed)).To(BeTrue())
				Expect(failed.Unreachable()).To(BeTrue())
				Expect(failed.Reason()).To(Equal(reason))
				attempt := deliverOne(ctx, s).Err
				Expect(errors.As(attempt, &failed)).To(BeTrue())
				Expect(failed.Unreachable()).To(BeTrue())
				Expect(attempt).To(MatchError(probe.Error()))
			}
		},
		Entry("name unknown", "http://nowhere.invalid/orders", "no such host: nowhere.invalid"),
		Entry("nobody listens", "http://127.0.0.1:1/orders", "connection refused"),
		Entry("no answer", "https://192.0.2.1", "no connection within 50ms"),
	)

	It("goes to the proxy where there is one", func(ctx SpecContext) {
		proxy := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
		s := newSink(httpsink.Config{URL: "http://127.0.0.1:2", Proxy: http.ProxyURL(proxy), Dial: nil})
		Expect(s.Probe(ctx)).To(MatchError(ContainSubstring("connection refused")))
		failing := errors.New("no proxy today")
		s = newSink(httpsink.Config{
			URL: "http://127.0.0.1:2", Proxy: func(*http.Request) (*url.URL, error) { return nil, failing },
		})
		Expect(s.Probe(ctx)).To(MatchError(failing))
	})

	It("ends with its context, and with the sink", func(ctx SpecContext) {
		s := newSink(httpsink.Config{URL: "http://127.0.0.1:1"})
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		Expect(s.Probe(canceled)).To(MatchError(context.Canceled))
		Expect(s.Close()).To(Succeed())
		Expect(s.Probe(ctx)).NotTo(Succeed())
	})

	It("is not failed by a sink that answers, however badly", func(ctx SpecContext) {
		for _, serve := range []func(net.Conn){answerOnce(""), reset, answer("HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n")} {
			s := newSink(httpsink.Config{URL: script(serve)})
			Expect(s.Probe(ctx)).To(Succeed())
			failed := (*httpsink.Error)(nil)
			Expect(errors.As(deliverOne(ctx, s).Err, &failed)).To(BeTrue())
			Expect(failed.Unreachable()).To(BeFalse())
		}
	})
})
