// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// exempt says why a status cannot be had of a format, of what its route promises; empty where it can.
func exempt(era world.Era, f *format, status int) string {
	switch {
	case f.kind == single && (status == http.StatusOK || status == http.StatusMultiStatus):
		return "one message has a status of its own"
	case f.kind != single && status == http.StatusCreated:
		return "several messages have a status each, in the body"
	case era == world.Era07 && status == http.StatusAccepted:
		return "who publishes to Kafka 0.7 asks where the log ends, which proves that it was taken, whatever the acks"
	case era == world.Modern && f.media == typeFrames && status == http.StatusUnprocessableEntity:
		return "any bytes are a message, and the embedded brokers refuse none"
	}
	return ""
}

// ending comes after everything.
func ending(s *stage) {
	It("is over with an account that was deleted, 10 s later where Kubernetes is asked", func(ctx SpecContext) {
		as := []string{"Authorization", "Bearer " + s.deleted}
		Eventually(ctx, func() int {
			return s.publish(ctx, s.process["reviewed"], raw(), some(raw()), as...).status
		}).WithTimeout(10*time.Second + lateness).Should(Equal(http.StatusUnauthorized))
		a := s.publish(ctx, s.process["guarded"], raw(), some(raw()), as...)
		Expect(a.status).To(Equal(http.StatusCreated), "keys alone do not tell, until the token is over")
	})

	It("is over with requests, each of which is answered", func(ctx SpecContext) { leaving(ctx, s) })

	It("is over with all gateways, which leave in order", func(ctx SpecContext) {
		for name, p := range s.process {
			if name != "main" {
				p.leave()
			}
		}
		for _, p := range s.process {
			p.left(ctx)
		}
	})

	It("has kept every promise of the document", func() {
		var missing []string
		for _, f := range formats() {
			for status := range s.document.statuses(http.MethodPost, f.route) {
				reason := exempt(s.era, f, status)
				switch seen := s.reached[reach{http.MethodPost, f.route, f.media, status}]; {
				case !seen && reason == "":
					missing = append(missing, fmt.Sprintf("%s: %d was never seen", f.name, status))
				case seen && reason != "":
					missing = append(missing, fmt.Sprintf("%s: %d was seen, in spite of: %s", f.name, status, reason))
				}
			}
		}
		for route, methods := range s.document.Paths {
			if _, ok := methods["get"]; !ok {
				continue
			}
			for status := range s.document.statuses(http.MethodGet, route) {
				if !s.reached[reach{http.MethodGet, route, "", status}] {
					missing = append(missing, fmt.Sprintf("GET %s: %d was never seen", route, status))
				}
			}
		}
		slices.SortFunc(missing, cmp.Compare[string])
		Expect(missing).To(BeEmpty())
	})
}

// leaving tells a gateway to leave while requests are underway.
func leaving(ctx context.Context, s *stage) {
	GinkgoHelper()
	p := s.process["main"]
	// A stream of which more is to come.
	lines := formats()[4]
	streamed := fresh()
	r := lines.make(lines, topic, "", []message{streamed})
	flow := connect(ctx, p)
	flow.write(r.head("Transfer-Encoding: chunked") + fmt.Sprintf("\r\n%x\r\n%s\r\n", len(r.body), r.body))
	response, err := http.ReadResponse(flow.Reader, nil)
	Expect(err).NotTo(HaveOccurred())
	results := bufio.NewReader(response.Body)
	first, err := results.ReadBytes('\n')
	Expect(err).NotTo(HaveOccurred())
	// A body of which more is to come.
	begun := fresh()
	r = raw().make(raw(), topic, "", []message{begun})
	r.header.Set("Expect", "100-continue")
	half := connect(ctx, p)
	half.write(r.head(r.claimed()) + "\r\n")
	Expect(half.line()).To(ContainSubstring("100 Continue"))
	Expect(half.line()).To(Equal("\r\n"))
	// And headers of which more are to come.
	waiting := map[*format]*connection{}
	for _, f := range formats() {
		waiting[f] = connect(ctx, p)
		waiting[f].write("POST ")
	}

	p.leave()
	Eventually(ctx, func() string {
		inner := *p
		inner.address = p.private
		return string(s.get(ctx, &inner, "/readyz").body)
	}).Should(ContainSubstring("urn:samsa:problem:draining"))

	for f, c := range waiting {
		sent := some(f)
		r := f.make(f, topic, s.partition(0), sent)
		c.write(strings.TrimPrefix(r.head(r.claimed()), "POST ") + "\r\n" + string(r.body))
		a := c.answer()
		refused(a, http.StatusServiceUnavailable, "draining")
		Expect(a.closed).To(BeTrue())
		s.judge(f, a, sent...)
	}
	half.write(begun.value())
	a := half.answer()
	Expect(a.status).To(Equal(http.StatusCreated), a.String())
	s.judge(raw(), a, begun)
	rest, err := io.ReadAll(results)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	a = &answer{status: response.StatusCode, header: response.Header, body: append(first, rest...)}
	unborn := fresh() // what would have come
	s.judge(lines, a, streamed, unborn)
	Expect(string(rest)).To(ContainSubstring("urn:samsa:problem:draining"))
	p.left(ctx)
}
