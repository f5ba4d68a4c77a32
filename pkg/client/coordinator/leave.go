// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
)

// leaveSlack is what leaving may take beyond the drain: a commit and a farewell of two round trips each, and one
// reconnection.
const leaveSlack = 5 * time.Second

func (m *Member) leave() {
	if m.leaving {
		return
	}
	m.leaving = true
	m.leaveBy = m.now.Add(m.config.DrainTimeout + leaveSlack)
}

// keepLeaving says farewell once nothing is held, and goes without one when time is up: then the session's end tells.
func (m *Member) keepLeaving() {
	if !m.leaving {
		return
	}
	late := !m.now.Before(m.leaveBy)
	if late && len(m.claims) > 0 {
		m.torn = true
		m.dropClaims()
		m.leaveBy, late = m.now.Add(leaveSlack), false
	}
	if len(m.claims) > 0 {
		return
	}
	if by := m.now.Add(leaveSlack); by.Before(m.leaveBy) {
		m.leaveBy = by
	}
	switch {
	case m.id == "" && !m.round.join.underWay:
		m.gone(true)
	case late:
		m.gone(false)
	case m.mayDepart() && m.depart.due(m.now):
		m.depart.begin(0)
		m.emit(Depart{Member: m.id})
	}
}

func (m *Member) mayDepart() bool { return m.leaving && len(m.claims) == 0 && m.id != "" }

func (m *Member) departed(event Departed) {
	if event.Verdict == Accepted || event.Verdict == Expelled {
		m.gone(true)
		return
	}
	m.depart.failed(m.now, m.config.Rand())
}

func (m *Member) gone(clean bool) {
	if m.left {
		return
	}
	m.left = true
	m.emit(group.Left{Clean: clean && !m.torn})
}
