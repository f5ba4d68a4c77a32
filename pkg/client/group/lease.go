// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import "time"

// probesPerSession is how often the lease is asked for: a session is 6 probes long, the lease 4 of them (2/3), so three
// in a row may fail before work pauses.
const probesPerSession = 6

// Lease is the time for which a session is certainly alive, by this process's own clock. ZooKeeper tells a client of
// its session's end only after it reconnects, which is too late: by then others own its partitions.
//
// A probe is a sync and a read of the member's own node. The sync makes the leader answer; so when the probe was sent,
// the leader had heard of the session at most session/6 (the last probe) and half a tick (how often a follower reports)
// before. The leader forgets a session not before it has been silent for the whole timeout. 2/3 of the timeout, counted
// from when the probe was sent, is therefore safe while session/6 + tick/2 <= session/3, that is for ticks up to a
// third of the session.
type Lease struct {
	session time.Duration
	until   time.Time
}

// NewLease gives a lease that does not hold yet.
func NewLease(session time.Duration) Lease { return Lease{session: session} }

// Extend records that a probe sent at that time was answered, whenever the answer came. A late answer never shortens
// the lease.
func (l *Lease) Extend(sent time.Time) {
	if until := sent.Add(l.session * 2 / 3); until.After(l.until) {
		l.until = until
	}
}

// Holds reports whether the session is certainly alive.
func (l *Lease) Holds(now time.Time) bool { return now.Before(l.until) }

// Until is when the lease ends unless it is extended.
func (l *Lease) Until() time.Time { return l.until }

// Interval is the time between probes.
func (l *Lease) Interval() time.Duration { return l.session / probesPerSession }
