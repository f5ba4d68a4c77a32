// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/balance"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// plan is how the group shares out its partitions, as computed from the last view.
type plan struct {
	strategy layout.Strategy
	// why says why the strategy is not the one asked for; empty if it is.
	why     string
	foreign bool
}

// replan computes what falls to this member. A view that lacks the member itself, or the partitions of a topic that a
// member just brought along, would give another answer than the other members compute: it waits for the next one.
func (m *Member) replan() {
	s := m.session
	if s.own() == nil {
		s.observe.failed(m.now, m.config.Rand())
		return
	}
	if !slices.Equal(m.relevantTopics(), s.observedTopics) {
		s.look()
		return
	}
	s.plan = choose(s.view.Members, m.config.Strategy)
	target := make(map[kafka.Partition]bool)
	all := assign(s.plan.strategy, s.view)
	s.nudges.shares = sharesOf(s.view.Members, all)
	for _, partition := range all.Of(s.member) {
		target[kafka.Partition(partition)] = true
	}
	m.keepUnclear(target)
	if s.planned && !sameKeys(target, s.target) {
		m.rebalances++
	}
	s.target, s.planned = target, true
}

// keepUnclear leaves with this member what it holds of a topic, or of a topic's broker in Kafka 0.7, whose node cannot
// be understood for now: what somebody wrote over it by mistake is no reason to give that up. The plan itself is made
// without those partitions, from what everybody can read: members that remember different things would not agree about
// the others either.
func (m *Member) keepUnclear(target map[kafka.Partition]bool) {
	for partition, c := range m.claims {
		if c.state != claiming && m.session.unclearPartition(partition) && m.session.own().Topics[partition.Topic] > 0 {
			target[partition] = true
		}
	}
}

// choose takes the strategy that all members choose from the same view, and says why it is not the one asked for.
func choose(members []layout.Registration, asked layout.Strategy) plan {
	agreed := layout.Agreed(members)
	p := plan{strategy: agreed.Strategy, foreign: agreed.Foreign, why: agreed.Why}
	if p.strategy == asked {
		p.why = ""
	}
	return p
}

func assign(strategy layout.Strategy, view layout.View) balance.Assignment {
	members := make([]balance.Member, 0, len(view.Members))
	for _, r := range view.Members {
		if len(r.Topics) == 0 { // it leaves
			continue
		}
		members = append(members, balance.Member{ID: r.ID, Name: r.Pod, Born: r.Born, Topics: r.Topics})
	}
	var partitions []balance.Partition
	for _, ofTopic := range view.Partitions {
		for _, partition := range ofTopic {
			partitions = append(partitions, balance.Partition(partition))
		}
	}
	if strategy == layout.Sticky {
		return balance.Sticky(members, partitions)
	}
	return balance.Range(members, partitions)
}

// wanted reports whether a partition is to be owned.
func (m *Member) wanted(partition kafka.Partition) bool {
	return !m.leaving && m.session.target[partition]
}

// drainTimeout is how long a lane that is given up may take.
func (m *Member) drainTimeout() time.Duration {
	if m.session != nil && m.session.plan.foreign {
		return min(foreignDrain, m.config.DrainTimeout)
	}
	return m.config.DrainTimeout
}
