// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// maxBacklog is ZooKeeper's globalOutstandingLimit: so many answers may wait for a client that does not
	// read before the server stops reading from it.
	maxBacklog = 1000
	// greetTimeout is ZooKeeper's time for a connection to open a session.
	greetTimeout = 10 * time.Second
	// linger is how long the client may take to read the last answer before the connection is torn down.
	// Some hundred times a round trip on the loopback.
	linger = 250 * time.Millisecond
	// keepBuffer is the largest buffer a connection keeps between two requests.
	keepBuffer = 64 << 10
)

// answer is a frame in the queue of a connection.
type answer struct {
	frame []byte
	late  []<-chan struct{} // must be closed before it leaves
	stop  []func()
	last  bool // the connection ends behind it
}

func (a answer) stopTimers() {
	for _, stop := range a.stop {
		stop()
	}
}

// conn is one client connection. One goroutine reads and executes, another writes; run owns both.
type conn struct {
	server *Server
	nc     net.Conn
	in     *bufio.Reader
	frame  bytes.Buffer

	// Guarded by the mutex of the server.
	who     []identity
	session *session
	timeout time.Duration

	done    chan struct{} // closed by kill
	once    sync.Once
	flushed chan struct{} // closed when the last answer has been written
	wake    chan struct{} // holds a token when there may be something to write
	drained chan struct{} // holds a token when the backlog may have become shorter

	mu      sync.Mutex // guards what follows
	answers []answer
	pongs   []byte // answers to pings, which overtake what is late
}

func newConn(s *Server, nc net.Conn) *conn {
	host, _, err := net.SplitHostPort(nc.RemoteAddr().String())
	if err != nil {
		host = nc.RemoteAddr().String()
	}
	return &conn{
		server: s, nc: nc, in: bufio.NewReader(nc),
		who:  []identity{{schemeIP, host}},
		done: make(chan struct{}), flushed: make(chan struct{}),
		wake: make(chan struct{}, 1), drained: make(chan struct{}, 1),
	}
}

// run serves the connection until it ends and leaves nothing behind.
func (c *conn) run() {
	var writer sync.WaitGroup
	writer.Go(c.write)
	if err := c.serve(); err != nil && !c.killed() {
		c.server.log.Debug("Connection ended", "client", c.nc.RemoteAddr(), "err", err)
	}
	c.server.detach(c)
	c.kill()
	writer.Wait()
	_ = c.nc.Close() // both directions have ended already
}

// kill ends the connection without waiting, from any goroutine. It does not close the socket, which may
// block under TLS; a deadline in the past frees both goroutines and run closes it.
func (c *conn) kill() {
	c.once.Do(func() {
		close(c.done)
		_ = c.nc.SetDeadline(time.Unix(1, 0))
	})
}

func (c *conn) serve() error {
	if err := c.readBy(time.Now().Add(greetTimeout)); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	goOn, err := c.greet()
	if err == nil && goOn {
		err = c.readBy(time.Time{})
	}
	for err == nil && goOn {
		var body []byte
		if body, err = c.readFrame(); err == nil {
			goOn, err = c.server.handle(c, body)
		}
		c.awaitBacklog()
	}
	if err != nil {
		return err
	}
	c.part()
	return nil
}

// readBy sets the deadline for reading, unless the connection has been killed: its deadline in the past, set
// just before, would be lost, and with it the end of the connection.
func (c *conn) readBy(t time.Time) error {
	if err := c.nc.SetReadDeadline(t); err != nil {
		return err
	}
	if c.killed() {
		return net.ErrClosed
	}
	return nil
}

// part lets the client read the last answer: bytes it sent meanwhile would otherwise turn the end of the
// connection into a reset, which may overtake the answer.
func (c *conn) part() {
	select {
	case <-c.flushed:
	case <-c.done:
		return
	}
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if c.readBy(time.Now().Add(linger)) == nil {
		_, _ = io.Copy(io.Discard, c.in) // ends with the deadline at the latest
	}
}

func (c *conn) killed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// readFrame returns the next frame; it is valid until the next call. Memory is taken as the bytes arrive.
func (c *conn) readFrame() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return c.readBody(head)
}

func (c *conn) readBody(head [4]byte) ([]byte, error) {
	n := int(int32(binary.BigEndian.Uint32(head[:])))
	if n < 0 || n > c.server.cfg.MaxFrame {
		c.server.log.Warn("Refusing a frame", "client", c.nc.RemoteAddr(), "bytes", n, "max", c.server.cfg.MaxFrame)
		return nil, fmt.Errorf("frame of %d bytes, at most %d are taken", n, c.server.cfg.MaxFrame)
	}
	if c.frame.Cap() > keepBuffer {
		c.frame = bytes.Buffer{}
	}
	c.frame.Reset()
	if _, err := io.CopyN(&c.frame, c.in, int64(n)); err != nil {
		return nil, fmt.Errorf("frame of %d bytes: %w", n, err)
	}
	return c.frame.Bytes(), nil
}

// send queues an answer or an event. It never blocks, so it may be called under the mutex of the server.
func (c *conn) send(a answer) {
	c.mu.Lock()
	c.answers = append(c.answers, a)
	c.mu.Unlock()
	signal(c.wake)
}

func (c *conn) sendPong(frame []byte) {
	c.mu.Lock()
	c.pongs = append(c.pongs, frame...)
	c.mu.Unlock()
	signal(c.wake)
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default: // a token is there already
	}
}

func (c *conn) awaitBacklog() {
	for {
		c.mu.Lock()
		n := len(c.answers)
		c.mu.Unlock()
		if n < maxBacklog {
			return
		}
		select {
		case <-c.drained:
		case <-c.done:
			return
		}
	}
}

// write sends what is queued, in order, until the last answer or the end of the connection.
func (c *conn) write() {
	defer c.dropQueue()
	for {
		out, last, late := c.next()
		if len(out) > 0 {
			if _, err := c.nc.Write(out); err != nil {
				c.kill()
				return
			}
			signal(c.drained)
		}
		if last {
			close(c.flushed)
			return
		}
		if len(out) > 0 {
			continue
		}
		select {
		case <-c.wake:
		case <-late: // nil, so never ready, where nothing is late
		case <-c.done:
			return
		}
	}
}

// next takes all that may leave now. Where it takes nothing, late is what the head of the queue waits for.
func (c *conn) next() (out []byte, last bool, late <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, c.pongs = c.pongs, nil
	for len(c.answers) > 0 {
		head := &c.answers[0]
		for len(head.late) > 0 && isClosed(head.late[0]) {
			head.late = head.late[1:]
		}
		if len(head.late) > 0 {
			return out, false, head.late[0]
		}
		out = append(out, head.frame...)
		last = head.last
		c.answers = c.answers[1:]
		if last {
			break
		}
	}
	return out, last, nil
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// dropQueue releases the timers of answers that will never leave.
func (c *conn) dropQueue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.answers {
		a.stopTimers()
	}
	c.answers = nil
}
