// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// start decides where the group begins: once, for all partitions there are then. Were each member to resolve the start
// of what falls to it, one that takes over a partition nobody had committed yet would start at another end of the log
// than its predecessor, and skip what lies between. So one member of a generation does it for all: the first by id.
// What it writes the coordinator refuses once there is another generation, whose first reads what is there before it
// writes.
//
// Partitions that have no position after that are new, and begin at the earliest message.
type start struct {
	attempt
	// known says that the group has begun; empty that it had not, as it was read in this generation.
	known, empty bool
	// positions are where it is to begin; nil until resolved.
	positions map[kafka.Partition]int64
	// place resolves where new partitions begin.
	place attempt
	err   error
}

// reset forgets what was true in another generation.
func (s *start) reset() { *s = start{known: s.known, err: s.err} }

func (s *start) failed(now time.Time, random float64, err error) {
	s.attempt.failed(now, random)
	s.err = err
	// Read it again before anything else is written: it may have happened, and others gone on from there.
	s.empty, s.positions = false, nil
}

// mayLocate reports whether positions are to be read.
func (m *Member) mayLocate() bool {
	if !m.synced || m.round.due(m.now) {
		return false
	}
	for _, c := range m.claims {
		if c.state == locating || c.state == placing && !m.start.known && !m.start.empty {
			return true
		}
	}
	return false
}

func (m *Member) keepLocated() {
	if !m.mayLocate() || !m.locate.due(m.now) {
		return
	}
	command := Locate{Serial: m.next(), Topics: m.topics}
	for _, c := range m.sortedClaims() {
		if c.state == locating || c.state == placing && !m.start.known {
			command.Partitions = append(command.Partitions, c.partition)
			command.Any = command.Any || c.state == placing
		}
	}
	m.locate.begin(command.Serial)
	m.emit(command)
}

func (m *Member) located(event Located) {
	if !m.locate.answers(event.Serial) {
		return
	}
	m.locateErr = event.Err
	if event.Verdict != Accepted {
		m.locate.failed(m.now, m.config.Rand())
		return
	}
	m.start.known = m.start.known || event.Any || len(event.Positions) > 0
	waits := false
	for _, c := range m.claims {
		offset, ok := event.Positions[c.partition]
		switch {
		case !c.pending() || c.state == taking:
		case ok:
			c.committed, c.state = offset, taking
		case c.state == locating:
			c.state = placing
		case !m.start.known:
			waits = true
		}
	}
	m.start.empty = waits && m.decides()
	if waits && !m.start.empty { // somebody else decides
		m.locate.failed(m.now, m.config.Rand())
		return
	}
	m.locate.succeeded(m.now)
}

// decides reports whether this member is the one that decides where the group begins: the first of samsa's.
func (m *Member) decides() bool {
	if m.view == nil {
		return false
	}
	first := m.id
	for _, peer := range m.view.Peers {
		if peer.ours() && !peer.leaves() {
			first = min(first, peer.ID)
		}
	}
	return first == m.id
}

// mayBegin reports whether the group's start is to be decided now, by this member.
func (m *Member) mayBegin() bool {
	s := &m.start
	return s.empty && !s.known && m.synced && m.view != nil && !m.leaving && !m.round.due(m.now) &&
		m.survey.covers(m.ourTopics()) && (s.positions == nil || !m.commit.underWay)
}

func (m *Member) keepBegun() {
	m.keepPlaced()
	s := &m.start
	if s.empty && !s.known && !m.survey.covers(m.ourTopics()) {
		m.survey.soon()
	}
	if !m.mayBegin() || !s.due(m.now) {
		return
	}
	s.begin(0)
	if s.positions == nil {
		m.emit(group.Resolve{Partitions: m.ourPartitions(), Place: m.config.Start})
		return
	}
	positions := make([]Position, 0, len(s.positions))
	for partition, offset := range s.positions {
		positions = append(positions, Position{partition, offset})
	}
	slices.SortFunc(positions, func(a, b Position) int { return a.Partition.Compare(b.Partition) })
	m.writePositions(writing{member: m.id, generation: m.generation, begins: true}, positions)
}

// ourTopics are those that samsa's members consume in this generation.
func (m *Member) ourTopics() []string {
	topics := slices.Clone(m.topics)
	if m.view != nil {
		for _, peer := range m.view.Peers {
			if peer.ours() {
				topics = append(topics, peer.topics()...)
			}
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// ourPartitions are those of our topics that have not fallen to a foreign member: where those begin is its affair.
func (m *Member) ourPartitions() []kafka.Partition {
	foreign := map[kafka.Partition]bool{}
	for _, peer := range m.view.Peers {
		if !peer.ours() {
			assigned, _ := decodeAssignment(peer.Assignment) // what cannot be understood cannot be spared
			for partition := range assigned {
				foreign[partition] = true
			}
		}
	}
	var partitions []kafka.Partition
	for _, topic := range m.ourTopics() {
		for _, partition := range m.survey.known[topic] {
			if !foreign[partition] {
				partitions = append(partitions, partition)
			}
		}
	}
	return partitions
}

// begun takes that the start was written.
func (m *Member) begun(event Committed) {
	s := &m.start
	if len(event.Failed) > 0 { // a topic that has just gone, for one
		for _, failure := range event.Failed {
			s.failed(m.now, m.config.Rand(), failure.Err)
		}
		return
	}
	m.prove(event.Sent)
	positions := s.positions
	*s = start{known: true}
	for _, c := range m.claims {
		if offset, ok := positions[c.partition]; ok && c.state == placing {
			c.committed, c.state = offset, taking
		}
	}
}

// keepPlaced asks where partitions that are new to the group begin.
func (m *Member) keepPlaced() {
	if !m.mayPlace() || !m.start.place.due(m.now) {
		return
	}
	var partitions []kafka.Partition
	for _, c := range m.sortedClaims() {
		if c.state == placing {
			partitions = append(partitions, c.partition)
		}
	}
	m.start.place.begin(0)
	m.emit(group.Resolve{Partitions: partitions, Place: kafka.Earliest()})
}

func (m *Member) mayPlace() bool {
	if !m.start.known {
		return false
	}
	for _, c := range m.claims {
		if c.state == placing {
			return true
		}
	}
	return false
}

// resolved takes positions from the brokers. An answer to a question of an earlier generation is as good, but only
// where the same place was asked for.
func (m *Member) resolved(event group.Resolved) {
	s := &m.start
	if s.underWay && !s.known && s.positions == nil && event.Place == m.config.Start {
		m.startsResolved(event)
	}
	if !s.place.underWay || !event.Place.IsEarliest() {
		return
	}
	if event.Failed() {
		s.place.failed(m.now, m.config.Rand())
	} else {
		s.place.succeeded(m.now.Add(firstRetry))
	}
	for _, c := range m.claims {
		if c.state != placing {
			continue
		}
		if offset, ok := event.Positions[c.partition]; ok {
			c.committed, c.state = offset, taking
		} else {
			c.trouble = event.Err
		}
	}
}

func (m *Member) startsResolved(event group.Resolved) {
	s := &m.start
	for _, partition := range m.wantedStarts() {
		if _, ok := event.Positions[partition]; !ok {
			s.failed(m.now, m.config.Rand(), event.Err)
			return
		}
	}
	s.err = nil
	s.positions = event.Positions
	s.succeeded(m.now)
}

// wantedStarts are the partitions whose start is to be known before the group begins.
func (m *Member) wantedStarts() []kafka.Partition {
	if m.view == nil {
		return nil
	}
	return m.ourPartitions()
}
