// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
)

// writing is a commit under way. There is one at a time, so that no older position is written over a newer one.
type writing struct {
	member     string
	generation int32
	claims     []written
	// begins says that it places where the group begins.
	begins bool
}

// written is what is being committed of a claim.
type written struct {
	claim  *claim
	offset int64
}

// mayCommit reports whether the coordinator would take a commit: not between joining a generation and being told what
// falls to us in it.
func (m *Member) mayCommit() bool { return m.generation > 0 && m.synced && !m.commit.underWay }

// interval is the time between commits: often enough for the lease, too.
func (m *Member) interval() time.Duration { return min(m.config.CommitInterval, m.lease.proofs()) }

// pressing reports whether something waits for a commit.
func (m *Member) pressing() bool {
	if m.urgent {
		return true
	}
	for _, c := range m.claims {
		if m.ready(c) {
			return true
		}
	}
	return false
}

// ready reports whether a claim cannot go on without a commit.
func (m *Member) ready(c *claim) bool {
	return (c.state == releasing || c.state == taking && m.mayTake(c)) && !m.now.Before(c.notBefore)
}

func (m *Member) keepCommitting() {
	if len(m.claims) == 0 {
		m.urgent = false // there is nothing to hurry for
		return
	}
	if !m.mayCommit() {
		return
	}
	if m.pressing() {
		m.commit.soon()
	}
	if !m.commit.due(m.now) {
		return
	}
	m.commit.begin(0)
	m.urgent = false
	if len(m.lanes) > 0 {
		m.emit(group.Collect{})
		return
	}
	m.write()
}

func (m *Member) nextOfCommit(next *soonest) {
	next.pending(m.mayCommit() && (len(m.lanes) > 0 || m.pressing()), &m.commit)
}

// collected takes how far the lanes have come, and commits it.
func (m *Member) collected(event group.Collected) {
	for _, progress := range event.Progress {
		if c := m.lanes[progress.Lane]; c != nil {
			c.acked = progress.Position
		}
	}
	if m.commit.answers(0) {
		m.write()
	}
}

// write commits what moved and what waits for it, and of the rest what has not been committed for longest. That proves
// the lease where nothing moves; and brokers before Kafka 2.1 forget positions that were not committed for a day, also
// of members that live: 10,000 partitions have their turn within five hours, of a session of 10 s.
func (m *Member) write() {
	if m.generation == 0 || !m.synced { // it has ended while the lanes were asked
		m.commit.succeeded(m.now)
		return
	}
	var stalest *claim
	w := writing{member: m.id, generation: m.generation}
	for _, c := range m.sortedClaims() {
		switch {
		case c.state == releasing && c.acked == c.committed:
			m.release(c)
		case m.ready(c), c.lane != 0 && c.acked != c.committed:
			w.claims = append(w.claims, written{c, c.position()})
		case c.lane != 0 && (stalest == nil || c.written.Before(stalest.written)):
			stalest = c
		}
	}
	if stalest != nil {
		w.claims = append(w.claims, written{stalest, stalest.position()})
	}
	if len(w.claims) == 0 {
		m.commit.succeeded(m.now.Add(m.interval()))
		return
	}
	positions := make([]Position, len(w.claims))
	for i, one := range w.claims {
		positions[i] = Position{one.claim.partition, one.offset}
	}
	slices.SortFunc(positions, func(a, b Position) int { return a.Partition.Compare(b.Partition) })
	m.writePositions(w, positions)
}

func (m *Member) writePositions(w writing, positions []Position) {
	serial := m.next()
	m.commit.begin(serial)
	m.writing = w
	m.emit(Commit{Serial: serial, Member: w.member, Generation: w.generation, Positions: positions})
}

// position is what is to be committed of a claim.
func (c *claim) position() int64 {
	if c.pending() {
		return c.committed
	}
	return c.acked
}

func (m *Member) committed(event Committed) {
	if !m.commit.answers(event.Serial) {
		return
	}
	w := m.writing
	m.writing = writing{}
	if event.Verdict != Accepted {
		m.commit.failed(m.now, m.config.Rand())
		m.notCommitted(w, event)
		return
	}
	m.commit.succeeded(m.now.Add(m.interval()))
	if w.member != m.id {
		return
	}
	if w.begins {
		m.begun(event)
		return
	}
	if len(event.Failed) < len(w.claims) {
		m.prove(event.Sent)
	}
	for _, one := range w.claims {
		if m.claims[one.claim.partition] == one.claim {
			m.settle(one, event)
		}
	}
}

// notCommitted takes a refusal, or that there was no answer: what may have been written is written again.
func (m *Member) notCommitted(w writing, event Committed) {
	if w.begins {
		m.start.failed(m.now, m.config.Rand(), event.Err)
	}
	for _, one := range w.claims {
		if one.claim.state == taking || one.claim.state == releasing {
			one.claim.trouble = event.Err
		}
	}
	current := w.member == m.id && w.generation == m.generation
	switch {
	case event.Verdict == Expelled && w.member == m.id && m.id != "":
		m.expelled()
	case event.Verdict == Outdated && current && !m.round.join.underWay: // else a round has ended meanwhile
		m.outrun()
	}
}

// settle takes what became of one position.
func (m *Member) settle(one written, event Committed) {
	c := one.claim
	failure, failed := event.Failed[c.partition]
	switch {
	case failed && failure.NoTopic && c.state == releasing:
		m.release(c)
	case failed:
		c.trouble, c.notBefore = failure.Err, m.now.Add(lastRetry)
	case c.state == taking:
		c.written = m.now
		if m.lease.holds(m.now) { // or the answer took too long, and the next one proves it
			m.run(c)
		}
	default:
		c.trouble, c.committed, c.written = nil, one.offset, m.now
		if c.state == releasing && c.acked == c.committed {
			m.release(c)
		}
	}
}
