// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Match selects requests. The zero value selects every request but pings and the handshake: a count of
// requests that included pings would depend on time.
type Match struct {
	Op Op
	// Path must hold for one of the paths a request names; for a multi, of the paths of its operations.
	// Nil holds for all.
	Path func(path string) bool
	// Session is the session the request belongs to; 0 is any.
	Session int64
}

func (m Match) selects(q request, session int64) bool {
	if m.Op == AnyOp && q.op == OpPing || m.Op != AnyOp && m.Op != q.op || m.Session != 0 && m.Session != session {
		return false
	}
	return m.Path == nil || slices.ContainsFunc(q.paths(), m.Path)
}

func (q request) paths() []string {
	switch q.op {
	case OpMulti:
		all := make([]string, 0, len(q.ops))
		for _, op := range q.ops {
			all = append(all, op.path)
		}
		return all
	case OpSetWatches:
		return slices.Concat(q.dataWatches, q.existWatches, q.childWatches)
	}
	return []string{q.path}
}

// Faults makes a server misbehave. Its methods are safe for concurrent use. A fault that waits for a request
// stays armed until it has happened or is cancelled; several may happen to one request.
type Faults struct {
	server *Server

	loseSetWatches atomic.Bool
	loseEvents     atomic.Bool
	refuse         atomic.Bool

	mu    sync.Mutex // guards armed and the state of the faults in it
	armed []*Fault
}

// faultKind says at which point of a request a fault strikes.
type faultKind int

const (
	beforeRequest faultKind = iota
	beforeAnswer
	afterAnswer
	lateAnswer
	heldAnswer
)

// Fault is one armed fault.
type Fault struct {
	faults  *Faults
	kind    faultKind
	match   Match
	left    int           // matching requests until it strikes; 1 is the next. Delays strike each time.
	delay   time.Duration // of lateAnswer
	release chan struct{} // of heldAnswer: closed by Cancel
	fired   chan struct{}
}

// Fired returns a channel that is closed once the fault has struck for the first time.
func (f *Fault) Fired() <-chan struct{} { return f.fired }

// Cancel disarms the fault and lets the answers go that it holds back. It is safe to call again.
func (f *Fault) Cancel() {
	f.faults.mu.Lock()
	defer f.faults.mu.Unlock()
	f.faults.armed = slices.DeleteFunc(f.faults.armed, func(o *Fault) bool { return o == f })
	select {
	case <-f.release:
	default:
		close(f.release)
	}
}

// DropBeforeRequest cuts the connection when the n-th request from now that matches has come, before it is
// executed. The next is n = 1.
func (f *Faults) DropBeforeRequest(n int, m Match) *Fault {
	return f.arm(&Fault{kind: beforeRequest, left: n, match: m})
}

// DropBeforeAnswer cuts the connection when the n-th request from now that matches has been executed, before
// its answer is sent: the client cannot know.
func (f *Faults) DropBeforeAnswer(n int, m Match) *Fault {
	return f.arm(&Fault{kind: beforeAnswer, left: n, match: m})
}

// DropAfterAnswer cuts the connection when the n-th answer from now that matches has been sent.
func (f *Faults) DropAfterAnswer(n int, m Match) *Fault {
	return f.arm(&Fault{kind: afterAnswer, left: n, match: m})
}

// AnswerLate sends each answer that matches d late, until it is cancelled. The request is executed at once.
// What follows on the connection waits behind the answer, except for answers to pings, which keep the
// session alive.
func (f *Faults) AnswerLate(d time.Duration, m Match) *Fault {
	return f.arm(&Fault{kind: lateAnswer, delay: d, match: m})
}

// HoldAnswers is AnswerLate until Cancel.
func (f *Faults) HoldAnswers(m Match) *Fault { return f.arm(&Fault{kind: heldAnswer, match: m}) }

// LoseSetWatches makes the server confirm setWatches and forget it.
func (f *Faults) LoseSetWatches(on bool) { f.loseSetWatches.Store(on) }

// LoseWatchEvents makes watches fire without a word to the client.
func (f *Faults) LoseWatchEvents(on bool) { f.loseEvents.Store(on) }

// RefuseConnections resets new connections as soon as they are made. Those that are open stay.
func (f *Faults) RefuseConnections(on bool) { f.refuse.Store(on) }

// Freeze stops the server as SIGSTOP does: connections are accepted and requests taken, nothing is executed
// or answered, no session expires.
func (f *Faults) Freeze() { f.server.freeze() }

// Thaw ends Freeze. First the sessions expire whose time is over, as the real server most likely would, then
// the requests that have come meanwhile are executed.
func (f *Faults) Thaw() { f.server.thaw() }

// Clear cancels every armed fault, turns the switches off and thaws the server.
func (f *Faults) Clear() {
	f.mu.Lock()
	armed := slices.Clone(f.armed)
	f.mu.Unlock()
	for _, a := range armed {
		a.Cancel()
	}
	f.loseSetWatches.Store(false)
	f.loseEvents.Store(false)
	f.refuse.Store(false)
	f.Thaw()
}

func (f *Faults) arm(a *Fault) *Fault {
	a.faults, a.fired, a.release = f, make(chan struct{}), make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = append(f.armed, a)
	return a
}

// verdict is what the armed faults do to one request.
type verdict struct {
	dropRequest, dropAnswer, cutAfter bool
	late                              []<-chan struct{} // all are closed before the answer leaves
	stop                              []func()          // releases the timers behind late
}

// judge takes a request into account and says what happens to it.
func (f *Faults) judge(q request, session int64, clock Clock) verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	var v verdict
	f.armed = slices.DeleteFunc(f.armed, func(a *Fault) bool {
		if !a.match.selects(q, session) {
			return false
		}
		return a.strike(&v, clock)
	})
	return v
}

// strike reports whether the fault is over.
func (f *Fault) strike(v *verdict, clock Clock) bool {
	switch f.kind {
	case lateAnswer:
		reached, stop := clock.At(clock.Now().Add(f.delay))
		v.late, v.stop = append(v.late, reached), append(v.stop, stop)
	case heldAnswer:
		v.late = append(v.late, f.release)
	case beforeRequest, beforeAnswer, afterAnswer:
		if f.left--; f.left > 0 {
			return false
		}
		v.dropRequest = v.dropRequest || f.kind == beforeRequest
		v.dropAnswer = v.dropAnswer || f.kind == beforeAnswer
		v.cutAfter = v.cutAfter || f.kind == afterAnswer
	}
	select {
	case <-f.fired:
	default:
		close(f.fired)
	}
	return f.kind != lateAnswer && f.kind != heldAnswer
}
