// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"bufio"
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
	// in is what was read and not served yet; body the request being served, in memory that is used again.
	in   *bufio.Reader
	body bytes.Buffer
}

// readAhead holds some hundred small requests, or a batch of 200 messages of 100 bytes with the question behind it.
const readAhead = 32 << 10

// keptBody is the largest request whose memory is kept for the next: a usual batch, and not the largest one there was.
const keptBody = 1 << 20

// serve ends when the client does, at the first request that is refused, or with the broker's life.
func (c *connection) serve() {
	defer c.finish()
	c.in = bufio.NewReaderSize(c.faults.reader(c), readAhead)
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

// request reads one request, which is valid until the next. Memory is taken as its bytes come, not as they are
// announced.
func (c *connection) request() ([]byte, error) {
	var head [protocol.SizeBytes]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return nil, err
	}
	size, err := protocol.FrameSize(head[:], c.life.broker.config.MaxRequestSize)
	if err != nil {
		return nil, err
	}
	if c.body.Cap() > keptBody {
		c.body = bytes.Buffer{}
	}
	c.body.Reset()
	if _, err := io.CopyN(&c.body, c.in, int64(size)); err != nil {
		return nil, err
	}
	return c.body.Bytes(), nil
}

func (c *connection) execute(body []byte) error {
	if !c.faults.pass(c.life) {
		return net.ErrClosed
	}
	result, err := c.life.broker.handle(body)
	if err != nil {
		return err
	}
	if len(result.pieces) > 0 {
		if !c.faults.holdBack(c.life) {
			return net.ErrClosed
		}
		if err := c.write(result.pieces); err != nil {
			return err
		}
	}
	return result.cut
}

// write sends the pieces of an answer.
func (c *connection) write(pieces [][]byte) error {
	out := c.faults.writer(c)
	for _, piece := range pieces {
		if _, err := out.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// finish ends the output before it closes, so that the client sees an end rather than an error even if more of its
// requests are on their way.
func (c *connection) finish() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = c.Close()
}
