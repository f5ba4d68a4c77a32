// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// bunch is the wait for more of the same before a round is asked for: lanes that drain at about the same time.
const bunch = 500 * time.Millisecond

// round is the way to the next generation.
type round struct {
	// wanted asks for one, at that time.
	wanted bool
	at     time.Time
	mode   mode
	// looking says that the view that was asked for is to decide the mode.
	looking bool
	// gathering is when the last heartbeat was sent that heard that the round was still going on.
	gathering time.Time

	join, sync attempt
	// listed are the partitions that the member told the others it holds, sorted.
	listed []kafka.Partition
	// leads says that the member shares the partitions out in the round under way, among peers. It does so once the
	// partitions of their topics are known.
	leads bool
	peers []Peer
	// shares are what it decided, nil before. counted are the partitions they are of.
	shares  []Share
	counted map[string]int
	// unshared is why nobody was given anything, nil if all went well.
	unshared error
}

// mode is how the member goes into a round.
type mode uint8

const (
	// undecided: the group is to be looked at first.
	undecided mode = iota
	// keeping: with what it has.
	keeping
	// clearing: with nothing; everything is drained before.
	clearing
)

// want asks for a round now.
func (r *round) want(now time.Time) { r.wantAt(now) }

// wantAt asks for a round at that time, or before if one is wanted before.
func (r *round) wantAt(at time.Time) {
	if !r.wanted || at.Before(r.at) {
		r.wanted, r.at = true, at
	}
}

// due reports whether the time for a round that is wanted has come.
func (r *round) due(now time.Time) bool { return r.wanted && !now.Before(r.at) }

// mayJoin reports whether a round is to be joined as soon as everything is ready for it.
func (m *Member) mayJoin() bool {
	r := &m.round
	return m.told && r.due(m.now) && !r.join.underWay && !r.sync.underWay && (!m.leaving || len(m.claims) > 0)
}

// keepJoined joins the next round, once what is held may be taken into it, or is drained.
func (m *Member) keepJoined() {
	r := &m.round
	if !m.mayJoin() || !r.join.due(m.now) {
		return
	}
	if m.generation == 0 {
		r.mode = keeping // there is nothing to keep
	}
	m.forgetPending()
	late := !m.now.Before(m.clearBy())
	switch {
	case len(m.claims) == 0, r.mode == keeping:
	case late: // what is still under way will be delivered again, by whoever gets it
		m.torn = m.torn || m.leaving
		m.dropClaims()
	default:
		return
	}
	r.sync = attempt{}
	r.leads, r.peers, r.shares = false, nil, nil
	r.listed = m.held()
	serial := m.next()
	r.join.begin(serial)
	m.emit(Join{
		Serial: serial, Member: m.id, Session: m.config.Session, Rebalance: m.roundTime(), Protocols: m.protocols(),
	})
}

// clearBy is when a round is joined with or without what is still draining: the last moment, less the time for the
// news.
func (m *Member) clearBy() time.Time { return m.lease.joinBy().Add(-m.clearSlack()) }

// clearSlack is kept for cutting lanes off, a commit, and the way of the request: 2 s, or less where sessions are
// short.
func (m *Member) clearSlack() time.Duration { return min(2*time.Second, m.config.Session/4) }

// mayLookAhead reports whether the group is to be looked at before a round. Nothing is at stake without claims.
func (m *Member) mayLookAhead() bool {
	return m.mayJoin() && m.round.mode == undecided && len(m.claims) > 0 && m.generation > 0
}

// foresee decides how to go into the round.
func (m *Member) foresee(event Described) {
	r := &m.round
	r.looking = false
	if event.Verdict != Accepted || r.mode != undecided {
		return
	}
	r.mode = keeping
	for _, peer := range event.View.Peers {
		if !peer.ours() {
			r.mode = clearing
		}
	}
}

func (m *Member) joined(event Joined) {
	r := &m.round
	if !r.join.answers(event.Serial) {
		return
	}
	m.joinErr = event.Err
	switch event.Verdict {
	case Accepted:
		m.enter(event)
	case Named:
		m.joinErr = nil
		m.adopt(event.Member)
		r.join.succeeded(m.now)
	case Expelled:
		m.expelled()
		m.round.join.failed(m.now, m.config.Rand())
	case Unavailable, Rebalancing, Outdated, Refused:
		r.mode = undecided // who is there may have changed meanwhile
		r.join.failed(m.now, m.config.Rand())
	}
}

