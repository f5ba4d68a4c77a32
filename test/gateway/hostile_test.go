// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// lateness is how much later than it was told something may happen on a machine that others use too.
const lateness = 10 * time.Second

// each does something with all formats at once.
func each(do func(f *format)) {
	GinkgoHelper()
	var doing sync.WaitGroup
	for _, f := range formats() {
		doing.Go(func() {
			defer GinkgoRecover()
			do(f)
		})
	}
	doing.Wait()
}

// hostile are callers that mean no good, or whose connections do not.
func hostile(s *stage) {
	It("bodies that come slowly end in their time", func(ctx SpecContext) {
		each(func(f *format) {
			sent := []message{fresh()}
			r := f.make(f, topic, s.partition(0), sent)
			c := connect(ctx, s.process["hasty"])
			begin := time.Now()
			c.write(r.head(r.claimed()) + "\r\n" + string(r.body[:len(r.body)/2]))
			a, within := c.answer(), hurry
			if f.kind == stream {
				within *= 2
			}
			Expect(time.Since(begin)).To(And(BeNumerically(">", within*9/10), BeNumerically("<", within+lateness)))
			refused(a, http.StatusRequestTimeout, "too-slow")
			s.judge(f, a, sent...)
			_, err := io.ReadAll(c.Reader)
			Expect(err).NotTo(HaveOccurred(), "the connection ends")
		})
	})

	It("headers that come slowly end in their time", func(ctx SpecContext) {
		var waiting sync.WaitGroup
		for _, text := range []string{
			"", "POST /", "POST / HTTP/1.1\r\nHost: x\r\nContent-", "POST / HTTP/1.1\r\nHost: x\r\n",
		} {
			waiting.Go(func() {
				defer GinkgoRecover()
				c := connect(ctx, s.process["hasty"])
				begin := time.Now()
				c.write(text)
				said, err := io.ReadAll(c.Reader)
				Expect(err).NotTo(HaveOccurred())
				Expect(string(said)).To(Or(BeEmpty(), HavePrefix("HTTP/1.1 400 "))) // the server's own, of half a line
				Expect(time.Since(begin)).To(And(BeNumerically(">", hurry*9/10), BeNumerically("<", hurry+lateness)))
			})
		}
		waiting.Wait()
	})

	cutOff(s)
	abandoned(s)
	broken(s)
	crowd(s)
}

// cutOff are bodies of which not all comes.
func cutOff(s *stage) {
	It("bodies that are cut off publish nothing", func(ctx SpecContext) {
		each(func(f *format) {
			for _, framing := range []string{"length", "chunk"} {
				sent := []message{fresh()}
				r := f.make(f, topic, s.partition(0), sent)
				part := string(r.body[:len(r.body)-1])
				text := r.head(r.claimed()) + "\r\n" + part
				if framing == "chunk" {
					text = r.head("Transfer-Encoding: chunked") + fmt.Sprintf("\r\n%x\r\n%s", len(r.body), part)
				}
				c := connect(ctx, s.process["main"])
				c.write(text)
				c.half()
				a := c.answer()
				refused(a, http.StatusBadRequest, "cut-off")
				s.judge(f, a, sent...)

				// The same, and the caller goes away.
				gone := fresh()
				r = f.make(f, topic, s.partition(0), []message{gone})
				c = connect(ctx, s.process["main"])
				c.write(r.head(r.claimed()) + "\r\n" + string(r.body[:len(r.body)-1]))
				Expect(c.Conn.Close()).To(Succeed())
				s.book.expect(gone, never)
			}
		})
	})

	It("what came of a stream before it was cut off is published, and nothing else", func(ctx SpecContext) {
		for _, f := range formats() {
			if f.kind != stream {
				continue
			}
			sent := some(f)
			r := f.make(f, topic, s.partition(0), sent)
			c := connect(ctx, s.process["main"])
			c.write(r.head(r.claimed()) + "\r\n" + string(r.body[:len(r.body)-2]))
			response, err := http.ReadResponse(c.Reader, nil)
			Expect(err).NotTo(HaveOccurred())
			a := &answer{status: response.StatusCode, header: response.Header}
			lines := bufio.NewReader(response.Body)
			for range len(sent) - 1 {
				line, err := lines.ReadBytes('\n')
				Expect(err).NotTo(HaveOccurred())
				a.body = append(a.body, line...)
			}
			c.half() // before that, all would be told that nobody waits any more
			rest, err := io.ReadAll(lines)
			Expect(err).NotTo(HaveOccurred())
			Expect(response.Body.Close()).To(Succeed())
			a.body = append(a.body, rest...)
			s.judge(f, a, sent...)
			results, err := a.results(f, len(sent))
			Expect(err).NotTo(HaveOccurred())
			Expect(results).To(HaveExactElements(HaveField("Status", 201), HaveField("Status", 201),
				And(HaveField("Status", 400), HaveField("Outcome", "refused"))))
		}
	})
}

// abandoned are requests for whose answers nobody waits.
func abandoned(s *stage) {
	It("a stream that is cut off is told the truth of each message that was underway", func(ctx SpecContext) {
		for _, f := range formats() {
			if f.kind != stream {
				continue
			}
			for range 20 { // some are written, some not yet, of some nobody knows
				sent := some(f)
				r := f.make(f, topic, s.partition(0), sent)
				c := connect(ctx, s.process["main"])
				c.write(r.head(r.claimed()) + "\r\n" + string(r.body[:len(r.body)-2]))
				c.half()
				s.judge(f, c.answer(), sent...)
			}
		}
	})

	It("callers that go away after their request leave nothing behind", func(ctx SpecContext) {
		for range 50 {
			m := fresh()
			c := connect(ctx, s.process["main"])
			c.write(fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(m.value()), m.value()))
			Expect(c.Conn.Close()).To(Succeed())
			s.book.expect(m, maybe)
		}
		metrics := func() string { return string(s.metrics(ctx, s.process["main"])) }
		Eventually(ctx, metrics).Should(ContainSubstring("\nsamsa_producer_buffered_bytes 0\n"))
	})
}

