// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"fmt"
	"io"
	"strings"
)

// greet reads what a connection begins with: a request to open a session, or one of the commands of four
// letters. It returns whether requests follow.
func (c *conn) greet() (bool, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return false, fmt.Errorf("handshake: %w", err)
	}
	switch string(head[:]) {
	case "ruok":
		return false, c.server.command(c, func() string { return "imok" })
	case "srvr":
		return false, c.server.command(c, c.server.describe)
	}
	body, err := c.readBody(head)
	if err != nil {
		return false, err
	}
	q, err := decodeConnect(body)
	if err != nil {
		c.server.log.Warn("Refusing a handshake", "client", c.nc.RemoteAddr(), "err", err)
		return false, err
	}
	return c.server.connect(c, q)
}

// connectRequest is what a client says first.
type connectRequest struct {
	seen     int64 // the last transaction it knows
	timeout  int32 // ms
	session  int64 // 0 for a new one
	password []byte
	// Clients since 3.4 add whether a read-only server would do, and expect to be told.
	readOnlyKnown bool
}

func decodeConnect(body []byte) (connectRequest, error) {
	r := &reader{buf: body}
	r.int32("protocol version")
	q := connectRequest{seen: r.int64("last zxid seen"), timeout: r.int32("timeout"), session: r.int64("session")}
	q.password = r.buffer("password")
	if r.err != nil {
		return q, fmt.Errorf("connect request: %w", r.err)
	}
	q.readOnlyKnown = r.left() > 0
	return q, nil
}

// connect opens a session or gives one that lives to its new connection. A session that is gone, or named
// with a wrong password, is answered with zeros, and the connection ends.
func (s *Server) connect(c *conn, q connectRequest) (bool, error) {
	if !s.lockFor(c) {
		return false, nil
	}
	defer s.mu.Unlock()
	if q.seen > s.zxid {
		return false, fmt.Errorf("client has seen transaction %#x, the last here is %#x", q.seen, s.zxid)
	}
	c.timeout = s.cfg.clampTimeout(q.timeout)
	x := s.attach(c, q)
	if x != nil {
		c.session, x.conn = x, c
		s.sessions.touch(x, s.age(), c.timeout)
		s.log.Debug("Session has a connection", "session", x.id, "client", c.nc.RemoteAddr(), "timeout", c.timeout)
	}
	c.send(answer{frame: encodeConnect(c, x, q.readOnlyKnown), last: x == nil})
	return x != nil, nil
}

func (s *Server) attach(c *conn, q connectRequest) *session {
	if q.session == 0 {
		s.zxid++ // a session opens in a transaction of its own
		return s.sessions.open(s.age(), c.timeout)
	}
	// The real server closes the old connection before it looks at the password.
	if old := s.sessions.byID[q.session]; old != nil && old.conn != nil {
		s.cut(old.conn)
	}
	x, ok := s.sessions.find(q.session, q.password)
	if !ok {
		s.log.Debug("Session is refused", "session", q.session, "client", c.nc.RemoteAddr())
		return nil
	}
	return x
}

func encodeConnect(c *conn, x *session, readOnly bool) []byte {
	if x == nil {
		x = &session{}
	}
	timeout := int32(0)
	if x.id != 0 {
		timeout = int32(c.timeout.Milliseconds())
	}
	b := appendInt32(nil, 0) // length, below
	b = appendInt32(b, 0)    // protocol version
	b = appendInt32(b, timeout)
	b = appendInt64(b, x.id)
	b = appendBuffer(b, x.password[:])
	if readOnly {
		b = appendBool(b, false)
	}
	_ = appendInt32(b[:0], int32(len(b)-4))
	return b
}

// command answers a command of four letters, after which the connection ends.
func (s *Server) command(c *conn, text func() string) error {
	if !s.lockFor(c) {
		return nil
	}
	defer s.mu.Unlock()
	c.send(answer{frame: []byte(text()), last: true})
	return nil
}

// describe answers srvr with the lines that monitoring tools look for.
func (s *Server) describe() string {
	var b strings.Builder
	requests := uint64(0)
	for _, n := range s.counts {
		requests += n
	}
	b.WriteString("Zookeeper version: 3.8.0-samsa-embedded, built on 01/01/2026 00:00 UTC\n")
	b.WriteString("Latency min/avg/max: 0/0.0/0\n")
	fmt.Fprintf(&b, "Received: %d\nSent: %d\nConnections: %d\nOutstanding: 0\n", requests, requests, len(s.conns))
	fmt.Fprintf(&b, "Zxid: %#x\nMode: standalone\nNode count: %d\n", s.zxid, s.tree.size())
	return b.String()
}
