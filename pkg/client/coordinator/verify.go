// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// keeper is who kept a partition through the last round, and until when it may deliver it at the longest.
type keeper struct {
	member string
	until  time.Time
}

// verify looks for members that kept partitions through a round whose outcome does not respect that. A member of
// samsa's does so only while it knows of no stranger; one that joins between its look and the end of the round makes
// the group choose a protocol that gives away what was kept. Who kept it drops it as soon as it hears of the outcome,
// or when its lease ends, which is proved by nothing after the round; and whoever is given it meanwhile waits for that:
// what was kept stands in the metadata that all can read.
func (m *Member) verify() {
	m.kept = map[kafka.Partition]keeper{}
	for _, peer := range m.view.Peers {
		if peer.ID == m.id || !peer.ours() {
			continue
		}
		until := m.syncedAt.Add(peer.session(m.config.Session) * 2 / 3)
		for _, partition := range peer.owned() {
			m.kept[partition] = keeper{peer.ID, until}
		}
	}
}

// mayTake reports whether nobody else of samsa's can be delivering a partition that fell to this member.
func (m *Member) mayTake(c *claim) bool {
	if m.protocol == own {
		return true
	}
	if m.view == nil {
		return false
	}
	if keeper, kept := m.kept[c.partition]; kept && m.now.Before(keeper.until) {
		c.holder, c.notBefore = keeper.member, keeper.until
		return false
	}
	return true
}
