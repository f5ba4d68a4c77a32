// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"net"
	"sync"
	"time"
)

// listenFor bounds how long a write that failed waits for whoever reads: what the other side said is here by then, and
// is read in milliseconds. In a handshake nobody reads while something is written.
const listenFor = time.Second

// listening is a connection on which a write that fails keeps that to itself until nothing more can be read. net/http
// closes a connection that cannot be written to, and with it goes what the other side said before it hung up: why.
type listening struct {
	net.Conn

	once  sync.Once
	ended chan struct{}
}

func dialListening(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &listening{Conn: conn, ended: make(chan struct{})}, nil
}

func (l *listening) end() { l.once.Do(func() { close(l.ended) }) }

// Read implements net.Conn.
func (l *listening) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if err != nil {
		l.end()
	}
	return n, err
}

// Write implements net.Conn. While a request is underway net/http reads at the same time, or closes.
func (l *listening) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	if err != nil {
		select {
		case <-l.ended:
		case <-time.After(listenFor):
		}
	}
	return n, err
}

// Close implements net.Conn.
func (l *listening) Close() error {
	l.end()
	return l.Conn.Close()
}
