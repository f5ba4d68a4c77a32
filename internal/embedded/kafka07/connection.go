// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"bytes"
	"errors"
	"io"
	"net"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// connection serves one client, one request after the other: the next is not looked at before the answer to the last
// one is on its way. So whatever is answered behind a produce says that the produce was done.
type connection struct {
	net.Conn
	life   *life
	faults *Faults
}

// serve ends when the client does, at the first request that is refused, or with the broker's life.
func (c *connection) serve() {
	defer c.finish()
	logger := c.life.broker.config.Logger
	for {
		body, err := c.request()
		if err == nil {
			err = c.execute(body)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				logger.Debug("Connection closed", "client", c.RemoteAddr().String(), "reason", err)
			}
			return
		}
	}
}

// request reads one request. Memory is taken as its bytes come, not as they are announced.
func (c *connection) request() ([]byte, error) {
	var head [protocol.SizeBytes]byte
	in := c.faults.reader(c)
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	size, err := protocol.FrameSize(head[:], c.life.broker.config.MaxRequestSize)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if _, err := io.CopyN(&body, in, int64(size)); err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}

func (c *connection) execute(body []byte) error {
	if !c.faults.pass(c.life) {
		return net.ErrClosed
	}
	result, err := c.life.broker.handle(body)
	if err != nil {
		return err
	}
	if len(result.bytes) > 0 {
		if !c.faults.holdBack(c.life) {
			return net.ErrClosed
		}
		if _, err := c.faults.writer(c).Write(result.bytes); err != nil {
			return err
		}
	}
	return result.cut
}

// finish ends the output before it closes, so that the client sees an end rather than an error even if more of its
// requests are on their way.
func (c *connection) finish() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = c.Close()
}
