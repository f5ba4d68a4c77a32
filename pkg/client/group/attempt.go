// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import "time"

const (
	// firstRetry is the least time between two attempts at the same thing: a round trip or two.
	firstRetry = 50 * time.Millisecond
	// lastRetry is the most: what is broken heals within 10 s of its cause going away, and a group needs up to four
	// steps (register, observe, claim, place) to come back.
	lastRetry = 2 * time.Second
)

// attempt is something that is tried until it succeeds: never twice at once, and after a failure not at once again.
type attempt struct {
	underWay bool
	failures int
	// at is when the next one is due.
	at time.Time
	// off says that none is wanted.
	off bool
}

func (a *attempt) due(now time.Time) bool { return !a.off && !a.underWay && !now.Before(a.at) }

func (a *attempt) begin() { a.underWay = true }

// succeeded ends the attempt; the next one is due at that time.
func (a *attempt) succeeded(next time.Time) { *a = attempt{at: next} }

// failed ends the attempt; the next is due after a backoff that doubles up to lastRetry, spread by a quarter so that
// the members of a group do not come back all at once.
func (a *attempt) failed(now time.Time, random float64) {
	backoff := lastRetry
	if a.failures < 6 { // 50 ms << 6 is beyond lastRetry
		backoff = min(lastRetry, firstRetry<<a.failures)
	}
	backoff -= time.Duration(random * float64(backoff) / 4)
	*a = attempt{failures: a.failures + 1, at: now.Add(backoff)}
}

// soon makes the next attempt due now.
func (a *attempt) soon() { a.at = time.Time{} }

func (a *attempt) never() { *a = attempt{off: true} }

// soonest is the earliest of the times it considered.
type soonest struct{ at time.Time }

func (s *soonest) consider(at time.Time) {
	if s.at.IsZero() || at.Before(s.at) {
		s.at = at
	}
}

// pending considers an attempt that is waiting for its time, if it may be made at all: one that may not must not ask
// for ticks.
func (s *soonest) pending(may bool, a *attempt, now time.Time) {
	if may && !a.off && !a.underWay {
		s.consider(latest(a.at, now))
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