// broken are requests that are none.
func broken(s *stage) {
	DescribeTable("broken framing publishes nothing", func(ctx SpecContext, framing string, status int) {
		m := fresh()
		c := connect(ctx, s.process["main"])
		c.write("POST / HTTP/1.1\r\nHost: x\r\n" + fmt.Sprintf(framing, m.value()))
		a := c.answer()
		Expect(a.status).To(Equal(status), a.String())
		Expect(a.closed).To(BeTrue())
		s.book.expect(m, never)
	},
		Entry("a chunk without a length", "Transfer-Encoding: chunked\r\n\r\nzz\r\n%s\r\n0\r\n\r\n", 400),
		Entry("a chunk of another length", "Transfer-Encoding: chunked\r\n\r\n3\r\n%s\r\n0\r\n\r\n", 400),
		Entry("two lengths", "Content-Length: 9\r\nContent-Length: 8\r\n\r\n%s", 400),
		Entry("a length below zero", "Content-Length: -1\r\n\r\n%s", 400),
		Entry("a gigabyte that is only claimed", "Content-Length: 1073741824\r\n\r\n%s", 413),
		Entry("a name with a space", "Samsa Key: a\r\nContent-Length: 9\r\n\r\n%s", 400),
	)

	It("a body without an end is not read", func(ctx SpecContext) {
		c := connect(ctx, s.process["main"])
		c.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
		written := 0
		for ; written < 1024; written++ { // a gibibyte
			if _, err := fmt.Fprintf(c.Conn, "%x\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20)); err != nil {
				break
			}
		}
		// The connection is reset where it was still being written to, so that the answer may be lost.
		Expect(written).To(BeNumerically("<", 64), "MiB that were taken off this end's hands")
	})

	DescribeTable("nonsense is refused", func(ctx SpecContext, media, path, body string, status int) {
		m := fresh()
		r := request{method: http.MethodPost, path: path, body: []byte(strings.ReplaceAll(body, "ID", m.id))}
		r.header = http.Header{"Content-Type": {media}}
		a := s.do(ctx, s.process["main"], r)
		Expect(a.status).To(Or(Equal(status), Equal(http.StatusMultiStatus)), a.String())
		Expect(string(a.body)).To(ContainSubstring(fmt.Sprintf(`"status":%d`, status)))
		Expect(string(a.body)).To(ContainSubstring(`"outcome":"refused"`))
		s.book.expect(m, never)
	}, nonsense())
}

// metrics are what Prometheus would read.
func (s *stage) metrics(ctx context.Context, p *process) []byte {
	GinkgoHelper()
	inner := *p
	inner.address = p.private
	return s.get(ctx, &inner, "/metrics").body
}

// nonsense are bodies that are none, each with the status that it is answered with.
func nonsense() []TableEntry {
	const records = "application/vnd.kafka.json.v2+json"
	deep := strings.Repeat("[", 20_000) + `"ID"`
	return []TableEntry{
		Entry("JSON that ends early", typeEvent, "/", `{"specversion":"1.0","id":"ID"`, 400),
		Entry("an event with a member twice", typeEvent, "/",
			`{"specversion":"1.0","id":"ID","id":"x","source":"s","type":"t"}`, 422),
		Entry("an event of a version to come", typeEvent, "/", `{"specversion":"2.0","id":"ID","source":"s","type":"t"}`, 422),
		Entry("an event with two kinds of data", typeEvent, "/",
			`{"specversion":"1.0","id":"ID","source":"s","type":"t","data":1,"data_base64":"eA=="}`, 422),
		Entry("an event whose base64 is none", typeEvent, "/",
			`{"specversion":"1.0","id":"ID","source":"s","type":"t","data_base64":"e"}`, 422),
		Entry("an event in an array", typeEvent, "/", `[{"specversion":"1.0","id":"ID","source":"s","type":"t"}]`, 422),
		Entry("a batch that is an event", typeBatch, "/", `{"specversion":"1.0","id":"ID","source":"s","type":"t"}`, 422),
		Entry("a batch with an event that is none", typeBatch, "/",
			`[{"specversion":"1.0","id":"ID","source":"s","type":"t"},{}]`, 422),
		Entry("an event in XML", "application/cloudevents+xml", "/", `<event id="ID"/>`, 415),
		Entry("a line that is no JSON", typeLines, "/", "ID\n", 400),
		Entry("a line with text that is no UTF-8", typeLines, "/", "{\"value\":\"ID\xff\"}\n", 400),
		Entry("a line with base64 that is none", typeLines, "/", `{"value":"ID"`+`,"keyBase64":"*"}`, 422),
		Entry("a line with an unknown member", typeLines, "/", `{"value":"ID","colour":1}`, 422),
		Entry("a line of nothing but depth", typeLines, "/", `{"valueJSON":`+deep, 400),
		Entry("records of another binding's", records, "/", `{"records":[{"value":"ID"}]}`, 415),
		Entry("records of nothing but depth", records, "/topics/"+topic, `{"records":[{"value":`+deep, 400),
		Entry("records with a partition that is none", records, "/topics/"+topic,
			`{"records":[{"value":"ID","partition":-1}]}`, 422),
		Entry("records with a schema", records, "/topics/"+topic, `{"value_schema":"{}","records":[{"value":"ID"}]}`, 422),
		Entry("records and more", records, "/topics/"+topic, `{"records":[{"value":"ID"}]} {}`, 400),
	}
}
