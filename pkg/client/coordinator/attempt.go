// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import "time"

const (
	// firstRetry is the least time between two attempts at the same thing: a round trip or two.
	firstRetry = 50 * time.Millisecond
	// lastRetry is the most: what is broken heals within 10 s of its cause going away, and a group needs up to four steps
	// (join, sync, locate, commit) to come back.
	lastRetry = 2 * time.Second
)

// attempt is something that is tried until it succeeds: never twice at once, and after a failure not at once again.
type attempt struct {
	underWay bool
	failures int
	// serial is that of the command under way; an answer to another one is not waited for any more.
	serial uint64
	// at is when the next one is due.
	at time.Time
}

func (a *attempt) due(now time.Time) bool { return !a.underWay && !now.Before(a.at) }

func (a *attempt) begin(serial uint64) { a.underWay, a.serial = true, serial }

// answers reports whether an answer is the one that is waited for.
func (a *attempt) answers(serial uint64) bool { return a.underWay && a.serial == serial }

// succeeded ends the attempt; the next one is due at that time.
func (a *attempt) succeeded(next time.Time) { *a = attempt{at: next} }

// failed ends the attempt; the next is due after a backoff that doubles up to lastRetry, spread by a quarter.
func (a *attempt) failed(now time.Time, random float64) {
	backoff := lastRetry
	if a.failures < 6 { // 50 ms << 6 is beyond lastRetry
		backoff = min(lastRetry, firstRetry<<a.failures)
	}
	backoff -= time.Duration(random * float64(backoff) / 4)
	*a = attempt{failures: a.failures + 1, at: now.Add(backoff)}
}

// soon makes the next attempt due now, unless one has just failed.
func (a *attempt) soon() {
	if a.failures == 0 {
		a.at = time.Time{}
	}
}

// soonest is the earliest of the times it considered.
type soonest struct{ at, now time.Time }

func (s *soonest) consider(at time.Time) {
	if at.Before(s.now) {
		at = s.now
	}
	if s.at.IsZero() || at.Before(s.at) {
		s.at = at
	}
}

// pending considers an attempt that is waiting for its time, if it may be made at all.
func (s *soonest) pending(may bool, a *attempt) {
	if may && !a.underWay {
		s.consider(a.at)
	}
}
