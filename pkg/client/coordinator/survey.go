// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// survey is what partitions there are.
type survey struct {
	attempt
	// known are the partitions of each topic that was asked for, none of one that does not exist.
	known map[string][]kafka.Partition
	err   error
}

// covers reports whether the partitions of all these topics are known.
func (s *survey) covers(topics []string) bool {
	for _, topic := range topics {
		if _, known := s.known[topic]; !known {
			return false
		}
	}
	return true
}

// maySurvey reports whether partitions are to be asked for.
func (m *Member) maySurvey() bool {
	return m.told && !m.leaving && len(m.topics) > 0 || m.shares()
}

// shares reports whether the member is about to share the partitions out.
func (m *Member) shares() bool {
	return m.maySync() && m.round.leads && m.round.shares == nil
}

func (m *Member) keepSurveyed() {
	if !m.maySurvey() || !m.survey.due(m.now) {
		return
	}
	m.survey.begin(0)
	m.emit(Survey{Topics: m.relevantTopics()})
}

// relevantTopics are those the member consumes, and those of all members where it shares them out.
func (m *Member) relevantTopics() []string {
	topics := m.ourTopics()
	for _, peer := range m.round.peers {
		topics = append(topics, peer.topics()...)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// resync is the time between two surveys: half a session, less up to a fifth of that so that members spread.
func (m *Member) resync() time.Duration {
	half := m.config.Session / 2
	return half - time.Duration(m.config.Rand()*float64(half)/5)
}

func (m *Member) surveyed(event Surveyed) {
	m.survey.err = event.Err
	if event.Verdict != Accepted {
		m.survey.failed(m.now, m.config.Rand())
		return
	}
	m.survey.known = event.Partitions
	m.survey.succeeded(m.now.Add(m.resync()))
	if !m.survey.covers(m.relevantTopics()) {
		m.survey.soon()
	}
	if m.synced && m.round.leads && m.grown() { // who leads has to see to it
		m.round.want(m.now)
	}
}

// grown reports whether there are other partitions than were shared out.
func (m *Member) grown() bool {
	for topic, count := range m.round.counted {
		if partitions, known := m.survey.known[topic]; known && len(partitions) != count {
			return true
		}
	}
	return false
}

// share decides what falls to whom. It reports false until it is known what there is to share out.
func (m *Member) share() bool {
	r := &m.round
	var topics []string
	for _, peer := range r.peers {
		topics = append(topics, peer.topics()...)
	}
	if !m.survey.covers(topics) {
		m.survey.soon()
		return false
	}
	r.counted = map[string]int{}
	for _, topic := range topics {
		r.counted[topic] = len(m.survey.known[topic])
	}
	shares, err := assign(m.protocol, r.peers, m.survey.known)
	if err != nil { // with nothing for anybody: the group is at least told of by this member, until the next round
		r.unshared, shares = err, []Share{}
	}
	r.shares = shares
	return true
}
