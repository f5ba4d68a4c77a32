// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"

	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
)

// What a replica answers for another is in the document like all else: post holds it against that.
var _ = Describe("A replica among several", func() {
	const self = "127.0.0.1:1"
	among := func(members ...string) (url string) {
		handler, err := gateway.New(gateway.Config{Topic: topic, Producer: &brokers{}, Verifier: caller.Anonymous()})
		Expect(err).NotTo(HaveOccurred())
		shares := window.NewShares(window.SharesConfig{Self: self})
		shares.Update(members)
		server := httptest.NewServer(window.NewForwarder(window.ForwarderConfig{
			Self: self, Shares: shares, Next: handler, Transport: new(http.Transport), Scheme: "http",
			Logger: slog.New(slog.DiscardHandler),
		}))
		DeferCleanup(server.Close)
		return server.URL
	}

	It("refuses keys of which it does not know yet what became of them", func(ctx SpecContext) {
		a := post(ctx, among(self), "/", "x", "Idempotency-Key", "k")
		Expect(a.status).To(Equal(503))
		Expect(a.header.Get("Retry-After")).To(Equal("1"))
		Expect(decode(a.body)).To(gstruct.MatchKeys(gstruct.IgnoreExtras, problem("key-moves", "refused")))
		Expect(decode(a.body)).To(HaveKeyWithValue("retryAfter", 1.0))
	})

	It("refuses keys of a replica that cannot be reached", func(ctx SpecContext) {
		a := post(ctx, among("127.0.0.1:2"), "/topics/orders", "{}", "Idempotency-Key", "k")
		Expect(a.status).To(Equal(503))
		Expect(decode(a.body)).To(gstruct.MatchKeys(gstruct.IgnoreExtras, problem("key-moves", "refused")))
	})

	It("does not know what became of a message when the other one breaks off", func(ctx SpecContext) {
		abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		broken := httptest.NewServer(http.HandlerFunc(abort))
		DeferCleanup(broken.Close)
		a := post(ctx, among(broken.Listener.Addr().String()), "/", "x", "Idempotency-Key", "k")
		Expect(a.status).To(Equal(504))
		Expect(decode(a.body)).To(gstruct.MatchKeys(gstruct.IgnoreExtras, problem("unknown-outcome", "unknown")))
	})

	It("asks again whose the key is when the body is there", func(ctx SpecContext) {
		asked := ""
		messages := &brokers{}
		_, url := serve(gateway.Config{
			Producer: messages, Window: newWindow(),
			Turn: func(key string) error { asked = key; return &window.Moved{RetryAfter: 7 * time.Second} },
		})
		a := post(ctx, url, "/topics/orders", `{"records":[{"value":1},{"value":2}]}`, "Idempotency-Key", "k",
			"Content-Type", "application/vnd.kafka.json.v2+json")
		Expect(asked).To(Equal("k"), "not that of one of its messages")
		Expect(a.status).To(Equal(503))
		Expect(a.header.Get("Retry-After")).To(Equal("7"))
		a = post(ctx, url, "/", "x", "Idempotency-Key", "k")
		Expect(decode(a.body)).To(gstruct.MatchKeys(gstruct.IgnoreExtras, problem("key-moves", "refused")))
		Expect(messages.written()).To(BeEmpty())
		Expect(post(ctx, url, "/", "x").status).To(Equal(201), "without a key it matters to nobody")
	})

	It("takes over what its own kind wrote, and not the keys of others who publish to the topic", func(ctx SpecContext) {
		written := &brokers{}
		_, url := serve(gateway.Config{Producer: written, Window: newWindow(), Scope: "shop/orders"})
		Expect(post(ctx, url, "/", "x", "Idempotency-Key", "k").status).To(Equal(201))
		next := func(scope string) (*brokers, string) {
			rebuilt, messages := newWindow(), &brokers{}
			for _, message := range written.written() {
				rebuilt.LoadMessage(&message)
			}
			_, url := serve(gateway.Config{Producer: messages, Window: rebuilt, Scope: scope})
			return messages, url
		}
		same, url := next("shop/orders")
		Expect(post(ctx, url, "/", "x", "Idempotency-Key", "k").status).To(Equal(201))
		Expect(same.written()).To(BeEmpty(), "it is there")
		other, url := next("shop/returns")
		Expect(post(ctx, url, "/", "y", "Idempotency-Key", "k").status).To(Equal(201))
		Expect(other.written()).To(HaveLen(1), "another one's key is another key")
	})
})
