// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// dialer makes connections and knows those that are open. A Transport lets go of a connection that is still being
// made when nobody waits for it any more; so closing the sink needs an owner of all of them.
type dialer struct {
	dialContext func(ctx context.Context, network, address string) (net.Conn, error)
	timeout     time.Duration
	dials       sync.WaitGroup

	// mu protects open and closed, and orders dials.Add before close's Wait.
	mu     sync.Mutex
	open   map[*conn]struct{}
	closed chan struct{}
}

func newDialer(dialContext func(context.Context, string, string) (net.Conn, error), timeout time.Duration) *dialer {
	if dialContext == nil {
		dialContext = (&net.Dialer{}).DialContext
	}
	return &dialer{
		dialContext: dialContext, timeout: timeout,
		open: make(map[*conn]struct{}), closed: make(chan struct{}),
	}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if !d.enter() {
		return nil, net.ErrClosed
	}
	defer d.dials.Done()
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	dialed := make(chan struct{})
	defer close(dialed)
	d.dials.Go(func() {
		select {
		case <-d.closed:
			cancel()
		case <-dialed:
		}
	})
	inner, err := d.dialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return d.keep(inner)
}

func (d *dialer) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isClosed() {
		return false
	}
	d.dials.Add(1)
	return true
}

func (d *dialer) isClosed() bool {
	select {
	case <-d.closed:
		return true
	default:
		return false
	}
}

func (d *dialer) keep(inner net.Conn) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isClosed() {
		inner.Close()
		return nil, net.ErrClosed
	}
	c := &conn{Conn: inner, dialer: d}
	d.open[c] = struct{}{}
	return c, nil
}

// close ends all connections, those being made included, and waits for the latter. It may be called again.
func (d *dialer) close() {
	d.mu.Lock()
	if !d.isClosed() {
		close(d.closed)
	}
	open := slices.Collect(maps.Keys(d.open))
	d.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // It is given up whatever it says.
	}
	d.dials.Wait()
}

// conn is a connection that its dialer forgets once it is closed.
type conn struct {
	net.Conn
	dialer *dialer
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.open, c)
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}
