// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// setTopics takes what is to be consumed. What falls to this member follows from what is registered, as the others see
// it: so topics come and go with the registration, and not before.
func (m *Member) setTopics(event SetTopics) {
	topics := slices.Compact(slices.Sorted(slices.Values(event.Topics)))
	if m.told && slices.Equal(topics, m.topics) {
		return
	}
	m.topics, m.told = topics, true
	s := m.session
	if s == nil {
		return
	}
	if !s.begun { // where the group begins is to be decided for these topics
		s.outdated = s.begin.underWay
		s.starts, s.planned = nil, false
	}
	s.look()
}

// keepSubscribed sees to it that what is registered is what is to be consumed. A member that leaves is registered for
// nothing: one lane that takes long to drain must not keep the others from the rest.
func (m *Member) keepSubscribed() {
	s := m.session
	if !m.mayResubscribe() || !s.subscribe.due(m.now) {
		return
	}
	t := transaction{kind: subscribe, topics: m.topics, leaving: m.leaving}
	data := s.dialect.EncodeMember(m.topics, m.now.UnixMilli())
	if m.leaving {
		t.topics, data = nil, s.dialect.EncodeLeaving(m.now.UnixMilli())
	}
	renew := layout.Renew
	if s.inPlace {
		renew = layout.RenewInPlace
	}
	s.subscribe.begin()
	m.transact(t, renew(m.config.Group, s.member, data))
}

// mayResubscribe reports whether the registration is to be renewed. With foreign members every change of the list
// costs a rebalance of theirs, and drains are short: then one that leaves changes it once, by going.
func (m *Member) mayResubscribe() bool {
	s := m.session
	switch {
	case !s.registered:
		return false
	case m.leaving:
		return len(m.claims) > 0 && !s.plan.foreign && !s.retired && m.now.Before(m.leaveBy)
	}
	return !slices.Equal(s.topics, m.topics) || s.nudges.wanted && !s.inPlace
}

// subscribed takes the answer to a renewal. One of unknown outcome is made again: it says the same, or what is wanted
// by then.
func (m *Member) subscribed(t transaction, answer Transacted) {
	s := m.session
	switch {
	case answer.Outcome == OK:
		s.subscribe.succeeded(m.now)
		s.topics, s.retired = t.topics, t.leaving
		m.nudged()
		s.look()
	case answer.Outcome == Conflict && !s.inPlace: // the servers know no transactions: the node cannot be made anew
		s.inPlace = true
		s.subscribe.succeeded(m.now)
	default:
		s.subscribe.failed(m.now, m.config.Rand())
	}
}

// own is this member's registration as it was read, nil if it was not there.
func (s *session) own() *layout.Registration {
	for i := range s.view.Members {
		if s.view.Members[i].ID == s.member {
			return &s.view.Members[i]
		}
	}
	return nil
}

// learnOwn believes what was read of the own registration, unless it may have changed since: an answer may have been
// lost, or somebody else have written there.
func (s *session) learnOwn() {
	if own := s.own(); own != nil && !s.dirty && !s.subscribe.underWay {
		s.topics = own.SubscribedTopics()
	}
}
