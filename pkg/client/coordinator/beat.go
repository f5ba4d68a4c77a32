// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
)

// keepLease tells the lanes when the lease lapses or holds again.
func (m *Member) keepLease() {
	holds := m.lease.holds(m.now)
	if holds == m.leased {
		return
	}
	m.leased = holds
	if holds {
		m.emit(group.Resume{})
	} else {
		m.emit(group.Pause{})
	}
}

// prove extends the lease.
func (m *Member) prove(sent time.Time) {
	m.lease.prove(sent)
	if m.lease.holds(m.now) {
		m.emit(group.Extend{Until: m.lease.until})
	}
}

func (m *Member) mayBeat() bool { return m.id != "" && m.generation > 0 }

func (m *Member) keepBeating() {
	if !m.mayBeat() || !m.beat.due(m.now) {
		return
	}
	m.beat.begin(0)
	m.emit(Beat{Member: m.id, Generation: m.generation})
}

func (m *Member) beaten(event Beaten) {
	interval := m.lease.interval()
	if m.beat.underWay {
		m.beat.succeeded(latest(event.Sent.Add(interval), m.now.Add(interval/2)))
	}
	if event.Member != m.id || event.Generation != m.generation || m.generation == 0 {
		return // of a membership or a generation that is over
	}
	switch event.Verdict {
	case Accepted:
		m.heard = event.Sent
		m.lease.settle(event.Sent)
	case Rebalancing:
		m.heard = event.Sent
		m.round.gathering = event.Sent
		// Before a generation is synced, brokers before Kafka 2.0 say so of the round that is about to end.
		if m.synced && event.Sent.After(m.syncedAt) {
			m.round.want(m.now)
		}
	case Outdated:
		if !m.round.join.underWay { // or the round has ended, and its answer is on the way
			m.outrun()
		}
	case Expelled:
		m.expelled()
	case Refused, Named, Unavailable:
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
