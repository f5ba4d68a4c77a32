// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// errTopicsUnread is what stands before the first survey.
var errTopicsUnread = errors.New("the topics' partitions have not been read yet")

// Snapshot describes the member, in the words of groups in ZooKeeper: its session is its membership.
func (m *Member) Snapshot() group.Snapshot {
	snapshot := group.Snapshot{
		Member: m.id, Registered: m.generation > 0, Epoch: m.epoch,
		LeaseUntil: m.counted(), LeaseHolds: m.leased,
		Observed: m.synced, Begun: m.start.known || len(m.lanes) > 0,
		RegisterErr: cmp.Or(m.joinErr, m.round.unshared),
		ObserveErr:  cmp.Or(m.locateErr, m.survey.err), BeginErr: m.start.err,
		Topics: m.topics, Target: len(m.target), Rebalances: m.rebalances, Leaving: m.leaving,
	}
	if m.synced && m.survey.known == nil {
		snapshot.ObserveErr = cmp.Or(snapshot.ObserveErr, errTopicsUnread)
	}
	for _, topic := range m.config.Topics { // those of a pattern are not asked for by name
		if partitions, known := m.survey.known[topic]; known && len(partitions) == 0 {
			snapshot.Missing = append(snapshot.Missing, topic)
		}
	}
	for _, peer := range m.last.Peers {
		snapshot.Members = append(snapshot.Members, peer.Registration())
	}
	if m.generation > 0 {
		snapshot.Strategy, snapshot.Why = Strategy(m.protocol, snapshot.Members)
	}
	if snapshot.Strategy == m.config.Strategy {
		snapshot.Why = ""
	}
	for _, c := range m.sortedClaims() {
		snapshot.Claims = append(snapshot.Claims, c.describe())
	}
	return snapshot
}

// counted is until when the coordinator counts the member in. Without lanes there is nothing to commit that would prove
// it, and nothing that could be delivered twice; so heartbeats will do.
func (m *Member) counted() time.Time {
	if len(m.lanes) > 0 || m.heard.IsZero() {
		return m.lease.until
	}
	return latest(m.lease.until, m.heard.Add(m.lease.extent()))
}

// Strategy says how the partitions are shared out under a protocol, in the words of groups in ZooKeeper, and why it is
// not Sticky.
func Strategy(protocol string, members []layout.Registration) (layout.Strategy, string) {
	if protocol == "" {
		return 0, ""
	}
	if protocol == own {
		for _, r := range members {
			if r.Strategy == layout.Range {
				return layout.Range, fmt.Sprintf("%s asks for it", r.Pod)
			}
		}
		return layout.Sticky, ""
	}
	var foreign []string
	for _, r := range members {
		if r.Foreign {
			foreign = append(foreign, r.ID)
		}
	}
	slices.Sort(foreign)
	who := "members that are not samsa's"
	if len(foreign) > 0 {
		who = strings.Join(foreign[:min(len(foreign), namedMembers)], ", ")
		if more := len(foreign) - namedMembers; more > 0 {
			who += fmt.Sprintf(" and %d more", more)
		}
	}
	return layout.Range, fmt.Sprintf(
		"%s: with them the group shares partitions out by %q, and all of samsa's stop for each change", who, protocol)
}

// namedMembers is how many members a text names: it stands in a status.
const namedMembers = 3

func (c *claim) describe() group.Claiming {
	return group.Claiming{
		Partition: c.partition, State: c.stateName(), Holder: c.holder, Lane: c.lane, Token: c.token,
		Committed: c.committed, Acked: c.acked, Trouble: c.trouble,
	}
}

func (c *claim) stateName() group.State {
	switch c.state {
	case placing:
		return group.Placing
	case running:
		return group.Running
	case draining:
		return group.Draining
	case releasing:
		return group.Releasing
	case locating, taking:
		if c.holder != "" {
			return group.Waiting
		}
	}
	return group.Unclaimed
}
