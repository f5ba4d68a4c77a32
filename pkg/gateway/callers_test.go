// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"errors"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func newWindow() *window.Window { return window.New(window.Config{Length: time.Minute}) }

var _ = Describe("A caller", func() {
	DescribeTable("is not let in", func(ctx SpecContext, verdict error, status int) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b, Verifier: verifier(func(*http.Request) (caller.Caller, error) {
			return caller.Caller{}, verdict
		})})
		a := post(ctx, url, "/", "hello", "Expect", "100-continue")
		Expect(a.status).To(Equal(status))
		Expect(decode(a.body)).To(HaveKeyWithValue("outcome", "refused"))
		Expect(b.written()).To(BeEmpty())
		for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
			Expect(send(ctx, "GET", url, path, nil).status).To(Equal(200))
		}
		Expect(post(ctx, url, "/topics/other", "").status).To(Equal(status), "strangers learn no names")
	},
		Entry("unauthenticated", &caller.Refusal{Cause: caller.ErrUnauthenticated, Reason: "no token", Challenge: "Bearer"}, 401),
		Entry("unauthenticated, without a challenge", caller.ErrUnauthenticated, 401),
		Entry("forbidden", &caller.Refusal{Cause: caller.ErrForbidden, Reason: "not in the list"}, 403),
		Entry("unavailable", &caller.Refusal{Cause: caller.ErrUnavailable, Reason: "TokenReview"}, 503),
		Entry("anything else", errors.New("bug"), 503),
	)

	It("is kept to its limits", func(ctx SpecContext) {
		b := &brokers{}
		limiter := caller.NewLimiter(caller.Limits{MessagesPerSecond: 2}, theTime)
		_, url := serve(gateway.Config{Producer: b, Limiter: limiter})
		Eventually(func() int { return post(ctx, url, "/", "x").status }).Should(Equal(429))
		a := post(ctx, url, "/", "x")
		Expect(a.header.Get("Retry-After")).NotTo(BeEmpty())
		Expect(decode(a.body)).To(HaveKeyWithValue("type", "urn:samsa:problem:limit"))
		Expect(len(b.written())).To(BeNumerically("<=", 4))
	})

	It("who is many at a time is one, and gives its place back", func(ctx SpecContext) {
		b := &brokers{later: true}
		limiter := caller.NewLimiter(caller.Limits{Concurrent: 1}, time.Now)
		_, url := serve(gateway.Config{Producer: b, Limiter: limiter})
		first := make(chan answer)
		go func() {
			defer GinkgoRecover()
			first <- post(ctx, url, "/", "x")
		}()
		Eventually(func() int { return len(b.written()) }).Should(Equal(1))
		Expect(post(ctx, url, "/", "x").status).To(Equal(429))
		b.release()
		Expect((<-first).status).To(Equal(201))
		b.later = false
		Expect(post(ctx, url, "/", "x").status).To(Equal(201))
	})
})

