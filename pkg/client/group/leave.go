// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import "time"

// leaveSlack is what leaving may take beyond the drain: a release and a farewell of two round trips each, and one
// reconnection.
const leaveSlack = 5 * time.Second

func (m *Member) leave() {
	if m.leaving {
		return
	}
	m.leaving = true
	m.leaveBy = m.now.Add(m.drainTimeout() + leaveSlack)
}

// hurry shortens the time for leaving once nothing is being delivered any more: what is left is to tell ZooKeeper, and
// if it cannot be told, the session's end does.
func (m *Member) hurry() {
	slack := leaveSlack
	if m.session != nil { // after that the claims are others' anyway
		slack = max(slack, m.session.lease.session)
	}
	if by := m.now.Add(slack); len(m.lanes) == 0 && by.Before(m.leaveBy) && !m.hurries {
		m.leaveBy, m.hurries = by, true
	}
}

// keepLeaving says farewell once nothing is owned, and goes without one when time is up: then it ends the session,
// which releases what is left.
func (m *Member) keepLeaving() {
	if !m.leaving {
		return
	}
	m.hurry()
	s := m.session
	late := !m.now.Before(m.leaveBy)
	switch {
	case s == nil:
		m.gone(true)
	case late:
		m.abandon()
		m.gone(false)
	case m.mayUnregister() && s.unregister.due(m.now):
		s.unregister.begin()
		m.emit(Unregister{Epoch: s.epoch, ID: s.member})
	case len(m.claims) == 0 && !s.registered && !s.register.underWay:
		if s.register.failures > 0 { // it may have happened all the same
			m.abandon()
		}
		m.gone(true)
	}
}

func (m *Member) gone(clean bool) {
	m.left = true
	m.emit(Left{Clean: clean && !m.torn})
}

func (m *Member) mayUnregister() bool { return m.leaving && len(m.claims) == 0 && m.session.registered }

func (m *Member) unregistered(event Unregistered) {
	s := m.in(event.Epoch)
	if s == nil {
		return
	}
	if event.Outcome == Unavailable {
		s.unregister.failed(m.now, m.config.Rand())
		return
	}
	s.registered = false
	s.register.never()
}
