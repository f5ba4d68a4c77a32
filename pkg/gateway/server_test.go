// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/gateway"
)

// connect opens a connection to write bytes to that no client of HTTP would.
func connect(ctx context.Context, url string) (net.Conn, *bufio.Reader) {
	GinkgoHelper()
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = connection.Close() }) // some are closed before
	return connection, bufio.NewReader(connection)
}

// exchange writes bytes and gives the answer, and whether the connection ends with it.
func exchange(ctx context.Context, url, text string) (a answer, closed bool) {
	GinkgoHelper()
	connection, reader := connect(ctx, url)
	_, err := io.WriteString(connection, text)
	Expect(err).NotTo(HaveOccurred())
	response, err := http.ReadResponse(reader, nil)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	a = answer{response.StatusCode, response.Header, string(body)}
	Expect(undocumented("POST", "/", a)).To(BeEmpty())
	return a, response.Close
}

func soon(server *http.Server) {
	server.ReadTimeout, server.ReadHeaderTimeout = 200*time.Millisecond, 100*time.Millisecond
}

var _ = Describe("On the wire", func() {
	const head = "POST / HTTP/1.1\r\nHost: x\r\n"

	DescribeTable("a body is refused", func(ctx SpecContext, text string, status int) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b, MaxBodyBytes: 2000}, soon)
		a, closed := exchange(ctx, url, text)
		Expect(a.status).To(Equal(status), a.body)
		Expect(closed).To(BeTrue())
		Expect(b.written()).To(BeEmpty())
	},
		Entry("that claims too much, before any of it comes", head+"Content-Length: 2001\r\n\r\n", 413),
		Entry("that claims more than there is", head+"Content-Length: 99999999999999\r\n\r\n", 413),
		Entry("that is too long in chunks, before all of it comes", head+"Transfer-Encoding: chunked\r\n\r\n7d1\r\n"+strings.Repeat("x", 2001), 413),
		Entry("that comes slowly", head+"Content-Length: 20\r\n\r\nslow", 408),
		Entry("that comes slowly in chunks", head+"Transfer-Encoding: chunked\r\n\r\n4\r\nslow\r\n", 408),
		Entry("whose chunks have no length", head+"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", 400),
		Entry("whose chunk has another length", head+"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 400),
		Entry("whose header is too long", head+"A: "+strings.Repeat("a", 80<<10)+"\r\n\r\n", 431),
	)

	It("a stream that is not read to its end ends its connection", func(ctx SpecContext) {
		_, url := serve(gateway.Config{Producer: &brokers{}, MaxBodyBytes: 2000})
		a, closed := exchange(ctx, url, head+"Content-Type: "+typeFrames+"\r\nContent-Length: 3004\r\n\r\n\x00\x00\x0b\xb8")
		Expect(a.status).To(Or(Equal(413), Equal(207))) // it may be faster than the end of its stream
		Expect(closed).To(BeTrue())
	})

	DescribeTable("a body that is cut off publishes nothing", func(ctx SpecContext, text string) {
		b := &brokers{}
		seen := make(chan int, 1)
		_, url := serve(gateway.Config{Producer: b, Observe: func(o gateway.Observation) { seen <- o.Status }})
		connection, _ := connect(ctx, url)
		_, err := io.WriteString(connection, text)
		Expect(err).NotTo(HaveOccurred())
		Expect(connection.Close()).To(Succeed())
		Eventually(seen).Should(Receive(Equal(400)))
		Expect(b.written()).To(BeEmpty())
	},
		Entry("by its length", head+"Content-Length: 20\r\n\r\ncut"),
		Entry("within a chunk", head+"Transfer-Encoding: chunked\r\n\r\n5\r\ncut"),
		Entry("before the last chunk", head+"Transfer-Encoding: chunked\r\n\r\n3\r\ncut\r\n"),
	)

	It("a header that comes slowly ends its connection", func(ctx SpecContext) {
		_, url := serve(gateway.Config{Producer: &brokers{}}, soon)
		connection, reader := connect(ctx, url)
		_, err := io.WriteString(connection, head)
		Expect(err).NotTo(HaveOccurred())
		_, err = io.ReadAll(reader)
		Expect(err).NotTo(HaveOccurred())
	})

	It("a stream outlives the time of a request, and ends when it is silent", func(ctx SpecContext) {
		_, url := serve(gateway.Config{Producer: &brokers{}, StreamIdle: 400 * time.Millisecond}, soon)
		connection, reader := connect(ctx, url)
		_, err := io.WriteString(connection, head+"Transfer-Encoding: chunked\r\nContent-Type: "+typeLines+"\r\n\r\n")
		Expect(err).NotTo(HaveOccurred())
		line := "{\"value\":\"a\"}\n"
		say := func(text string) {
			_, err := fmt.Fprintf(connection, "%x\r\n%s\r\n", len(text), text)
			Expect(err).NotTo(HaveOccurred())
		}
		say(line)
		response, err := http.ReadResponse(reader, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(response.StatusCode).To(Equal(207))
		results := bufio.NewReader(response.Body)
		hear := func() object {
			text, err := results.ReadString('\n')
			Expect(err).NotTo(HaveOccurred())
			return decode(text)
		}
		Expect(hear()).To(HaveKeyWithValue("status", 201.0))
		for range 3 {
			Consistently(func() int { return results.Buffered() }, 150*time.Millisecond).Should(BeZero())
			say(line)
			Expect(hear()).To(HaveKeyWithValue("status", 201.0))
		}
		say("{") // bytes that make no message are no progress
		Expect(hear()).To(And(HaveKeyWithValue("status", 408.0), HaveKeyWithValue("outcome", "refused")))
		_, err = results.ReadString('\n')
		Expect(err).To(MatchError(io.EOF))
	})

	It("a claim of length costs no memory", func(ctx SpecContext) {
		b := &brokers{}
		// 100 claims of 1 MiB would not fit, if they were taken for what they say.
		_, url := serve(gateway.Config{Producer: b, MaxHeldBytes: 2 << 20})
		for range 100 {
			connection, _ := connect(ctx, url)
			_, err := io.WriteString(connection, head+"Content-Length: 1048576\r\n\r\nx")
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(post(ctx, url, "/", strings.Repeat("x", 10_000)).status).To(Equal(201))
	})

	It("is HTTP/2 as well", func(ctx SpecContext) {
		_, url := serve(gateway.Config{Producer: &brokers{}}, func(server *http.Server) {
			server.Protocols = new(http.Protocols)
			server.Protocols.SetUnencryptedHTTP2(true)
		})
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		defer transport.CloseIdleConnections()
		reader, writer := io.Pipe()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, reader)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set(contentType, typeFrames)
		go func() { _, _ = io.WriteString(writer, frames("a")) }()
		response, err := transport.RoundTrip(request)
		Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		Expect(response.ProtoMajor).To(Equal(2))
		results := bufio.NewReader(response.Body)
		for range 3 {
			line, err := results.ReadString('\n')
			Expect(err).NotTo(HaveOccurred())
			Expect(line).To(HavePrefix("{\"status\":201"))
			_, err = io.WriteString(writer, frames("b"))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(writer.Close()).To(Succeed())
		rest, err := io.ReadAll(results)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(rest)).To(HavePrefix("{\"status\":201"))
	})
})
