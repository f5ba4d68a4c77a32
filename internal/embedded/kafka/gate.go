// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package embedkafka

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// Closing a port and listening on it again may race with the kernel for a moment.
	rebindTimeout  = 5 * time.Second
	rebindInterval = 20 * time.Millisecond
)

// gate is the listener that kfake sees of a broker. Behind it the real one can be closed and opened again, which
// kfake's brokers cannot; connections can be made to hang.
type gate struct {
	addr     string
	accepted chan net.Conn
	closed   chan struct{}
	serving  sync.WaitGroup

	// mu guards what follows.
	mu       sync.Mutex
	listener net.Listener // nil while the broker is stopped
	conns    map[*gatedConn]struct{}
	frozen   chan struct{} // not nil while frozen; closed by thaw
	done     bool
}

func newGate(ctx context.Context) (*gate, error) {
	g := &gate{
		accepted: make(chan net.Conn),
		closed:   make(chan struct{}),
		conns:    make(map[*gatedConn]struct{}),
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("embedded kafka: listen: %w", err)
	}
	g.addr = listener.Addr().String()
	g.serve(listener)
	return g, nil
}

func (g *gate) serve(listener net.Listener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener = listener
	g.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if !g.pass(conn, listener) {
				_ = conn.Close()
			}
		}
	})
}

// pass hands a connection to kfake.
func (g *gate) pass(conn net.Conn, from net.Listener) bool {
	gated := &gatedConn{Conn: conn, gate: g, closed: make(chan struct{})}
	g.mu.Lock()
	if g.listener != from {
		g.mu.Unlock()
		return false
	}
	g.conns[gated] = struct{}{}
	g.mu.Unlock()
	select {
	case g.accepted <- gated:
		return true
	case <-gated.closed:
		return false
	case <-g.closed:
		return false
	}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case conn := <-g.accepted:
		return conn, nil
	case <-g.closed:
		return nil, errClosed
	}
}

// Addr implements net.Listener.
func (g *gate) Addr() net.Addr {
	address, _ := net.ResolveTCPAddr("tcp", g.addr)
	return address
}

// Close implements net.Listener, for good.
func (g *gate) Close() error {
	g.mu.Lock()
	done := g.done
	g.done = true
	g.mu.Unlock()
	if !done {
		close(g.closed)
	}
	g.stop()
	return nil
}

// stop closes the port and all connections, and waits until nobody accepts.
func (g *gate) stop() {
	g.mu.Lock()
	listener := g.listener
	g.listener = nil
	conns := make([]*gatedConn, 0, len(g.conns))
	for conn := range g.conns {
		conns = append(conns, conn)
	}
	g.mu.Unlock()
	if listener != nil {
		_ = listener.Close()
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	g.serving.Wait()
}

// start listens again on the old port.
func (g *gate) start(ctx context.Context) error {
	g.mu.Lock()
	running, done := g.listener != nil, g.done
	g.mu.Unlock()
	if done {
		return errClosed
	}
	if running {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, rebindTimeout)
	defer cancel()
	for {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", g.addr)
		if err == nil {
			g.serve(listener)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("listen again on %s: %w", g.addr, err)
		case <-time.After(rebindInterval):
		}
	}
}

func (g *gate) freeze() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.frozen == nil {
		g.frozen = make(chan struct{})
	}
}

func (g *gate) thaw() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.frozen != nil {
		close(g.frozen)
		g.frozen = nil
	}
}

func (g *gate) hold() chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.frozen
}

// gatedConn is a connection that hangs while its gate is frozen.
type gatedConn struct {
	net.Conn
	gate   *gate
	once   sync.Once
	closed chan struct{}
}

// Read implements net.Conn.
func (c *gatedConn) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	c.wait()
	return n, err
}

// Write implements net.Conn.
func (c *gatedConn) Write(from []byte) (int, error) {
	c.wait()
	return c.Conn.Write(from)
}

func (c *gatedConn) wait() {
	if frozen := c.gate.hold(); frozen != nil {
		select {
		case <-frozen:
		case <-c.closed:
		}
	}
}

// Close implements net.Conn.
func (c *gatedConn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		close(c.closed)
		c.gate.mu.Lock()
		delete(c.gate.conns, c)
		c.gate.mu.Unlock()
		err = c.Conn.Close()
	})
	return err
}
