// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// state is how far the claim on a partition has come.
type state uint8

const (
	// claiming: not ours; taken as soon as nobody else holds it.
	claiming state = iota
	// placing: ours, and new to the group: it has no position yet.
	placing
	// running: ours, and its lane delivers.
	running
	// draining: ours, and its lane finishes what is under way.
	draining
	// releasing: ours, its lane has ended, and its last position and the end of the claim are to be written.
	releasing
	// forgoing: ours, and to be given up without a position.
	forgoing
	// rereading: perhaps ours; what stands there is to be read first: the claim's outcome is unknown, or a write was
	// refused, or the position could not be understood.
	rereading
)

// claim is what the member knows of a partition that it owns, or wants to.
type claim struct {
	partition kafka.Partition
	state     state
	// attempt is whatever is under way for this partition; never two things at once.
	attempt attempt
	// token is the fencing token, 0 until owned.
	token int64
	// holder is the thread that holds the claim while we wait.
	holder string
	// trouble is why the last attempt failed.
	trouble error

	// committed is what the offset node holds, version is the node's.
	committed int64
	version   int32
	// verified is when version was known to be the node's, at the latest.
	verified time.Time
	// written is the position of a write with unknown outcome, if doubtful.
	written  int64
	doubtful bool
	// malformed says that the claim was ours when last read, and its position could not be understood.
	malformed bool
	// resolved says that committed is the first position of a partition that is new to the group.
	resolved bool

	// lane runs the partition, 0 for none; everything before acked is acknowledged.
	lane  int64
	acked int64
	// drainBy is when a drain is cut short.
	drainBy time.Time
	cut     bool
}

// nextOf adds the times at which a claim needs attention.
func (m *Member) nextOf(c *claim, next *soonest) {
	switch c.state {
	case claiming:
		next.pending(m.mayClaim(c), &c.attempt, m.now)
	case running, draining:
		next.pending(c.doubtful, &c.attempt, m.now)
		if c.state == draining && !c.cut {
			next.consider(c.drainBy)
		}
	case placing, releasing, forgoing, rereading:
		next.pending(true, &c.attempt, m.now)
	}
}

// keepClaims brings every claim one step nearer to the plan.
func (m *Member) keepClaims() {
	if !m.session.planned {
		return
	}
	for partition := range m.session.target {
		if m.claims[partition] == nil && m.wanted(partition) {
			m.claims[partition] = &claim{partition: partition}
		}
	}
	var resolve []kafka.Partition
	for _, c := range m.unsettledClaims() {
		if c.state == placing && !c.resolved && m.wanted(c.partition) {
			c.attempt.begin()
			resolve = append(resolve, c.partition)
			continue
		}
		m.keepClaim(c)
	}
	if len(resolve) > 0 {
		m.emit(Resolve{Partitions: resolve, Place: kafka.Earliest()})
	}
}

// unsettledClaims are those for which something is to be done now, in order: usually none of many.
func (m *Member) unsettledClaims() []*claim {
	var unsettled []*claim
	for _, c := range m.claims {
		if m.needsCare(c) {
			unsettled = append(unsettled, c)
		}
	}
	slices.SortFunc(unsettled, func(a, b *claim) int { return a.partition.Compare(b.partition) })
	return unsettled
}

func (m *Member) needsCare(c *claim) bool {
	wanted := m.wanted(c.partition)
	switch c.state {
	case running:
		return !wanted
	case draining:
		return !c.cut && !m.now.Before(c.drainBy)
	case claiming, placing:
		return !c.attempt.underWay && (!wanted || c.attempt.due(m.now))
	case releasing, forgoing, rereading:
		return c.attempt.due(m.now)
	}
	return false
}

func (m *Member) keepClaim(c *claim) {
	wanted := m.wanted(c.partition)
	switch c.state {
	case claiming:
		m.keepClaiming(c, wanted)
	case placing:
		m.keepPlacing(c, wanted)
	case running:
		if !wanted {
			m.drain(c)
		}
	case draining:
		if !c.cut && !m.now.Before(c.drainBy) {
			c.cut = true
			m.emit(Cut{Lane: c.lane})
		}
	case releasing, forgoing, rereading:
		if c.attempt.due(m.now) {
			m.settle(c, wanted)
		}
	}
}

// keepClaiming takes the partition, for as long as it is wanted: whoever holds it now will go one day, so there is no
// last try.
func (m *Member) keepClaiming(c *claim, wanted bool) {
	if !wanted {
		if !c.attempt.underWay {
			delete(m.claims, c.partition)
		}
		return
	}
	if !m.mayClaim(c) || !c.attempt.due(m.now) {
		return
	}
	s := m.session
	c.attempt.begin()
	m.emit(Claim{
		Epoch: s.epoch, Member: s.member, Partition: c.partition,
		Txn: layout.Claim(m.config.Group, s.member, c.partition),
	})
}

