// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// session is what the member knows within one ZooKeeper session. A new session starts from nothing: nodes of the old
// one are somebody else's.
type session struct {
	epoch uint64
	id    int64
	// member is the member's id, new for every session: the check of its node in every transaction is the fence.
	member string
	lease  Lease
	// dialect is how members of this registry write their nodes.
	dialect layout.Dialect
	// held is whether the lanes were last told that the lease holds.
	held bool

	registered                                  bool
	register, probe, observe, begin, unregister attempt
	// subscribe renews the registration.
	subscribe attempt
	// topics are those of the registration, sorted. retired says that it has none since the member leaves; inPlace that
	// the servers know no transactions, so that it can only be written over.
	topics           []string
	retired, inPlace bool

	// registerErr, observeErr and beginErr are why the last attempt failed, nil if it did not.
	registerErr, observeErr, beginErr error

	// asked are the tokens of the claims whose owner nodes the observation under way will read.
	asked map[kafka.Partition]int64
	// looked are all partitions whose claims that observation will read.
	looked map[kafka.Partition]bool
	// observedTopics are those whose partitions the last observation asked for.
	observedTopics []string
	// dirty says that something changed while an observation was under way.
	dirty bool
	// planned says that target has been computed from a view of this session.
	planned bool
	target  map[kafka.Partition]bool
	view    layout.View
	plan    plan
	// nudges wake foreign members that have given up.
	nudges nudges
	// begun says that the start positions of the group are decided.
	begun bool
	// starts are the resolved positions of a group that is about to begin; nil until resolved. outdated says that what is
	// being resolved is for other topics than are to be consumed by now.
	starts   map[kafka.Partition]int64
	outdated bool
}

// in gives the session of that epoch, nil if it is over.
func (m *Member) in(epoch uint64) *session {
	if m.session == nil || m.session.epoch != epoch {
		return nil
	}
	return m.session
}

func (m *Member) sessionUp(event SessionUp) {
	m.endSession()
	m.session = &session{
		epoch: event.Epoch, id: event.ID, lease: NewLease(event.Timeout), dialect: event.Dialect,
	}
}

func (m *Member) sessionLost(event SessionLost) {
	if m.in(event.Epoch) != nil {
		m.endSession()
	}
}

// endSession forgets everything that only the session made true.
func (m *Member) endSession() {
	m.stopLanes()
	m.torn = m.torn || m.leaving && m.holds()
	m.session = nil
	clear(m.claims)
	clear(m.txns)
	m.commit = attempt{}
}

// holds reports whether any claim is, or may be, ours.
func (m *Member) holds() bool {
	for _, c := range m.claims {
		if c.state != claiming || c.attempt.underWay {
			return true
		}
	}
	return false
}

// abandon gives up a session in which the member's registration is gone: every transaction would be refused.
func (m *Member) abandon() {
	epoch := m.session.epoch
	m.endSession()
	m.emit(Abandon{Epoch: epoch})
}

func (m *Member) stopLanes() {
	for _, lane := range sortedKeys(m.lanes) {
		m.emit(Stop{Lane: lane})
	}
	clear(m.lanes)
}

// keepLease tells the lanes when the lease lapses or holds again, and probes in time.
func (m *Member) keepLease() {
	s := m.session
	if holds := s.lease.Holds(m.now); holds != s.held {
		s.held = holds
		if holds {
			m.emit(Resume{})
		} else {
			m.emit(Pause{})
		}
	}
	if s.registered && s.probe.due(m.now) {
		s.probe.begin()
		m.emit(Probe{Epoch: s.epoch, ID: s.member})
	}
}

func (m *Member) probed(event Probed) {
	s := m.in(event.Epoch)
	switch {
	case s == nil:
	case event.Outcome == OK:
		s.lease.Extend(event.Sent)
		m.emit(Extend{Until: s.lease.Until()})
		s.probe.succeeded(event.Sent.Add(s.lease.Interval()))
	case event.Outcome == Gone && s.registered:
		m.abandon()
	default:
		s.probe.failed(m.now, m.config.Rand())
	}
}

func (m *Member) mayRegister() bool { return !m.session.registered && !m.leaving && m.told }

func (m *Member) keepRegistered() {
	s := m.session
	if !m.mayRegister() || !s.register.due(m.now) {
		return
	}
	if s.member == "" {
		s.member = layout.MemberID(m.config.Group, m.config.Strategy, m.config.Pod, m.now.UnixMilli(),
			uint32(m.config.Rand()*(1<<32)))
		// For every attempt the same: which of them made the node is not known.
		s.topics = m.topics
	}
	s.register.begin()
	m.emit(Register{
		Epoch: s.epoch, ID: s.member,
		Data: s.dialect.EncodeMember(s.topics, m.now.UnixMilli()),
	})
}

func (m *Member) registered(event Registered) {
	s := m.in(event.Epoch)
	if s == nil {
		return
	}
	s.registerErr = event.Err
	switch event.Outcome {
	case OK:
		s.registered = true
		s.register.never()
	default:
		if event.Outcome == Conflict { // somebody else's node has this very name: take another
			s.member = ""
		}
		s.register.failed(m.now, m.config.Rand())
	}
}
