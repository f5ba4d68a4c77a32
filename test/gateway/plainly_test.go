// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// plainly are requests that publish nothing, or to which formats do not matter.
func plainly(s *stage) {
	DescribeTable("reads", func(ctx SpecContext, name, path string, status int) {
		a := s.get(ctx, s.process[name], path)
		Expect(a.status).To(Equal(status), a.String())
		s.keep(http.MethodGet, path, "", a)
	},
		Entry("the document", "main", "/openapi.json", 200),
		Entry("the document, before any broker was reached", "lonely", "/openapi.json", 200),
		Entry("that it lives", "main", "/healthz", 200),
		Entry("that it lives, before any broker was reached", "lonely", "/healthz", 200),
		Entry("that it is ready", "main", "/readyz", 200),
		Entry("that it is not, before any broker was reached", "lonely", "/readyz", 503),
	)

	// The document does not tell of what is not in it.
	DescribeTable("refuses", func(ctx SpecContext, method, path string, status int, kind string) {
		a := s.do(ctx, s.process["main"], request{method: method, path: path, header: http.Header{}})
		refused(a, status, kind)
		if status == http.StatusMethodNotAllowed {
			Expect(a.header.Get("Allow")).NotTo(BeEmpty())
		}
	},
		Entry("a path that is none", "POST", "/nowhere", 404, "no-path"),
		Entry("a path below one", "POST", "/topics/orders/offsets", 404, "no-path"),
		Entry("another method", "PUT", "/", 405, "method"),
		Entry("reading what is written", "GET", "/topics/orders", 405, "method"),
		Entry("writing what is read", "POST", "/healthz", 405, "method"),
	)

	It("refuses schemas", func(ctx SpecContext) {
		f := formats()[6]
		sent := some(f)
		r := f.make(f, topic, s.partition(0), sent)
		r.header.Set("Content-Type", "application/vnd.kafka.avro.v2+json")
		refused(s.exchange(ctx, s.process["main"], f, r, sent...), http.StatusUnsupportedMediaType, "media-type")
	})

	It("stores headers where brokers do, and says where they do not", func(ctx SpecContext) {
		f, sent := formats()[0], []message{fresh()}
		a := s.publish(ctx, s.process["main"], f, sent, "Samsa-Header", "color=blue", "Samsa-Timestamp", "1700000000123")
		if s.era == world.Era07 {
			refused(a, http.StatusUnprocessableEntity, "no-message")
			return
		}
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		Expect(string(a.body)).To(ContainSubstring(`"timestamp":"2023-11-14T22:13:20.123Z"`))
		s.book.hold(ctx)
		Expect(s.book.found[sent[0].id][0].headers).To(ContainElement(kgo.RecordHeader{Key: "color", Value: []byte("blue")}))
	})

	It("lets an account in that is deleted then", func(ctx SpecContext) {
		s.deleted = s.kube.newcomer("shop")
		a := s.publish(ctx, s.process["reviewed"], raw(), some(raw()), "Authorization", "Bearer "+s.deleted)
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		s.kube.delete(s.deleted)
	})

	It("takes the same account's requests within its limit of concurrency alone", func(ctx SpecContext) {
		token := s.kube.newcomer("shop")
		head := "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 3\r\n"
		p := s.process["guarded"]
		for range 2 { // of which the rest never comes
			c := connect(ctx, p)
			c.write(head + "Expect: 100-continue\r\n\r\n")
			Expect(c.line()).To(ContainSubstring("100 Continue")) // it is let in, and its body wanted
		}
		f := formats()[0]
		a := s.publish(ctx, p, f, some(f), "Authorization", "Bearer "+token)
		refused(a, http.StatusTooManyRequests, "limit")
		Expect(string(a.body)).To(ContainSubstring("at the same time"))
	})
}
