// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Config says who the member is and how it behaves. All fields are required, but for Topics.
type Config struct {
	Group string
	// Pod is the member's name in every session it will ever have.
	Pod string
	// Topics is what the member consumes, nil if SetTopics will tell: it does not register before.
	Topics []string
	// Strategy is what this member asks for; foreign members in the group overrule it.
	Strategy layout.Strategy
	// Start is where a group that never was begins.
	Start kafka.Place
	// CommitInterval is the time between commits: what a killed member makes others deliver again.
	CommitInterval time.Duration
	// DrainTimeout bounds how long a lane that is given up may go on with what is under way.
	DrainTimeout time.Duration
	// Rand gives numbers evenly spread in [0, 1).
	Rand func() float64
}

const (
	// foreignDrain bounds a drain while foreign members are in the group: they try to claim 4 times, 2 s apart, then
	// give up for good. A release within 2 s is there at their second try.
	foreignDrain = 2 * time.Second
	// commitChunk bounds a commit to about 16 ms of the server's time: 500 positions in one transaction were measured at
	// 32 ms on ZooKeeper 3.8, and 250 of up to 300 bytes stay far below its limit of 1 MiB a request.
	commitChunk = 250
)

// Member is one member of a group. It is not safe for concurrent use: its driver owns it.
type Member struct {
	config Config
	now    time.Time
	out    []Command

	// session is nil while there is none.
	session *session
	claims  map[kafka.Partition]*claim
	lanes   map[int64]*claim
	txns    map[uint64]transaction

	// topics is what is to be consumed, sorted; told says that it is known.
	topics []string
	told   bool

	lastLane   int64
	lastTxn    uint64
	commit     attempt
	rebalances int

	leaving bool
	leaveBy time.Time
	hurries bool
	// torn says that the session ended under claims that were about to be released.
	torn bool
	left bool
}

// New gives a member that has no session yet.
func New(config Config) *Member {
	return &Member{
		config: config,
		topics: slices.Compact(slices.Sorted(slices.Values(config.Topics))),
		told:   config.Topics != nil,
		claims: map[kafka.Partition]*claim{},
		lanes:  map[int64]*claim{},
		txns:   map[uint64]transaction{},
	}
}

// Step records an event and returns what is to be done about the state it leads to. The slice is valid until the next
// Step.
func (m *Member) Step(now time.Time, event Event) []Command {
	m.now, m.out = now, m.out[:0]
	if m.left {
		return nil
	}
	m.learn(event)
	m.pursue()
	return m.out
}

// learn records what an event says, and nothing else.
func (m *Member) learn(event Event) {
	switch event := event.(type) {
	case SessionUp:
		m.sessionUp(event)
	case SessionLost:
		m.sessionLost(event)
	case Hint:
		m.hint(event)
	case Registered:
		m.registered(event)
	case Probed:
		m.probed(event)
	case Observed:
		m.observed(event)
	case Claimed:
		m.claimed(event)
	case Resolved:
		m.resolved(event)
	case Transacted:
		m.transacted(event)
	case Reread:
		m.reread(event)
	case Collected:
		m.collected(event)
	case Drained:
		m.drained(event)
	case Leave:
		m.leave()
	case CommitNow:
		m.commit.soon()
	case SetTopics:
		m.setTopics(event)
	case Unregistered:
		m.unregistered(event)
	case Tick:
	}
}

// pursue compares what is with what should be, and asks for what is missing and not yet under way, until nothing more
// is to be asked for: so what is due afterwards and was not begun waits for an event, never for time.
func (m *Member) pursue() {
	for asked := -1; asked != len(m.out) && !m.left; {
		asked = len(m.out)
		if m.session != nil {
			m.keepLease()
			m.keepRegistered()
			m.keepSubscribed()
			m.keepObserving()
			m.keepBegun()
			m.keepClaims()
			m.keepCommitting()
		}
		m.keepLeaving()
	}
}

func (m *Member) emit(command Command) { m.out = append(m.out, command) }

// Next is when Step is to be called with Tick, unless another event comes first; the zero time if only an event can
// change anything.
func (m *Member) Next() time.Time {
	var next soonest
	if m.left {
		return next.at
	}
	if m.leaving {
		next.consider(m.leaveBy)
	}
	s := m.session
	if s == nil {
		return next.at
	}
	if s.held {
		next.consider(s.lease.Until())
	}
	next.pending(m.mayRegister(), &s.register, m.now)
	next.pending(s.registered, &s.probe, m.now)
	next.pending(m.mayObserve(), &s.observe, m.now)
	next.pending(m.mayBegin(), &s.begin, m.now)
	next.pending(m.mayResubscribe(), &s.subscribe, m.now)
	next.pending(m.mayUnregister(), &s.unregister, m.now)
	next.pending(len(m.lanes) > 0, &m.commit, m.now)
	for _, c := range m.claims {
		m.nextOf(c, &next)
	}
	return next.at
}