func (m *Member) mayClaim(c *claim) bool {
	s := m.session
	return s.begun && s.planned && s.held && m.wanted(c.partition)
}

func (m *Member) claimed(event Claimed) {
	if m.in(event.Epoch) == nil {
		return
	}
	c := m.claims[event.Partition]
	if c == nil || c.state != claiming {
		return
	}
	c.trouble, c.holder = event.Err, event.Holder
	switch event.Outcome {
	case OK:
		c.attempt.succeeded(m.now)
		c.token = event.Token
		m.own(c, position{event.Placed, event.Offset, event.Version, event.Outlived})
	case Conflict:
		// A look leaves a watch on the owner's node, and sees it if the holder went meanwhile.
		c.attempt.failed(m.now, m.config.Rand())
		m.session.look()
	case Malformed:
		m.unreadable(c, event.Token)
	case Gone:
		m.abandon()
	case Unavailable:
		// It may stand. Were it forgotten, because the plan changed meanwhile, nobody else could ever claim the partition.
		c.attempt.failed(m.now, m.config.Rand())
		c.state = rereading
	}
}

// position is where a partition stands, as it was read.
type position struct {
	placed   bool
	offset   int64
	version  int32
	outlived bool
}

// own starts the lane of a partition that is certainly ours, where its position says.
func (m *Member) own(c *claim, at position) {
	c.doubtful, c.malformed, c.trouble = false, false, nil
	if !at.placed {
		c.state, c.resolved = placing, false
		return
	}
	c.committed, c.version, c.acked, c.verified = at.offset, at.version, at.offset, m.now
	if !m.wanted(c.partition) {
		c.state = releasing
		return
	}
	m.lastLane++
	c.state, c.lane, c.cut = running, m.lastLane, false
	m.lanes[c.lane] = c
	if len(m.lanes) == 1 {
		m.commit.succeeded(m.now.Add(m.config.CommitInterval))
	}
	m.emit(Start{Lane: c.lane, Partition: c.partition, Position: at.offset, Token: c.token, Outlived: at.outlived})
}

func (m *Member) keepPlacing(c *claim, wanted bool) {
	switch {
	case c.attempt.underWay:
	case !wanted:
		c.state = forgoing
		c.attempt.soon()
		m.settle(c, wanted)
	case c.resolved && c.attempt.due(m.now):
		position := layout.Position{Partition: c.partition, Offset: c.committed}
		m.transactFor(place, []layout.Position{position},
			layout.Place(m.config.Group, m.session.member, position))
	}
}

// drain ends the lane in order. The claim stands until the lane says that nothing is under way any more.
func (m *Member) drain(c *claim) {
	c.state = draining
	c.drainBy = m.now.Add(m.drainTimeout())
	m.emit(Drain{Lane: c.lane})
}

func (m *Member) drained(event Drained) {
	c := m.lanes[event.Lane]
	if c == nil {
		return
	}
	delete(m.lanes, event.Lane)
	c.lane, c.acked = 0, event.Position
	c.state = releasing
}

// settle writes, or reads, whatever stands between a claim without a lane and its end.
func (m *Member) settle(c *claim, wanted bool) {
	group, member := m.config.Group, m.session.member
	switch {
	case c.doubtful, c.state == rereading && (wanted || !c.malformed):
		m.read(c)
	case c.state == rereading: // certainly ours, else it would be read first: nobody else's claim must be deleted
		c.state = forgoing
		m.settle(c, wanted)
	case c.state == forgoing:
		m.transactFor(forgo, []layout.Position{{Partition: c.partition}}, layout.Forgo(group, member, c.partition))
	default:
		position := layout.Position{Partition: c.partition, Offset: c.acked, Version: c.version}
		compose := layout.Release
		if c.acked == c.committed {
			compose = layout.ReleaseUnmoved
		}
		m.transactFor(release, []layout.Position{position}, compose(group, member, position))
	}
}

// drop forgets a claim that is not ours any more. What its lane has delivered since its last commit will be delivered
// again.
func (m *Member) drop(c *claim) {
	m.stopLane(c)
	delete(m.claims, c.partition)
	m.session.look()
}

func (m *Member) stopLane(c *claim) {
	if c.lane == 0 {
		return
	}
	delete(m.lanes, c.lane)
	m.emit(Stop{Lane: c.lane})
	c.lane = 0
}
