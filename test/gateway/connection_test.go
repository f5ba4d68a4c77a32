// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// connection is one to write to what no client of HTTP would.
type connection struct {
	net.Conn
	*bufio.Reader
}

func connect(ctx context.Context, p *process) *connection {
	GinkgoHelper()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = conn.Close() }) // some are closed before
	Expect(conn.SetDeadline(time.Now().Add(time.Minute))).To(Succeed())
	return &connection{conn, bufio.NewReader(conn)}
}

func (c *connection) write(text string) {
	GinkgoHelper()
	_, err := io.WriteString(c.Conn, text)
	Expect(err).NotTo(HaveOccurred())
}

// half says that nothing more is to come; answers still may.
func (c *connection) half() {
	GinkgoHelper()
	Expect(c.Conn.(*net.TCPConn).CloseWrite()).To(Succeed()) //nolint:forcetypeassert // of a dialer for it
}

func (c *connection) line() string {
	GinkgoHelper()
	line, err := c.ReadString('\n')
	Expect(err).NotTo(HaveOccurred())
	return line
}

// answer reads one, to its end.
func (c *connection) answer() *answer {
	GinkgoHelper()
	response, err := http.ReadResponse(c.Reader, nil)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return &answer{response.StatusCode, response.Header, body, response.Close}
}

// head is the text of a request up to its body, without the empty line.
func (r *request) head(framing string) string {
	text := r.method + " " + r.path + " HTTP/1.1\r\nHost: x\r\n"
	for name, values := range r.header {
		for _, value := range values {
			text += name + ": " + value + "\r\n"
		}
	}
	return text + framing + "\r\n"
}

// claimed says how long the body is.
func (r *request) claimed() string { return fmt.Sprintf("Content-Length: %d", len(r.body)) }
