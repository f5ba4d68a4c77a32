// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// hint makes the next observation due. What changed is not believed from the hint: it is read.
func (m *Member) hint(event Hint) {
	if s := m.in(event.Epoch); s != nil {
		s.look()
	}
}

// look asks for an observation now, or right after the one that is under way and may have missed what just changed.
func (s *session) look() {
	s.dirty = s.dirty || s.observe.underWay
	s.observe.soon()
}

func (m *Member) mayObserve() bool { return m.session.registered && !m.leaving }

func (m *Member) keepObserving() {
	s := m.session
	if !m.mayObserve() || !s.observe.due(m.now) {
		return
	}
	s.observe.begin()
	s.dirty = false
	s.asked = make(map[kafka.Partition]int64, len(m.claims))
	for partition, c := range m.claims {
		s.asked[partition] = c.token
	}
	s.observedTopics = m.relevantTopics()
	own, others := sortedPartitions(m.claims), s.nudges.others(m.claims)
	s.looked = make(map[kafka.Partition]bool, len(own)+len(others))
	for _, partition := range slices.Concat(own, others) {
		s.looked[partition] = true
	}
	m.emit(Observe{Epoch: s.epoch, Topics: s.observedTopics, Partitions: own, Others: others})
}

// relevantTopics are those of all members of the last view, and what is to be consumed: to compute what falls to us, we
// must know what falls to the others.
func (m *Member) relevantTopics() []string {
	topics := slices.Clone(m.topics)
	for _, member := range m.session.view.Members {
		for topic := range member.Topics {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

func (m *Member) observed(event Observed) {
	s := m.in(event.Epoch)
	if s == nil {
		return
	}
	s.observeErr = event.Err
	if event.Failed() {
		s.observe.failed(m.now, m.config.Rand())
		return
	}
	s.observe.succeeded(m.now.Add(m.resync()))
	if s.dirty {
		s.look()
	}
	s.view = event.View
	s.begun = s.begun || event.View.Begun
	s.learnOwn()
	m.audit(event)
	m.replan()
	m.noteIdle(s.looked)
}

// resync is the time to the next reading that no watch asked for: half a session, less up to a fifth of that so that
// members spread. Watches get lost (a failed re-arm is not reported), so this is what bounds how long a change can go
// unseen.
func (m *Member) resync() time.Duration {
	half := m.session.lease.session / 2
	return half - time.Duration(m.config.Rand()*float64(half)/5)
}

// audit holds the claims against the owner nodes as read. Only those are judged that stood before the reading was asked
// for and that nothing has touched since; whether a claim of unknown outcome stands (its token is not known) is for a
// reading of its own to say.
func (m *Member) audit(event Observed) {
	s := m.session
	for _, partition := range sortedPartitions(m.claims) {
		c := m.claims[partition]
		token, asked := s.asked[partition]
		if !asked || c.token != token || c.attempt.underWay {
			continue
		}
		owner, owned := event.View.Owners[partition]
		switch {
		case c.state == claiming && !owned:
			c.attempt.soon()
		case c.state == claiming:
			c.holder = owner.Thread
		case token == 0:
		case !owned || owner.Session != s.id || owner.Thread != layout.Thread(s.member):
			m.drop(c) // a session may have several members, each with claims of its own
		}
	}
}
