// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"io"
	"net"
	"sync"
	"time"
)

// Faults makes a broker misbehave. Its methods are safe for concurrent use, and what they set outlives a restart.
type Faults struct {
	broker *Broker

	// mu guards what follows.
	mu      sync.Mutex
	refuse  bool
	late    time.Duration
	stalled chan struct{} // not nil while stalled; closed by Resume
	armed   [2]*breakage  // by direction
}

// Direction is one of the two ways of bytes.
type Direction int

// From the broker's point of view.
const (
	// In is what clients send.
	In Direction = iota
	// Out is what the broker answers.
	Out
)

// breakage waits for a number of bytes.
type breakage struct {
	left  int
	fatal bool
	done  chan struct{}
}

// Refuse resets new connections as soon as they are made. Those that are open stay.
func (f *Faults) Refuse(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = on
}

// AnswerLate sends each answer d late by the broker's clock; the request is executed at once. 0 ends it.
func (f *Faults) AnswerLate(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.late = d
}

// Stall stops the broker as SIGSTOP does, as far as clients see: connections are accepted and requests taken, nothing
// is executed or answered. Its ZooKeeper session lives on.
func (f *Faults) Stall() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stalled == nil {
		f.stalled = make(chan struct{})
	}
}

// Resume ends Stall; what was taken meanwhile is executed.
func (f *Faults) Resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stalled != nil {
		close(f.stalled)
		f.stalled = nil
	}
}

// CutAfter resets the connection on which the n-th byte from now passes, right behind that byte; with 0 at the next
// one that is wanted. The channel is closed when it has happened. It replaces what was armed for this direction
// before.
func (f *Faults) CutAfter(direction Direction, n int) <-chan struct{} {
	return f.arm(direction, n, false)
}

// DieAfter is CutAfter, but kills the whole broker: see Broker.Kill.
func (f *Faults) DieAfter(direction Direction, n int) <-chan struct{} {
	return f.arm(direction, n, true)
}

func (f *Faults) arm(direction Direction, n int, fatal bool) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := &breakage{left: max(n, 0), fatal: fatal, done: make(chan struct{})}
	f.armed[direction] = b
	return b.done
}

// Clear ends all faults. A broker that died stays dead.
func (f *Faults) Clear() {
	f.Resume()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse, f.late, f.armed = false, 0, [2]*breakage{}
}

func (f *Faults) refuses() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refuse
}

// pass waits while the broker is stalled, and reports whether it still lives.
func (f *Faults) pass(l *life) bool {
	f.mu.Lock()
	stalled := f.stalled
	f.mu.Unlock()
	if stalled == nil {
		return true
	}
	select {
	case <-stalled:
		return true
	case <-l.over:
		return false
	}
}

// holdBack waits until the answer may leave, and reports whether the broker still lives.
func (f *Faults) holdBack(l *life) bool {
	f.mu.Lock()
	late := f.late
	f.mu.Unlock()
	if late <= 0 {
		return true
	}
	clock := l.broker.config.Clock
	reached, stop := clock.At(clock.Now().Add(late))
	defer stop()
	select {
	case <-reached:
		return true
	case <-l.over:
		return false
	}
}

// admit says how many of n bytes may pass, and what breaks behind them; nil if nothing does.
func (f *Faults) admit(direction Direction, n int) (int, *breakage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.armed[direction]
	if b == nil {
		return n, nil
	}
	if n < b.left {
		b.left -= n
		return n, nil
	}
	f.armed[direction] = nil
	return b.left, b
}

// strike breaks a connection, or everything.
func (b *breakage) strike(c *connection) error {
	if b.fatal {
		c.life.die()
	} else {
		reset(c.Conn)
	}
	close(b.done)
	return net.ErrClosed
}

// reader and writer are the connection's, with bytes counted.
func (f *Faults) reader(c *connection) io.Reader { return faultyReader{f, c} }

func (f *Faults) writer(c *connection) io.Writer { return faultyWriter{f, c} }

type faultyReader struct {
	faults *Faults
	conn   *connection
}

// Read implements io.Reader.
func (r faultyReader) Read(into []byte) (int, error) {
	n, err := r.conn.Read(into)
	passed, breakage := r.faults.admit(In, n)
	if breakage != nil {
		return passed, breakage.strike(r.conn)
	}
	return n, err
}

type faultyWriter struct {
	faults *Faults
	conn   *connection
}

// Write implements io.Writer.
func (w faultyWriter) Write(from []byte) (int, error) {
	passed, breakage := w.faults.admit(Out, len(from))
	n, err := w.conn.Write(from[:passed])
	if breakage != nil {
		return n, breakage.strike(w.conn)
	}
	return n, err
}
