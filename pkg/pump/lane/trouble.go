// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/sink"
)

// trouble is what keeps the first unacknowledged message from being acknowledged.
type trouble struct {
	since     time.Time
	attempts  int
	err       error
	permanent bool
}

// broken is why nothing more can be fetched. What was fetched before is still delivered.
type broken struct {
	since time.Time
	err   error
	// stuck says that the message at the position is to blame, and not the position.
	stuck bool
	// askAt is when to ask whether it is over, zero for never; asked says that the last asking had no answer yet.
	askAt time.Time
	asked bool
}

func (t *trouble) add(now time.Time, result sink.Result) {
	if t.attempts == 0 {
		t.since = now
	}
	t.attempts++
	t.err, t.permanent = result.Err, result.Outcome == sink.Permanent
}

func (t *trouble) blocks(now time.Time) bool {
	return t.permanent || t.attempts >= blockedAttempts ||
		t.attempts > 0 && now.Sub(t.since) >= blockedAfter
}

// Status is what a lane shows of itself.
type Status struct {
	// Position is where everything before it is acknowledged.
	Position int64
	// InFlight is how many messages are at the sink.
	InFlight int
	// Pending is how many messages of the current fetch are not acknowledged.
	Pending int
	// Message is the id of the first message that is not acknowledged, if it has failed; Attempts is how often, Since from
	// when on, and Err why, the last time.
	Message  string
	Attempts int
	Since    time.Time
	Err      error
	// Trying is since when the sink has been tried with that message, failed yet or not; zero if it is not being tried.
	Trying time.Time
	// Blocked says that this has gone on for so long that somebody should look.
	Blocked  bool
	Paused   bool
	Draining bool
	// Lost is how many offsets retention removed before they were delivered.
	Lost int64
	// Jump is the last change of position that no delivery made; zero if there was none.
	Jump Jump
}

// Status describes the lane.
func (l *Lane) Status(now time.Time) Status {
	status := Status{
		Position: l.position, InFlight: l.attempt, Pending: l.window.Len() - l.base,
		Attempts: l.trouble.attempts, Since: l.trouble.since, Err: l.trouble.err,
		Blocked: l.trouble.blocks(now), Paused: l.paused, Draining: l.draining, Lost: l.lost, Jump: l.jump,
	}
	if l.attempt > 0 || l.trouble.attempts > 0 {
		status.Trying = l.began
	}
	if l.trouble.attempts > 0 && l.base < l.window.Len() {
		status.Message = l.window.Message(l.base).ID()
	}
	if l.broken.err != nil && status.Attempts == 0 {
		status.Blocked, status.Since, status.Err = true, l.broken.since, l.broken.err
	}
	return status
}
