// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Snapshot is what a member shows of itself.
type Snapshot struct {
	// Member is the id in this session, empty before registration.
	Member     string
	Registered bool
	// Epoch is the session's, 0 if there is none. LeaseUntil is until when it certainly lives.
	Epoch      uint64
	LeaseUntil time.Time
	// LeaseHolds is whether lanes may deliver.
	LeaseHolds bool
	// Observed says that the group has been read in this session, Begun that its start positions are decided.
	Observed, Begun bool
	// RegisterErr, ObserveErr and BeginErr are why the member is not registered, could not read the group, or could not
	// decide where it begins, the last time it tried; nil if it could.
	RegisterErr, ObserveErr, BeginErr error
	// Strategy is the one in force; Why says why it is not the one asked for.
	Strategy layout.Strategy
	Why      string
	Members  []layout.Registration
	// Topics are those that the member consumes: as it is registered or, while it is not, as it will be.
	Topics []string
	// Missing are the topics asked for that do not exist.
	Missing  []string
	Problems []layout.Problem
	Claims   []Claiming
	// Target is how many partitions fall to this member.
	Target int
	// Rebalances counts how often that set changed within a session.
	Rebalances int
	Leaving    bool
}

// State is how far a claim has come.
type State string

// The states of a claim.
const (
	// Unclaimed: to be claimed. Waiting: to be claimed once its holder lets go.
	Unclaimed State = "Unclaimed"
	Waiting   State = "Waiting"
	// Placing: ours, and new to the group: it gets its first position.
	Placing State = "Placing"
	// Running: ours, and its lane delivers. Draining: its lane finishes what is under way. Releasing: the lane has ended,
	// and the claim is being given up.
	Running   State = "Running"
	Draining  State = "Draining"
	Releasing State = "Releasing"
	// Rereading: perhaps ours; claim and position are being read again.
	Rereading State = "Rereading"
)

// Claiming is the state of one partition that the member owns, or wants to.
type Claiming struct {
	Partition kafka.Partition
	State     State
	// Holder is the thread that holds the claim while State is Waiting.
	Holder    string
	Lane      int64
	Token     int64
	Committed int64
	Acked     int64
	// Trouble is why the last attempt at the claim or the position failed, nil if it did not.
	Trouble error
}

// Snapshot describes the member.
func (m *Member) Snapshot() Snapshot {
	snapshot := Snapshot{Rebalances: m.rebalances, Leaving: m.leaving, Topics: m.topics}
	for _, partition := range sortedPartitions(m.claims) {
		snapshot.Claims = append(snapshot.Claims, m.claims[partition].describe())
	}
	s := m.session
	if s == nil {
		return snapshot
	}
	if s.registered && !s.retired {
		snapshot.Topics = s.topics
	}
	snapshot.Epoch, snapshot.Member, snapshot.Registered = s.epoch, s.member, s.registered
	snapshot.LeaseUntil, snapshot.LeaseHolds = s.lease.Until(), s.held
	snapshot.Observed, snapshot.Begun = s.planned, s.begun
	snapshot.RegisterErr, snapshot.ObserveErr = s.registerErr, s.observeErr
	if !s.begun {
		snapshot.BeginErr = s.beginErr
	}
	snapshot.Strategy, snapshot.Why = s.plan.strategy, s.plan.why
	snapshot.Members, snapshot.Problems = slices.Clone(s.view.Members), slices.Clone(s.view.Problems)
	snapshot.Target = len(s.target)
	if s.planned && m.config.Topics != nil { // those of a pattern are not asked for by name
		for _, topic := range m.config.Topics {
			if _, exists := s.view.Partitions[topic]; !exists && !s.unclear(topic) {
				snapshot.Missing = append(snapshot.Missing, topic)
			}
		}
	}
	return snapshot
}

// unclear says that a topic's node is there and cannot be understood.
func (s *session) unclear(topic string) bool { return s.malformed(layout.Topic(topic)) }

// unclearPartition says that what tells a partition is there and cannot be understood: the topic's node or, in Kafka
// 0.7, that of its broker below it.
func (s *session) unclearPartition(p kafka.Partition) bool {
	broker, ofBroker := layout.BrokerOf(p)
	return s.unclear(p.Topic) || ofBroker && s.malformed(layout.TopicBroker(p.Topic, broker))
}

func (s *session) malformed(path string) bool {
	return slices.ContainsFunc(s.view.Problems, func(p layout.Problem) bool { return p.Path == path })
}

func (c *claim) describe() Claiming {
	return Claiming{
		Partition: c.partition, State: c.stateName(), Holder: c.holder, Lane: c.lane, Token: c.token,
		Committed: c.committed, Acked: c.acked, Trouble: c.trouble,
	}
}

func (c *claim) stateName() State {
	switch c.state {
	case placing:
		return Placing
	case running:
		return Running
	case draining:
		return Draining
	case releasing, forgoing:
		return Releasing
	case rereading:
		return Rereading
	case claiming:
		if c.holder != "" {
			return Waiting
		}
	}
	return Unclaimed
}
