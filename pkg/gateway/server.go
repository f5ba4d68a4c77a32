// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"net/http"
	"time"
)

// What a connection may cost. A body of 1 MiB in ReadTimeout is 35 kB/s, which the slowest link between pods has many
// times over.
const (
	// headerTimeout is for the first line and the headers, which come in one piece.
	headerTimeout = 10 * time.Second
	// ReadTimeout is for headers and body together, except of streams, whose deadline moves with their messages. A server
	// may be set to less, not to more, since the deadline of writing counts on it.
	ReadTimeout = 30 * time.Second
	// idleTimeout is for the time between requests: above the 90 s after which clients of Go give an idle connection up
	// (60 s, others'), so that it is they who do, and no request meets a connection that ends.
	idleTimeout = 2 * time.Minute
	// serverRequestTimeout is how long messages may take without the handler asking for more.
	serverRequestTimeout = time.Minute
	// writeSlack is for the answer: 1 MiB for a batch of 10,000, in 30 s.
	writeSlack = 30 * time.Second
	// maxRequestHeader bounds line and headers of a request: 32 KiB for a message's (format.MaxHeaderBytes), up to 48 if
	// half of them are percent-encoded, 4 for a token, the rest for what proxies add. net/http allows 4 KiB more. Above it
	// answers 431.
	maxRequestHeader = 64 << 10
	// maxStreams is how many requests one connection of HTTP/2 may have underway; what clients of Go assume.
	maxStreams = 100
	// maxUpload is what may come on one connection of HTTP/2 before the handler has read it, of all its requests together:
	// a body of the default limit.
	maxUpload = 1 << 20
)

// NewServer gives a server with the limits that a Handler counts on. What remains to be set is TLSConfig, and ErrorLog.
//
//	a header that comes slowly   closed after 10 s
//	a body that comes slowly     408 after 30 s; in a stream after 60 s without a message
//	an answer that nobody reads  closed after 30 s + 60 s + 30 s: reading, producing, writing
//	a connection without request closed after 2 min
//
// A connection that idles costs some 20 KiB: two buffers of 4 KiB, a stack of 8, and the connection's own; so 10,000
// cost 200 MB. See BenchmarkIdleConnection.
func NewServer(addr string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      ReadTimeout + serverRequestTimeout + writeSlack,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxRequestHeader,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerConnection: maxUpload,
			MaxReceiveBufferPerStream:     maxUpload,
		},
	}
}
