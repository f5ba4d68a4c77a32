// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// state is how far the hold on a partition has come.
type state uint8

const (
	// locating: fallen to us; its position is not known yet.
	locating state = iota
	// placing: it has no position: it is new to the group, or the group is.
	placing
	// taking: its position is known, and is to be committed in our name before anything is delivered.
	taking
	// running: its lane delivers.
	running
	// draining: its lane finishes what is under way.
	draining
	// releasing: its lane has ended, and its last position is to be committed.
	releasing
)

// claim is a partition that the member holds, or is about to.
type claim struct {
	partition kafka.Partition
	state     state
	// token is the generation in which the lane began.
	token int64
	// trouble is why the last attempt failed.
	trouble error

	// notBefore is when the partition may be taken: before, who kept it through the last round may still hold it, which
	// is holder.
	notBefore time.Time
	holder    string

	// committed is the position as committed, or found; written is when it was last committed.
	committed int64
	written   time.Time

	// lane runs the partition, 0 for none; everything before acked is acknowledged.
	lane  int64
	acked int64
	// drainBy is when a drain is cut short.
	drainBy time.Time
	cut     bool
}

// pending reports whether nothing has been delivered yet.
func (c *claim) pending() bool { return c.state < running }

// wanted reports whether a partition is to be held.
func (m *Member) wanted(partition kafka.Partition) bool {
	return !m.leaving && m.target[partition] && (m.round.mode != clearing || !m.round.due(m.now))
}

func (m *Member) nextOf(c *claim, next *soonest) {
	switch {
	case m.now.Before(c.notBefore): // else a commit is under way, or has its own time
		next.consider(c.notBefore)
	case c.state == draining && !c.cut:
		next.consider(c.drainBy)
	}
}

// keepClaims brings every claim one step nearer to what falls to the member.
func (m *Member) keepClaims() {
	if m.synced && !m.round.due(m.now) {
		for partition := range m.target {
			if m.claims[partition] == nil && m.wanted(partition) {
				m.claims[partition] = &claim{partition: partition}
			}
		}
	}
	for _, c := range m.unwantedClaims() {
		switch {
		case c.pending():
			delete(m.claims, c.partition)
		case c.state == running:
			m.drain(c)
		case c.state == draining && !m.now.Before(c.drainBy):
			c.cut = true
			m.emit(group.Cut{Lane: c.lane})
		}
	}
}

// unwantedClaims are those for which something is to be done now, in order: usually none of many. Until it is known
// what falls to the member, what it holds is as good as wanted, unless it is to hold nothing.
func (m *Member) unwantedClaims() []*claim {
	var unwanted []*claim
	known := m.synced || m.leaving
	for _, c := range m.claims {
		if c.state == draining && !c.cut && !m.now.Before(c.drainBy) ||
			known && !m.wanted(c.partition) && (c.pending() || c.state == running) {
			unwanted = append(unwanted, c)
		}
	}
	slices.SortFunc(unwanted, func(a, b *claim) int { return a.partition.Compare(b.partition) })
	return unwanted
}

// forgetPending gives up what has not begun: the next round says whether it falls to the member again.
func (m *Member) forgetPending() {
	for partition, c := range m.claims {
		if c.pending() {
			delete(m.claims, partition)
		}
	}
}

// held are the partitions whose lanes have begun, and whose last position is not committed: nobody else may have them.
func (m *Member) held() []kafka.Partition {
	var held []kafka.Partition
	for partition, c := range m.claims {
		if !c.pending() {
			held = append(held, partition)
		}
	}
	slices.SortFunc(held, kafka.Partition.Compare)
	return held
}

// run starts the lane of a partition whose position has been committed in our name.
func (m *Member) run(c *claim) {
	m.lastLane++
	c.state, c.lane, c.token, c.holder, c.trouble = running, m.lastLane, int64(m.generation), "", nil
	c.acked = c.committed
	m.lanes[c.lane] = c
	m.emit(group.Start{Lane: c.lane, Partition: c.partition, Position: c.committed, Token: c.token})
}

// drain ends the lane in order. The partition is held until the lane says that nothing is under way any more.
func (m *Member) drain(c *claim) {
	c.state, c.cut = draining, false
	c.drainBy = m.now.Add(m.config.DrainTimeout)
	if by := m.clearBy().Add(-m.clearSlack()); m.round.mode == clearing && by.Before(c.drainBy) {
		c.drainBy = by
	}
	m.emit(group.Drain{Lane: c.lane})
}

func (m *Member) drained(event group.Drained) {
	c := m.lanes[event.Lane]
	if c == nil {
		return
	}
	delete(m.lanes, event.Lane)
	c.lane, c.acked = 0, event.Position
	c.state = releasing
	m.urgent = true
}

// release forgets a partition whose last position is committed. Others may have it once they know, which takes a round;
// if it falls to the member still, or again, its lane begins anew.
func (m *Member) release(c *claim) {
	delete(m.claims, c.partition)
	if !m.synced || m.wanted(c.partition) || !cooperative(m.protocol) || m.leaving && m.protocol != own {
		return
	}
	at := m.now
	if m.draining() {
		at = at.Add(bunch)
	}
	m.round.wantAt(at)
}

func (m *Member) draining() bool {
	for _, c := range m.claims {
		if c.state == draining || c.state == releasing {
			return true
		}
	}
	return false
}

// dropClaims ends all lanes at once. What they have delivered since their last commit will be delivered again.
func (m *Member) dropClaims() {
	for _, c := range m.sortedClaims() {
		if c.lane != 0 {
			m.emit(group.Stop{Lane: c.lane})
		}
	}
	clear(m.lanes)
	clear(m.claims)
}

func (m *Member) sortedClaims() []*claim {
	all := make([]*claim, 0, len(m.claims))
	for _, c := range m.claims {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *claim) int { return a.partition.Compare(b.partition) })
	return all
}