var _ = Describe("An Idempotency-Key", func() {
	It("gives the same answer, and no second message", func(ctx SpecContext) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b, Window: newWindow()})
		first := post(ctx, url, "/", "hello", "Idempotency-Key", "k", "Samsa-Header-A", "b")
		Expect(post(ctx, url, "/", "hello", "Idempotency-Key", "k", "Samsa-Header-A", "b").body).To(Equal(first.body))
		Expect(b.written()).To(HaveLen(1))
		Expect(b.written()[0].Headers).To(HaveLen(2))
		Expect(b.written()[0].Headers[1].Key).To(Equal(window.HeaderName))
		for _, other := range [][]string{{"Samsa-Key", ""}, {"Samsa-Partition", "1"}, {"Samsa-Header-A", "c"}} {
			a := post(ctx, url, "/", "hello", append(other, "Idempotency-Key", "k")...)
			Expect(a.status).To(Equal(422))
			Expect(decode(a.body)).To(HaveKeyWithValue("type", "urn:samsa:problem:key-reused"))
		}
		Expect(b.written()).To(HaveLen(1))
	})

	It("waits for the outcome of a request that is underway", func(ctx SpecContext) {
		b := &brokers{later: true}
		_, url := serve(gateway.Config{Producer: b, Window: newWindow()})
		answers := make(chan answer, 3)
		for range 3 {
			go func() {
				defer GinkgoRecover()
				answers <- post(ctx, url, "/", "hello", "Idempotency-Key", "k")
			}()
		}
		Eventually(func() int { return len(b.written()) }).Should(Equal(1))
		Consistently(answers, 50*time.Millisecond).ShouldNot(Receive())
		b.release()
		for range 3 {
			Expect((<-answers).status).To(Equal(201))
		}
		Expect(b.written()).To(HaveLen(1))
	})

	It("of a message that was refused lets it be sent again; of one that is unknown does not", func(ctx SpecContext) {
		errs := []error{refused(kafka.ErrUnavailable), errors.New("cut"), nil}
		b := &brokers{}
		b.answer = func(i int, _ kafka.Message) (client.Produced, error) { return client.Produced{Held: true}, errs[i] }
		_, url := serve(gateway.Config{Producer: b, Window: newWindow()})
		for _, want := range []int{503, 504, 504, 504} {
			Expect(post(ctx, url, "/", "hello", "Idempotency-Key", "k").status).To(Equal(want))
		}
		Expect(b.written()).To(HaveLen(2))
	})

	It("learns of an outcome after its request", func(ctx SpecContext) {
		b := &brokers{later: true}
		_, url := serve(gateway.Config{Producer: b, Window: newWindow(), RequestTimeout: 50 * time.Millisecond})
		Expect(post(ctx, url, "/", "hello", "Idempotency-Key", "k").status).To(Equal(504))
		Expect(post(ctx, url, "/", "hello", "Idempotency-Key", "k").status).To(Equal(504))
		b.release()
		Expect(post(ctx, url, "/", "hello", "Idempotency-Key", "k").status).To(Equal(201))
		Expect(b.written()).To(HaveLen(1))
	})

	It("of a batch publishes again what was refused, and only that", func(ctx SpecContext) {
		b := &brokers{}
		b.answer = func(i int, _ kafka.Message) (client.Produced, error) {
			if i == 1 {
				return client.Produced{}, refused(kafka.ErrBusy)
			}
			return client.Produced{Partition: partition("0"), Offset: int64(i), Held: true}, nil
		}
		_, url := serve(gateway.Config{Producer: b, Window: newWindow()})
		records := `{"records":[{"value":"a"},{"value":"b"},{"value":"c"}]}`
		Expect(post(ctx, url, "/topics/orders", records, contentType, typeText, "Idempotency-Key", "k").status).To(Equal(207))
		a := post(ctx, url, "/topics/orders", records, contentType, typeText, "Idempotency-Key", "k")
		Expect(a.status).To(Equal(200))
		Expect(a.body).To(ContainSubstring(
			`[{"partition":0,"offset":0},{"partition":0,"offset":3},{"partition":0,"offset":2}]`))
		Expect(values(b.written())).To(Equal([]string{"a", "b", "c", "b"}))
	})

	DescribeTable("is refused", func(ctx SpecContext, status int, keys ...string) {
		w := window.New(window.Config{Length: time.Minute, MaxBytes: 1})
		_, url := serve(gateway.Config{Producer: &brokers{}, Window: w})
		var headers []string
		for _, key := range keys {
			headers = append(headers, "Idempotency-Key", key)
		}
		Expect(post(ctx, url, "/", "x", "Idempotency-Key", "first").status).To(Equal(201))
		Expect(post(ctx, url, "/", "x", headers...).status).To(Equal(status))
	},
		Entry("empty", 400, ""),
		Entry("twice", 400, "a", "b"),
		Entry("invisible", 400, "a b"),
		Entry("too long", 400, strings.Repeat("k", 513)),
		Entry("with no room for it", 503, "second"),
	)

	It("is nothing where nobody remembers", func(ctx SpecContext) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		for range 2 {
			Expect(post(ctx, url, "/", "hello", "Idempotency-Key", "k").status).To(Equal(201))
		}
		Expect(b.written()).To(HaveLen(2))
		Expect(b.written()[0].Headers).To(BeEmpty())
	})
})
