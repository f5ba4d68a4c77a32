// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import "time"

const (
	// beatsPerSession is how often a member says that it lives, at least, so that three in a row may be lost.
	beatsPerSession = 6
	// slowestBeat bounds how late a member hears that a round has begun, and so how long one takes: a request a second and
	// member, which a coordinator answers from memory.
	slowestBeat = time.Second
	// proofsPerSession is how often the lease is proved, at least: of its 4 sixths, two proofs may fail.
	proofsPerSession = 6
)

// Lease is the time for which the coordinator certainly counts the member in, by this process's own clock.
//
// It is extended by accepted commits, and by nothing else. A heartbeat is answered from memory, so a broker that was
// deposed as coordinator and does not know it yet answers it for as long as it likes, while its successor expels the
// member. A commit is answered once it has been replicated, which the deposed cannot do any more. So when a commit was
// sent, the coordinator was still the one, and whoever succeeds it begins to count the session anew; and a commit
// counts as a heartbeat. The member is not expelled for silence before a whole session has passed from then on: 2/3 of
// it is safe, with a third for what clocks may differ.
//
// A member is also expelled, whatever it says meanwhile, when a round has begun and it has not joined in the time that
// a round may take. So the lease never goes beyond that time, counted from the last proof that no round was under way.
type Lease struct {
	session time.Duration
	round   time.Duration
	settled time.Time
	until   time.Time
}

// prove takes an accepted commit.
func (l *Lease) prove(sent time.Time) {
	until := sent.Add(l.extent())
	if last := l.settled.Add(l.round); last.Before(until) {
		until = last
	}
	if until.After(l.until) {
		l.until = until
	}
}

// extent is how long a proof counts.
func (l *Lease) extent() time.Duration { return l.session * 2 / 3 }

// settle notes that no round was under way at that time, or that the last one ended later.
func (l *Lease) settle(at time.Time) {
	if at.After(l.settled) {
		l.settled = at
	}
}

// joinBy is when the member has to have joined a round that may have begun.
func (l *Lease) joinBy() time.Time { return l.settled.Add(l.round) }

func (l *Lease) holds(now time.Time) bool { return now.Before(l.until) }

func (l *Lease) end() { l.until = time.Time{} }

// interval is the time between heartbeats.
func (l *Lease) interval() time.Duration { return min(l.session/beatsPerSession, slowestBeat) }

// proofs is the time between proofs.
func (l *Lease) proofs() time.Duration { return l.session / proofsPerSession }
