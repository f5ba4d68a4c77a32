// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"context"
	"net"
	"sync"
)

// life is a broker between a start and the next end: its listener, connections, timers and registration. Every
// goroutine belongs to it, and end waits for all of them.
type life struct {
	broker    *Broker
	listener  net.Listener
	registrar *registrar // nil without ZooKeeper
	over      chan struct{}
	running   sync.WaitGroup

	// mu guards what follows.
	mu    sync.Mutex
	ended bool
	conns map[*connection]struct{}
}

// newLife registers the broker, but serves nobody yet.
func newLife(ctx context.Context, b *Broker, listener net.Listener) (*life, error) {
	l := &life{broker: b, listener: listener, over: make(chan struct{}), conns: make(map[*connection]struct{})}
	if b.config.ZooKeeper == "" {
		return l, nil
	}
	r, err := newRegistrar(ctx, b.config, listener.Addr().String(), b.logs.topics())
	if err != nil {
		return nil, err
	}
	l.registrar = r
	return l, nil
}

func (l *life) run() {
	config := l.broker.config
	l.running.Go(l.accept)
	l.running.Go(func() {
		every(config.Clock, config.FlushScheduler, l.over, func() {
			for _, log := range l.broker.logs.all() {
				log.flushOld()
			}
		})
	})
	l.running.Go(l.cleanUp)
	if l.registrar != nil {
		l.running.Go(func() { l.registrar.run(l.over) })
	}
}

// cleanUp runs the cleaner, soon after the start for the first time.
func (l *life) cleanUp() {
	config := l.broker.config
	clean := func() {
		if err := l.broker.Clean(); err != nil {
			config.Logger.Error("Segments cannot be deleted", "error", err)
		}
	}
	reached, stop := config.Clock.At(config.Clock.Now().Add(firstClean))
	select {
	case <-l.over:
		stop()
		return
	case <-reached:
	}
	clean()
	every(config.Clock, config.CleanInterval, l.over, clean)
}

func (l *life) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		if l.broker.faults.refuses() {
			reset(conn)
			continue
		}
		c := &connection{Conn: conn, life: l, faults: l.broker.faults}
		if !l.add(c) {
			reset(conn)
			return
		}
		l.running.Go(func() {
			c.serve()
			l.remove(c)
		})
	}
}

func (l *life) add(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

func (l *life) remove(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

func (l *life) dead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// die breaks everything off, as the death of the process does. It does not wait, so that a connection may call it.
func (l *life) die() { l.breakOff(reset) }

// breakOff closes the port and the connections, each in the given way.
func (l *life) breakOff(conn func(net.Conn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	l.ended = true
	close(l.over)
	_ = l.listener.Close()
	for c := range l.conns {
		conn(c.Conn)
	}
	if l.registrar != nil {
		l.registrar.abandon()
	}
}

// end waits for everything to be over. Unless it was clean the registration is left to expire.
func (l *life) end(clean bool) {
	if clean && !l.dead() && l.registrar != nil {
		l.registrar.close()
	}
	l.breakOff(func(conn net.Conn) { _ = conn.Close() })
	if l.registrar != nil {
		l.registrar.close()
	}
	l.running.Wait()
}

// reset closes a connection so that the peer gets an error rather than an end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
