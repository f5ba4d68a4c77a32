// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"maps"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// keepBegun decides where the group begins, once for ever: before any partition is claimed, all partitions known now
// get their start position in one transaction. Were the start resolved at each claim instead, a member that takes over
// a partition nobody had committed yet would start at another end of the log than its predecessor, and skip what lies
// between.
//
// Partitions that appear later are new, and begin at the earliest message: nothing written to them is missed.
func (m *Member) keepBegun() {
	s := m.session
	if !m.mayBegin() || !s.begin.due(m.now) {
		return
	}
	s.begin.begin()
	if partitions := m.ownTopicsPartitions(); s.starts == nil && len(partitions) > 0 {
		m.emit(Resolve{Partitions: partitions, Place: m.config.Start})
		return
	}
	positions := s.startPositions()
	m.transact(transaction{kind: beginGroup, positions: positions},
		layout.Begin(m.config.Group, s.member, positions))
}

func (m *Member) mayBegin() bool { return !m.session.begun && m.session.planned && !m.leaving }

func (m *Member) ownTopicsPartitions() []kafka.Partition {
	var partitions []kafka.Partition
	for _, topic := range m.topics {
		partitions = append(partitions, m.session.view.Partitions[topic]...)
	}
	return partitions
}

func (s *session) startPositions() []layout.Position {
	positions := make([]layout.Position, 0, len(s.starts))
	for _, partition := range sortedPartitions(s.starts) {
		positions = append(positions, layout.Position{Partition: partition, Offset: s.starts[partition]})
	}
	return positions
}

// begunOrNot takes the answer to the transaction that begins a group. It is refused for the first partition that has a
// position from the time before (an older consumer's group), which stays as it is: the rest is tried again. Or for the
// marker, which means that another member was faster. Nothing is ever placed outside of the transaction that makes the
// marker: a partition that another member's birth of the group left out is new, and where it begins is not for us to
// say any more.
func (m *Member) begunOrNot(t transaction, answer Transacted) {
	s := m.session
	s.beginErr, s.outdated = nil, false
	switch {
	case answer.Outcome == OK:
		s.begun = true
		s.begin.never()
		return
	case answer.Outcome == Conflict && answer.Index >= 1 && answer.Index <= len(t.positions):
		delete(s.starts, t.positions[answer.Index-1].Partition) // operation 0 is the check
		s.begin.succeeded(m.now)
	default:
		if answer.Outcome != Conflict { // that another member was faster is no trouble
			s.beginErr = answer.Err
		}
		s.begin.failed(m.now, m.config.Rand())
	}
	s.look()
}

// resolved takes positions from the brokers, for a group that begins or for partitions that are new to it. An answer to
// a question of an earlier session is as good, but only where the same place was asked for.
func (m *Member) resolved(event Resolved) {
	s := m.session
	if s == nil {
		return
	}
	if !s.begun && s.begin.underWay && s.starts == nil && event.Place == m.config.Start {
		m.startsResolved(event)
	}
	if !event.Place.IsEarliest() {
		return
	}
	for _, partition := range sortedPartitions(m.claims) {
		c := m.claims[partition]
		if c.state != placing || c.resolved {
			continue
		}
		if offset, ok := event.Positions[partition]; ok {
			c.committed, c.resolved = offset, true
			c.attempt.succeeded(m.now)
		} else if c.attempt.underWay && event.Failed() {
			c.trouble = event.Err
			c.attempt.failed(m.now, m.config.Rand())
		}
	}
}

func (m *Member) startsResolved(event Resolved) {
	s := m.session
	if s.outdated {
		s.outdated = false
		s.begin.succeeded(m.now)
		return
	}
	for _, partition := range m.ownTopicsPartitions() {
		if _, ok := event.Positions[partition]; !ok {
			s.beginErr = event.Err
			s.begin.failed(m.now, m.config.Rand())
			return
		}
	}
	s.beginErr = nil
	s.starts = maps.Clone(event.Positions)
	s.begin.succeeded(m.now)
}
