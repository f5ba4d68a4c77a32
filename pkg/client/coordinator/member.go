// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Config says who the member is and how it behaves. All fields are required, but for Topics.
type Config struct {
	Group string
	// Pod is the member's name in every membership it will ever have.
	Pod string
	// Topics is what the member consumes, nil if SetTopics will tell: it does not join before.
	Topics []string
	// Strategy is what this member asks for while all members are samsa's.
	Strategy layout.Strategy
	// Start is where a group that never was begins.
	Start kafka.Place
	// Session is how long the member may be silent before the coordinator expels it.
	Session time.Duration
	// CommitInterval is the time between commits: what a killed member makes others deliver again.
	CommitInterval time.Duration
	// DrainTimeout bounds how long a lane that is given up may go on with what is under way.
	DrainTimeout time.Duration
	// Rand gives numbers evenly spread in [0, 1).
	Rand func() float64
}

// roundSlack is what a round may take beyond a drain: the news that it has begun (a heartbeat, up to a second), a look
// at the group, a commit, and one reconnection of 3 s.
const roundSlack = 6 * time.Second

// Member is one member of a group. It is not safe for concurrent use: its driver owns it.
type Member struct {
	config Config
	now    time.Time
	out    []group.Command
	serial uint64

	// topics is what is to be consumed, sorted; told says that it is known.
	topics []string
	told   bool

	membership
	round round

	// claims are the partitions that the member holds, or is about to; lanes those of them that run.
	claims map[kafka.Partition]*claim
	lanes  map[int64]*claim

	locate, commit attempt
	// writing is the commit under way.
	writing writing
	// urgent asks for a commit now.
	urgent bool
	start  start
	survey survey

	lastLane   int64
	rebalances int

	leaving bool
	leaveBy time.Time
	depart  attempt
	// torn says that lanes were ended without a last commit as the member left.
	torn bool
	left bool
}

// membership is what the coordinator knows of the member.
type membership struct {
	// id is the member's name for the coordinator, empty while it has given none.
	id string
	// epoch counts the memberships.
	epoch uint64
	// born is when the membership began, in milliseconds since 1970; 0 before it did.
	born int64
	// generation is the last one the member joined, 0 for none. It is synced once it is known what falls to the member.
	generation int32
	synced     bool
	syncedAt   time.Time
	// protocol is how that generation shares out partitions.
	protocol string
	target   map[kafka.Partition]bool

	lease Lease
	// leased is whether the lanes were last told that the lease holds.
	leased bool
	beat   attempt
	// heard is when the last beat was sent that was answered.
	heard time.Time

	describe attempt
	// view is the group in this generation, nil while it is not known.
	view *View
	// kept are the partitions that others kept through the last round.
	kept map[kafka.Partition]keeper
	// last is the last view of any generation, for what is shown.
	last View
	// joinErr and locateErr are why the last attempt failed, nil if it did not.
	joinErr, locateErr error
}

// New gives a member that has not joined.
func New(config Config) *Member {
	m := &Member{
		config: config,
		topics: slices.Compact(slices.Sorted(slices.Values(config.Topics))),
		told:   config.Topics != nil,
		claims: map[kafka.Partition]*claim{},
		lanes:  map[int64]*claim{},
	}
	m.lease = Lease{session: config.Session, round: m.roundTime()}
	m.round.wanted = true
	return m
}

// roundTime is how long a round may wait for this member.
func (m *Member) roundTime() time.Duration {
	return max(m.config.Session, m.config.DrainTimeout) + roundSlack
}

// Step records an event and returns what is to be done about the state it leads to. The slice is valid until the next
// Step.
func (m *Member) Step(now time.Time, event group.Event) []group.Command {
	m.now, m.out = now, m.out[:0]
	if m.left {
		return nil
	}
	m.learn(event)
	m.pursue()
	return m.out
}

// learn records what an event says.
func (m *Member) learn(event group.Event) {
	switch event := event.(type) {
	case Joined:
		m.joined(event)
	case Synced:
		m.syncAnswered(event)
	case Beaten:
		m.beaten(event)
	case Described:
		m.described(event)
	case Located:
		m.located(event)
	case Committed:
		m.committed(event)
	case Surveyed:
		m.surveyed(event)
	case Departed:
		m.departed(event)
	case group.Resolved:
		m.resolved(event)
	case group.Collected:
		m.collected(event)
	case group.Drained:
		m.drained(event)
	case group.Leave:
		m.leave()
	case group.CommitNow:
		m.urgent = true
	case group.SetTopics:
		m.setTopics(event)
	}
}

// pursue compares what is with what should be, and asks for what is missing and not yet under way, until nothing more
// is to be asked for, and a tick would change nothing before Next.
func (m *Member) pursue() {
	for moved := true; moved && !m.left; {
		asked, held := len(m.out), len(m.claims)
		m.keepLease()
		m.keepBeating()
		m.keepSurveyed()
		m.keepViewed()
		m.keepJoined()
		m.keepSynced()
		m.keepClaims()
		m.keepLocated()
		m.keepBegun()
		m.keepCommitting()
		m.keepLeaving()
		moved = len(m.out) != asked || len(m.claims) != held
	}
}

func (m *Member) emit(command group.Command) { m.out = append(m.out, command) }

// next gives a number that no command has had.
func (m *Member) next() uint64 {
	m.serial++
	return m.serial
}

// Next is when Step is to be called with group.Tick, unless another event comes first; the zero time if only an event
// can change anything.
func (m *Member) Next() time.Time {
	next := soonest{now: m.now}
	if m.left {
		return next.at
	}
	if m.leaving {
		next.consider(m.leaveBy)
	}
	if m.leased {
		next.consider(m.lease.until)
	}
	next.pending(m.mayBeat(), &m.beat)
	next.pending(m.maySurvey(), &m.survey.attempt)
	next.pending(m.mayView(), &m.describe)
	next.pending(m.mayLocate(), &m.locate)
	next.pending(m.mayBegin(), &m.start.attempt)
	next.pending(m.mayPlace(), &m.start.place)
	next.pending(m.mayDepart(), &m.depart)
	m.nextOfRound(&next)
	m.nextOfCommit(&next)
	for _, c := range m.claims {
		m.nextOf(c, &next)
	}
	return next.at
}

// setTopics takes what is to be consumed: the others learn of it in a round.
func (m *Member) setTopics(event group.SetTopics) {
	topics := slices.Compact(slices.Sorted(slices.Values(event.Topics)))
	if m.told && slices.Equal(topics, m.topics) {
		return
	}
	m.topics, m.told = topics, true
	m.round.want(m.now)
	m.survey.soon()
}

// expelled forgets a membership that is over: everything it held may be somebody else's.
func (m *Member) expelled() {
	m.outrun()
	m.id, m.born, m.heard = "", 0, time.Time{}
}

// outrun forgets a generation that went on without the member, and all it held. It is still a member.
func (m *Member) outrun() {
	m.torn = m.torn || m.leaving && len(m.lanes) > 0
	m.dropClaims()
	m.generation, m.synced, m.view, m.kept, m.target = 0, false, nil, nil, nil
	m.start = start{}
	m.lease.end()
	m.round = round{wanted: true, join: m.round.join, listed: m.round.listed}
	m.beat.succeeded(m.now)
}
