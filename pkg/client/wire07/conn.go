// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// readAhead holds the small answers of a pipeline (OFFSETS: 18 bytes each) and the heads of large ones, so that they
// take one system call together; larger reads go past it.
const readAhead = 4 << 10

// connection is one connection to a broker. One goroutine may write while another reads: brokers answer in the order of
// the requests, so any number may be underway.
//
// After an error nobody knows where in the stream of bytes it stands: it must be closed.
type connection struct {
	ctx    context.Context //nolint:containedctx // the connection's life: its end closes the socket
	socket net.Conn
	in     *bufio.Reader
	// peer names the broker in errors.
	peer string
	// patience is how long it may take until an answer begins; until answerBy the whole of it must be here.
	patience time.Duration
	answerBy time.Time
	// release undoes the closing at the end of ctx.
	release func()
}

// connect dials a broker. The connection is closed with ctx, and must be closed.
func (t *Transport) connect(ctx context.Context, broker string) (*connection, error) {
	address, err := t.brokers.address(broker)
	if err != nil {
		return nil, err
	}
	return t.config.connect(ctx, broker, address)
}

func (c Config) connect(ctx context.Context, broker, address string) (*connection, error) {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn := &connection{ctx: ctx, peer: fmt.Sprintf("broker %s at %s", broker, address), patience: c.patience}
	socket, err := c.Dial(dialing, "tcp", address)
	if err != nil {
		return nil, conn.failed("connect", err, dialTimeout)
	}
	conn.socket, conn.in = socket, bufio.NewReaderSize(socket, readAhead)
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = socket.Close()
	})
	conn.release = func() {
		if !stop() {
			<-closed
		}
	}
	return conn, nil
}

// close is for one caller. A read or write underway fails.
func (c *connection) close() {
	c.release()
	_ = c.socket.Close()
}

// send writes whole frames, any number.
func (c *connection) send(frames []byte) error {
	limit := c.allowance(len(frames))
	_ = c.socket.SetWriteDeadline(time.Now().Add(limit)) // fails only where the write does
	if _, err := c.socket.Write(frames); err != nil {
		return c.failed("send a request", err, limit)
	}
	return nil
}

// receive reads the next answer, behind the size of its frame, of at most limit bytes. It is read into buffer where
// that is large enough.
func (c *connection) receive(limit int, buffer []byte) ([]byte, error) {
	size, err := c.receiveSize(limit)
	if err != nil {
		return nil, err
	}
	if cap(buffer) < size {
		buffer = make([]byte, size)
	}
	buffer = buffer[:size]
	return buffer, c.fill(buffer)
}

// receiveSize reads the size of the next answer, which must not be above limit.
func (c *connection) receiveSize(limit int) (int, error) {
	c.answerBy = time.Time{}
	head, err := c.peek(protocol.SizeBytes)
	if err != nil {
		return 0, err
	}
	size, err := protocol.FrameSize(head, limit)
	if err != nil {
		return 0, fmt.Errorf("%s: answer: %w", c.peer, err)
	}
	c.answerBy = time.Now().Add(c.allowance(size))
	return size, nil
}

const receiving = "receive an answer"

// peek reads the next n bytes of an answer, at most readAhead; they are valid until the next read.
func (c *connection) peek(n int) ([]byte, error) {
	limit := c.readWithin(n)
	head, err := c.in.Peek(n)
	if err != nil {
		return nil, c.failed(receiving, err, limit)
	}
	_, _ = c.in.Discard(n) // they are there
	return head, nil
}

// fill reads the next bytes of an answer.
func (c *connection) fill(into []byte) error {
	limit := c.readWithin(len(into))
	if _, err := io.ReadFull(c.in, into); err != nil {
		return c.failed(receiving, err, limit)
	}
	return nil
}

// readWithin says by when the next n bytes must be here: so that a broker that stalls is noticed soon even in a large
// answer, and one that sends drop by drop does not do so for ever.
func (c *connection) readWithin(n int) time.Duration {
	limit := c.allowance(n)
	if c.in.Buffered() >= n {
		return limit
	}
	by := time.Now().Add(limit)
	if !c.answerBy.IsZero() && c.answerBy.Before(by) {
		by = c.answerBy
	}
	_ = c.socket.SetReadDeadline(by) // fails only where the read does
	return limit
}

// allowance is how long n bytes may take.
func (c *connection) allowance(n int) time.Duration {
	return c.patience + allowance(n) - answerTimeout
}

// allowance is how long a broker may take to begin with, and for n bytes.
func allowance(n int) time.Duration {
	return answerTimeout + time.Duration(n)*time.Second/slowestRate
}

// failed says what went wrong, the same words each time: without our own port, which differs from one connection to the
// next.
func (c *connection) failed(doing string, err error, limit time.Duration) error {
	network, isNetwork := errors.AsType[*net.OpError](err)
	timeout, isTimeout := errors.AsType[net.Error](err)
	switch {
	case c.ctx.Err() != nil:
		err = context.Cause(c.ctx)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s closed the connection: %s: %w", c.peer, doing, io.ErrUnexpectedEOF)
	case isTimeout && timeout.Timeout():
		limit = limit.Round(10 * time.Millisecond)
		return fmt.Errorf("%s: %s: it takes longer than %s: %w", c.peer, doing, limit, os.ErrDeadlineExceeded)
	case isNetwork && network.Err != nil:
		err = network.Err
	}
	return fmt.Errorf("%s: %s: %w", c.peer, doing, err)
}