func (m *Member) adopt(id string) {
	if id != m.id {
		m.id = id
		m.epoch++
	}
}

// enter takes a new generation. What was kept stays while the protocol has all members respect it; under any other it
// is given to others without asking, so it ends at once.
func (m *Member) enter(event Joined) {
	r := &m.round
	m.lease.settle(latest(event.Sent, r.gathering))
	if event.Member != m.id && m.generation > 0 { // somebody else by now, for the coordinator
		m.dropClaims()
	}
	m.adopt(event.Member)
	m.generation, m.protocol, m.synced, m.view = event.Generation, event.Protocol, false, nil
	if event.Short {
		m.lease.round = m.config.Session
	}
	if !cooperative(m.protocol) {
		m.dropClaims()
	}
	*r = round{leads: event.Leads, peers: event.Members, counted: r.counted, listed: r.listed}
	m.describe.succeeded(m.now)
	m.beat.succeeded(m.now)
	m.commit.soon()
}

// keepSynced hands in what falls to whom, and asks for the own share.
func (m *Member) keepSynced() {
	r := &m.round
	if !m.maySync() || !r.sync.due(m.now) {
		return
	}
	if r.leads && r.shares == nil && !m.share() {
		return
	}
	serial := m.next()
	r.sync.begin(serial)
	m.emit(Sync{Serial: serial, Member: m.id, Generation: m.generation, Protocol: m.protocol, Shares: r.shares})
}

func (m *Member) maySync() bool {
	return m.generation > 0 && !m.synced && !m.round.join.underWay && !m.round.due(m.now)
}

func (m *Member) syncAnswered(event Synced) {
	r := &m.round
	if !r.sync.answers(event.Serial) {
		return
	}
	m.joinErr = event.Err
	switch event.Verdict {
	case Accepted:
		m.take(event)
	case Rebalancing:
		r.sync.failed(m.now, m.config.Rand())
		m.joinErr = nil
		r.want(m.now)
	case Outdated:
		m.outrun()
	case Expelled:
		m.expelled()
	case Unavailable, Named, Refused:
		r.sync.failed(m.now, m.config.Rand())
	}
}

// take learns what falls to the member in this generation.
func (m *Member) take(event Synced) {
	target, err := decodeAssignment(event.Assignment)
	if err != nil {
		m.joinErr = err
	}
	if m.target != nil && !samePartitions(target, m.target) {
		m.rebalances++
	}
	m.target, m.synced, m.syncedAt = target, true, m.now
	m.round.sync = attempt{}
	m.locate.succeeded(m.now)
	m.start.reset()
	m.urgent = true // in the new generation, for the lease
	for _, partition := range m.round.listed {
		if m.claims[partition] == nil && !target[partition] { // it was let go meanwhile, and nobody knows
			m.round.want(m.now)
		}
	}
	m.round.listed = nil
}

// mayView reports whether the group is to be looked at.
func (m *Member) mayView() bool {
	return m.mayLookAhead() || m.synced && m.view == nil && !m.round.due(m.now)
}

func (m *Member) keepViewed() {
	if !m.mayView() || !m.describe.due(m.now) {
		return
	}
	m.round.looking = m.mayLookAhead()
	serial := m.next()
	m.describe.begin(serial)
	m.emit(Describe{Serial: serial})
}

func (m *Member) described(event Described) {
	if !m.describe.answers(event.Serial) {
		return
	}
	if event.Verdict != Accepted || !m.round.looking && !event.View.Stable {
		m.describe.failed(m.now, m.config.Rand())
	} else {
		m.describe.succeeded(m.now)
	}
	switch {
	case m.round.looking:
		m.foresee(event)
	case event.Verdict == Accepted && event.View.Stable && m.synced && m.view == nil:
		m.view, m.last = &event.View, event.View
		m.verify()
	}
}

func (m *Member) nextOfRound(next *soonest) {
	r := &m.round
	if m.told && r.wanted && !r.join.underWay && !r.sync.underWay && (!m.leaving || len(m.claims) > 0) {
		switch {
		case m.now.Before(r.at):
			next.consider(r.at)
		case len(m.claims) == 0 || r.mode == keeping || m.generation == 0:
			next.consider(r.join.at)
		default:
			next.consider(latest(m.clearBy(), r.join.at))
		}
	}
	next.pending(m.maySync() && (!r.leads || r.shares != nil), &r.sync)
}

func samePartitions(a, b map[kafka.Partition]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for partition := range a {
		if !b[partition] {
			return false
		}
	}
	return true
}
