// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"maps"
	"slices"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// keepBegun decides where the group begins, once for ever: before any partition is claimed, all partitions known now get their start
// position in one transaction. Were the start resolved at each claim instead, a member that takes over a partition nobody had
// committed yet would start at another end of the log than its predecessor, and skip what lies between.
//
// Partitions that appear later are new, and begin at the earliest message: nothing written to them is missed.
func (m *Member) keepBegun() {
	s := m.session
	if s.begun || !s.planned || m.leaving || !s.begin.due(m.now) {
		return
	}
	partitions := m.ownTopicsPartitions()
	if s.starts == nil && len(partitions) > 0 {
		s.begin.begin()
		m.emit(Resolve{Partitions: partitions, Place: m.config.Start})
		return
	}
	s.begin.begin()
	if s.piecemeal && len(s.starts) > 0 {
		p := slices.SortedFunc(maps.Keys(s.starts), kafka.Partition.Compare)[0]
		position := layout.Position{Partition: p, Offset: s.starts[p]}
		m.transact(transaction{kind: placeStart, positions: []layout.Position{position}},
			layout.Place(m.config.Group, s.member, position))
		return
	}
	positions := s.startPositions()
	m.transact(transaction{kind: beginGroup, positions: positions},
		layout.Begin(m.config.Group, s.member, positions))
}

func (m *Member) ownTopicsPartitions() []kafka.Partition {
	var partitions []kafka.Partition
	for _, topic := range m.config.Topics {
		partitions = append(partitions, m.session.view.Partitions[topic]...)
	}
	return partitions
}

func (s *session) startPositions() []layout.Position {
	positions := make([]layout.Position, 0, len(s.starts))
	for _, partition := range slices.SortedFunc(maps.Keys(s.starts), kafka.Partition.Compare) {
		positions = append(positions, layout.Position{Partition: partition, Offset: s.starts[partition]})
	}
	return positions
}

// begunOrNot takes the answer to the transaction that begins a group. A conflict means that another member was faster, or that
// some partition has a position from the time before (an older consumer's group): then each is placed by itself, and the marker
// comes last.
func (m *Member) begunOrNot(answer Transacted) {
	s := m.session
	switch answer.Outcome {
	case OK:
		s.begun = true
		s.begin.never()
	case Conflict:
		s.piecemeal = true
		s.begin.failed(m.now, m.config.Rand())
		s.look()
	default:
		s.begin.failed(m.now, m.config.Rand())
	}
}

// startPlaced takes the answer to one partition's placement of a group that begins piecemeal.
func (m *Member) startPlaced(t transaction, answer Transacted) {
	s := m.session
	if answer.Outcome == OK || answer.Outcome == Conflict {
		delete(s.starts, t.positions[0].Partition)
		s.begin.succeeded(m.now)
		return
	}
	s.begin.failed(m.now, m.config.Rand())
}

// resolved takes positions from the brokers, for a group that begins or for partitions that are new to it.
func (m *Member) resolved(event Resolved) {
	s := m.session
	if s == nil {
		return
	}
	if !s.begun && s.begin.underWay && s.starts == nil {
		m.startsResolved(event)
		return
	}
	for _, partition := range sortedPartitions(m.claims) {
		c := m.claims[partition]
		if c.state != placing || c.resolved || !c.attempt.underWay {
			continue
		}
		if offset, ok := event.Positions[partition]; ok {
			c.committed, c.resolved = offset, true
			c.attempt.succeeded(m.now)
		} else {
			c.trouble = event.Err
			c.attempt.failed(m.now, m.config.Rand())
		}
	}
}

func (m *Member) startsResolved(event Resolved) {
	s := m.session
	for _, partition := range m.ownTopicsPartitions() {
		if _, ok := event.Positions[partition]; !ok {
			s.begin.failed(m.now, m.config.Rand())
			return
		}
	}
	s.starts = event.Positions
	s.begin.succeeded(m.now)
}
