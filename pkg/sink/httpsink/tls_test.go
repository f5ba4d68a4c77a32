// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

func newHTTP2Server(handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	// The server reports every handshake that a test makes fail.
	server.Config.ErrorLog = discardLog()
	server.StartTLS()
	return server
}

func trust(server *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

var _ = Describe("TLS", func() {
	It("speaks HTTP/2 where the server does", func(ctx SpecContext) {
		var major atomic.Int32
		server := newHTTP2Server(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			major.Store(int32(r.ProtoMajor))
		}))
		DeferCleanup(server.Close)
		s := newSink(httpsink.Config{URL: server.URL, TLS: trust(server)})
		Expect(deliverOne(ctx, s)).To(Equal(sink.Result{Outcome: sink.Done}))
		Expect(major.Load()).To(Equal(int32(2)))
	})

	It("retries while the certificate is not trusted", func(ctx SpecContext) {
		server := newHTTP2Server(http.NotFoundHandler())
		DeferCleanup(server.Close)
		result := deliverOne(ctx, newSink(httpsink.Config{URL: server.URL}))
		Expect(result.Outcome).To(Equal(sink.Retry))
		Expect(result.Err).To(MatchError("POST " + server.URL + ": tls: the certificate is signed by an unknown authority"))
	})

	It("retries while the certificate names another host", func(ctx SpecContext) {
		server := newHTTP2Server(http.NotFoundHandler())
		DeferCleanup(server.Close)
		config := trust(server)
		config.ServerName = "elsewhere.test"
		result := deliverOne(ctx, newSink(httpsink.Config{URL: server.URL, TLS: config}))
		Expect(result.Outcome).To(Equal(sink.Retry))
		Expect(result.Err).To(MatchError("POST " + server.URL + ": tls: the certificate is not valid for elsewhere.test"))
	})

	It("says that an HTTP server is no HTTPS server", func(ctx SpecContext) {
		server := serve(func(http.ResponseWriter, *http.Request) {})
		result := deliverOne(ctx, newSink(httpsink.Config{URL: "https" + server.URL[len("http"):]}))
		Expect(result.Outcome).To(Equal(sink.Retry))
		Expect(result.Err).To(MatchError(HaveSuffix("the server does not speak TLS (is its address http, not https?)")))
	})

	It("does not know what a reset stream has done", func(ctx SpecContext) {
		server := newHTTP2Server(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		DeferCleanup(server.Close)
		s := newSink(httpsink.Config{URL: server.URL, TLS: trust(server)})
		for range 3 {
			result := deliverOne(ctx, s)
			Expect(result.Outcome).To(Equal(sink.Unknown))
			Expect(result.Err).To(MatchError("POST " + server.URL + ": HTTP/2 stream ended by the server"))
		}
	})
})
