// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/balance"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// idleLimit is how long partitions of a foreign member may be nobody's before it counts as one that has given up:
	// Kafka's old consumers try 4 times, 2 s apart, then do nothing until the list of members or a topic changes. 2 s more
	// are for the last try itself.
	idleLimit = 10 * time.Second
	// lastNudge is the longest between two nudges. Each makes every foreign member stop and balance, which takes about a
	// second; one that is not helped by them costs the others at most that much of 5 min.
	lastNudge = 5 * time.Minute
)

// nudges is what is known of foreign members that have given up, and what was done about it.
type nudges struct {
	// shares are what falls to each foreign member, by the plan.
	shares map[string][]kafka.Partition
	// members are the ids that since is about: whoever joins or leaves wakes the others.
	members string
	// since is when a foreign member was first seen with nothing of its share, zero if none is.
	since time.Time
	// given counts the nudges since then; wanted says that another is due.
	given  int
	wanted bool
}

// sharesOf takes the foreign members' part of an assignment.
func sharesOf(members []layout.Registration, all balance.Assignment) map[string][]kafka.Partition {
	shares := map[string][]kafka.Partition{}
	for _, member := range members {
		if !member.Foreign {
			continue
		}
		for _, partition := range all.Of(member.ID) {
			shares[member.ID] = append(shares[member.ID], kafka.Partition(partition))
		}
	}
	return shares
}

// others are the partitions whose claims are to be read besides those that concern this member.
func (n *nudges) others(own map[kafka.Partition]*claim) (others []kafka.Partition) {
	for _, id := range sortedKeys(n.shares) {
		for _, partition := range n.shares[id] {
			if own[partition] == nil {
				others = append(others, partition)
			}
		}
	}
	return others
}

// noteIdle looks for foreign members that have given up: each owns all of what falls to it, or nothing, so one whose
// share is nobody's altogether is either balancing, for a second or two, or has stopped to try. Nothing but a change of
// the members' list wakes it, so the first of samsa's members makes one: it registers again, under the same id.
func (m *Member) noteIdle(asked map[kafka.Partition]bool) {
	s := m.session
	n := &s.nudges
	if list := listOf(s.view.Members); list != n.members {
		n.members, n.since, n.given = list, time.Time{}, 0
	}
	switch {
	case !n.anyIdle(s.view, asked):
		n.since, n.given = time.Time{}, 0
	case n.since.IsZero():
		n.since = m.now
	case m.now.Sub(n.since) >= min(idleLimit<<min(n.given, 5), lastNudge) && s.isFirst(): // 10 s << 5 is beyond lastNudge
		n.wanted = true
	}
}

// anyIdle reports whether the share of a foreign member is nobody's, as far as its claims were asked for.
func (n *nudges) anyIdle(view layout.View, asked map[kafka.Partition]bool) bool {
	for _, share := range n.shares {
		free := 0
		for _, partition := range share {
			if _, owned := view.Owners[partition]; asked[partition] && !owned {
				free++
			}
		}
		if free > 0 && free == len(share) {
			return true
		}
	}
	return false
}

// isFirst reports whether this member is the one of samsa's that does what only one has to do.
func (s *session) isFirst() bool {
	for _, member := range s.view.Members {
		if !member.Foreign && !member.Leaving && member.ID < s.member {
			return false
		}
	}
	return true
}

// listOf makes one text of all ids, which have no spaces where Kafka's consumers or samsa's made them.
func listOf(members []layout.Registration) string {
	ids := make([]string, 0, len(members))
	for _, member := range members {
		ids = append(ids, member.ID)
	}
	return strings.Join(ids, " ")
}

// nudged notes that the registration was made again.
func (m *Member) nudged() {
	if n := &m.session.nudges; n.wanted {
		n.wanted, n.since = false, m.now
		n.given++
	}
}
