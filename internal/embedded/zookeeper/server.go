// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	// rebindInterval and rebindTimeout bound how long Restart waits for its port, which another process may
	// have been given for an outgoing connection meanwhile.
	rebindInterval = 20 * time.Millisecond
	rebindTimeout  = 5 * time.Second
	// acceptPause keeps a listener out of descriptors from spinning.
	acceptPause = 10 * time.Millisecond
)

// ErrClosed is what a closed server returns.
var ErrClosed = errors.New("zookeeper: server is closed")

// Server is a running server. Its methods are safe for concurrent use.
type Server struct {
	cfg    Config
	log    *slog.Logger
	faults Faults
	addr   string
	born   time.Time

	life     sync.Mutex // serializes Stop, Restart and Close; guards what follows
	listener net.Listener
	serving  sync.WaitGroup // the accept loop and the connections
	closed   bool
	stopTick chan struct{}
	ticking  sync.WaitGroup // the expiry loop

	mu       sync.Mutex // guards what follows
	tree     *tree
	watches  *watches[*conn]
	sessions *sessions
	conns    map[*conn]struct{}
	zxid     int64
	counts   map[Op]uint64
	down     bool          // between Stop and Restart
	frozen   chan struct{} // closed by Thaw; nil where the server is not frozen
}

// Start runs a new server with an empty tree. ctx bounds the opening of the listener alone; Close ends the
// server.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	now := cfg.Clock.Now()
	s := &Server{
		cfg: cfg, log: cfg.Logger, born: now, stopTick: make(chan struct{}),
		tree: newTree(), watches: newWatches[*conn](), sessions: newSessions(cfg.TickTime, now),
		conns: map[*conn]struct{}{}, counts: map[Op]uint64{},
	}
	s.faults.server = s
	l, err := cfg.Listen(ctx, cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("zookeeper: listen on %s: %w", cfg.Addr, err)
	}
	s.addr = l.Addr().String()
	s.serveOn(l)
	s.ticking.Go(s.expireLoop)
	return s, nil
}

// Addr is the address clients connect to, host:port. It stays the same over Restart.
func (s *Server) Addr() string { return s.addr }

// Faults is where the server is made to misbehave.
func (s *Server) Faults() *Faults { return &s.faults }

// Stop closes the listener and all connections, as the death of the process does, and waits for their
// goroutines. The tree and the sessions stay; while the server is down no session expires. It is safe to
// call again.
func (s *Server) Stop() error {
	s.life.Lock()
	defer s.life.Unlock()
	return s.stop()
}

func (s *Server) stop() error {
	if s.listener == nil {
		return nil
	}
	err := s.listener.Close()
	s.listener = nil
	s.mu.Lock()
	s.down = true
	for c := range s.conns {
		c.kill()
	}
	s.mu.Unlock()
	s.serving.Wait()
	if err != nil {
		return fmt.Errorf("zookeeper: close the listener: %w", err)
	}
	return nil
}

// Restart stops the server where it runs and serves again on the same address. Every session begins its
// timeout anew, as after a restart of the real server, and a frozen server is thawed.
func (s *Server) Restart(ctx context.Context) error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.stop(); err != nil {
		return err
	}
	l, err := s.rebind(ctx)
	if err != nil {
		return fmt.Errorf("zookeeper: listen again on %s: %w", s.addr, err)
	}
	s.mu.Lock()
	age := s.age()
	for _, x := range s.sessions.byID {
		s.sessions.touch(x, age, x.timeout)
	}
	s.down = false
	if s.frozen != nil { // the process that was frozen is no more
		close(s.frozen)
		s.frozen = nil
	}
	s.mu.Unlock()
	s.serveOn(l)
	return nil
}

func (s *Server) rebind(ctx context.Context) (net.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, rebindTimeout)
	defer cancel()
	for {
		l, err := s.cfg.Listen(ctx, s.addr)
		if err == nil {
			return l, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(rebindInterval):
		}
	}
}

// Close ends the server and waits for all its goroutines. It is safe to call again.
func (s *Server) Close() error {
	s.life.Lock()
	defer s.life.Unlock()
	err := s.stop()
	if !s.closed {
		s.closed = true
		close(s.stopTick)
		s.ticking.Wait()
	}
	return err
}

func (s *Server) serveOn(l net.Listener) {
	s.listener = l
	s.serving.Go(func() { s.accept(l) })
}

func (s *Server) accept(l net.Listener) {
	for {
		nc, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.log.Warn("Accepting failed", "err", err)
			<-time.After(acceptPause)
		case s.faults.refuse.Load():
			reset(nc)
		default:
			s.admit(nc)
		}
	}
}

// admit starts a connection unless there are too many, or the server has been stopped meanwhile.
func (s *Server) admit(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || len(s.conns) >= s.cfg.MaxConnections {
		s.log.Warn("Refusing a connection", "client", nc.RemoteAddr(), "open", len(s.conns), "down", s.down)
		reset(nc)
		return
	}
	c := newConn(s, nc)
	s.conns[c] = struct{}{}
	s.serving.Go(c.run)
}

// reset closes so that the client sees a reset, not an orderly end.
func reset(nc net.Conn) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = nc.Close()
}

// detach takes a connection out of the tables. Its session lives on.
func (s *Server) detach(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unlink(c)
	delete(s.conns, c)
}

// unlink makes a connection that is about to end deaf: no session, no watches.
func (s *Server) unlink(c *conn) {
	s.watches.remove(c)
	if c.session != nil && c.session.conn == c {
		c.session.conn = nil
	}
	c.session = nil
}

// cut ends a connection at once: nothing more is executed for it or queued to it.
func (s *Server) cut(c *conn) {
	s.unlink(c)
	c.kill()
}

// age is the time the sessions live by.
func (s *Server) age() time.Duration { return s.cfg.Clock.Now().Sub(s.born) }

func (s *Server) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen == nil {
		s.frozen = make(chan struct{})
	}
}

func (s *Server) thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen == nil {
		return
	}
	close(s.frozen)
	s.frozen = nil
	s.expireDue()
}

// lockFor takes the mutex for a request of c once the server is not frozen. It returns false, without the
// mutex, where the connection ends first.
func (s *Server) lockFor(c *conn) bool {
	for {
		s.mu.Lock()
		frozen := s.frozen
		if frozen == nil && !c.killed() {
			return true
		}
		s.mu.Unlock()
		select {
		case <-frozen:
		case <-c.done:
			return false
		}
	}
}
