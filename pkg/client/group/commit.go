// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// txnKind is what a transaction is for.
type txnKind uint8

const (
	commit txnKind = iota
	verify
	release
	place
	forgo
	beginGroup
	subscribe
)

// transaction is one that is under way.
type transaction struct {
	kind      txnKind
	positions []layout.Position
	// topics are those of a registration that is renewed; leaving says that it is for the last time.
	topics  []string
	leaving bool
}

func (m *Member) transact(t transaction, txn layout.Txn) {
	m.lastTxn++
	m.txns[m.lastTxn] = t
	m.emit(Transact{Epoch: m.session.epoch, ID: m.lastTxn, Txn: txn})
}

// transactFor runs a transaction that is the one thing under way for the claims it names.
func (m *Member) transactFor(kind txnKind, positions []layout.Position, txn layout.Txn) {
	for _, position := range positions {
		c := m.claims[position.Partition]
		c.attempt.begin()
		c.written = position.Offset
	}
	m.transact(transaction{kind: kind, positions: positions}, txn)
}

// keepCommitting asks the lanes for their progress when a commit is due.
func (m *Member) keepCommitting() {
	if len(m.lanes) == 0 {
		return
	}
	for _, lane := range sortedKeys(m.lanes) {
		if c := m.lanes[lane]; c.doubtful && c.attempt.due(m.now) {
			m.read(c)
		}
	}
	if m.commit.due(m.now) {
		m.commit.begin()
		m.emit(Collect{})
	}
}

// collected commits what moved since the last commit. What did not move is verified now and then: an operator may have
// written another position, and a lane that has nothing to commit would never learn of it.
func (m *Member) collected(event Collected) {
	m.commit.succeeded(m.now.Add(m.config.CommitInterval))
	if m.session == nil {
		return
	}
	var moved, idle []layout.Position
	for _, progress := range event.Progress {
		c := m.lanes[progress.Lane]
		if c == nil {
			continue
		}
		c.acked = progress.Position
		position := layout.Position{Partition: c.partition, Offset: c.acked, Version: c.version}
		switch {
		case c.doubtful || c.attempt.underWay:
		case c.acked != c.committed:
			moved = append(moved, position)
		case m.now.Sub(c.verified) >= m.session.lease.session/2: // as old as any other knowledge of ours may be
			idle = append(idle, position)
		}
	}
	for chunk := range slices.Chunk(moved, commitChunk) {
		m.writePositions(commit, chunk)
	}
	for chunk := range slices.Chunk(idle, commitChunk) {
		m.writePositions(verify, chunk)
	}
}

func (m *Member) writePositions(kind txnKind, positions []layout.Position) {
	compose := layout.Commit
	if kind == verify {
		compose = layout.Verify
	}
	m.transactFor(kind, positions, compose(m.config.Group, m.session.member, positions))
}

func (m *Member) transacted(event Transacted) {
	if m.in(event.Epoch) == nil {
		return
	}
	t, known := m.txns[event.ID]
	if !known {
		return
	}
	delete(m.txns, event.ID)
	if event.Outcome == Gone {
		m.abandon()
		return
	}
	switch t.kind {
	case beginGroup:
		m.begunOrNot(t, event)
	case subscribe:
		m.subscribed(t, event)
	case commit, verify:
		m.committed(t, event)
	case place, release, forgo:
		if c := m.claims[t.positions[0].Partition]; c != nil {
			m.settled(t.kind, c, event)
		}
	}
}

func (m *Member) committed(t transaction, event Transacted) {
	if event.Outcome == Conflict && len(t.positions) > 1 { // one of them is refused: each by itself, to learn which
		for _, position := range t.positions {
			if m.claims[position.Partition] != nil {
				m.writePositions(t.kind, []layout.Position{position})
			}
		}
		return
	}
	for i, position := range t.positions {
		c := m.claims[position.Partition]
		switch {
		case c == nil:
		case event.Outcome == OK:
			c.attempt.succeeded(m.now)
			c.verified = m.now
			if t.kind == commit {
				c.committed, c.version = position.Offset, event.Versions[i+1] // operation 0 is the check
			}
		case event.Outcome != Unavailable:
			m.refused(c)
		case t.kind == commit:
			m.doubt(c, event)
		default:
			c.attempt.succeeded(m.now)
		}
	}
}

// doubt notes that a write may have happened: the node is read before anything else is written to it. The lane goes on,
// its claim is not in question.
func (m *Member) doubt(c *claim, event Transacted) {
	c.attempt.failed(m.now, m.config.Rand())
	c.doubtful, c.trouble = true, event.Err
}

// refused stops a lane whose position somebody else wrote: whatever it would commit is about a past that is no more.
func (m *Member) refused(c *claim) {
	m.stopLane(c)
	c.attempt.succeeded(m.now)
	c.state, c.doubtful, c.malformed, c.trouble = rereading, false, false, nil
}

func (m *Member) settled(kind txnKind, c *claim, event Transacted) {
	switch {
	case event.Outcome == Unavailable:
		m.doubt(c, event)
	case kind == place && event.Outcome == OK:
		c.attempt.succeeded(m.now)
		m.own(c, position{placed: true, offset: c.committed})
	case kind == place:
		m.refused(c)
	case event.Outcome == OK, kind == forgo:
		delete(m.claims, c.partition)
	default:
		m.refused(c)
	}
}

func (m *Member) read(c *claim) {
	c.attempt.begin()
	m.emit(Read{Epoch: m.session.epoch, Partition: c.partition})
}

// reread takes the claim and the position as they stand, and goes on from there.
func (m *Member) reread(event Reread) {
	s := m.in(event.Epoch)
	if s == nil {
		return
	}
	c := m.claims[event.Partition]
	if c == nil {
		return
	}
	c.trouble = event.Err
	switch {
	case event.Failed() && event.Outcome != Malformed:
		c.attempt.failed(m.now, m.config.Rand())
	case event.Session != s.id || event.Thread != layout.Thread(s.member):
		m.drop(c)
	case event.Outcome == Malformed:
		m.stopLane(c)
		m.unreadable(c, event.Token)
	case c.doubtful && c.state != rereading && c.state != placing && event.Placed && c.explains(event):
		c.attempt.succeeded(m.now)
		c.doubtful = false
		c.committed, c.version = event.Offset, event.Version
	default:
		m.stopLane(c)
		c.attempt.succeeded(m.now)
		c.token = event.Token
		m.own(c, position{event.Placed, event.Offset, event.Version, event.Outlived})
	}
}

// unreadable notes that a partition is ours, but that nobody can say where it stands: it waits for somebody to mend the
// node.
func (m *Member) unreadable(c *claim, token int64) {
	c.attempt.failed(m.now, m.config.Rand())
	c.token, c.state, c.doubtful, c.malformed = token, rereading, false, true
}

// explains reports whether what was read is what our own write of unknown outcome left, or found.
func (c *claim) explains(event Reread) bool {
	happened := event.Version == c.version+1 && event.Offset == c.written
	untouched := event.Version == c.version && event.Offset == c.committed
	return happened || untouched
}
