// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"math"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Rule is what a lane does where the log does not hold its position: because retention was faster than the group, so
// that the log begins behind it, or because the log ends before it or is another one (a topic that was truncated, or
// made anew).
type Rule uint8

// The rules.
const (
	// EarliestOrBlock goes on at the earliest message where retention was faster, and blocks else: then nothing says which
	// messages the group has seen, so any guess may skip some.
	EarliestOrBlock Rule = iota
	// BlockOutOfRange blocks in both cases.
	BlockOutOfRange
	// ToEarliest and ToLatest go on there in both cases.
	ToEarliest
	ToLatest
	// ToNearest goes on at the end of the log that is nearer: the earliest message where retention was faster, the latest
	// where the log ends before the position. The position is a number like any other to it: in a log that was made anew
	// and holds it, it goes on there.
	ToNearest
)

// Jump is a change of position that no delivery made.
type Jump struct {
	At       time.Time
	From, To int64
	// Lost is how many offsets from From on retention removed before they were delivered.
	Lost int64
}

// askEvery is how often a lane that blocks for its position asks whether the log holds it again. What heals shows after
// one answer with messages, or two askings without an answer that speaks against it: 6 s, of the 10 s in which
// everything is to heal. The lanes of a process ask at the same times, since every asking costs the transport what it
// has buffered of all partitions.
const askEvery = 3 * time.Second

// outOfRange goes on where the rule says, or blocks.
func (l *Lane) outOfRange(now time.Time, err *kafka.OutOfRange) Action {
	behind := err.Position < err.Earliest
	switch rule := l.config.OutOfRange; {
	case !behind && !err.Truncated():
		return Action{Seek: true, To: err.Position} // the log holds it after all
	case rule == ToLatest, rule == ToNearest && !behind:
		return l.goOn(now, err, err.Latest)
	case behind && rule != BlockOutOfRange, rule == ToEarliest:
		return l.goOn(now, err, err.Earliest)
	}
	l.block(now, err, now.Truncate(askEvery).Add(askEvery))
	return Action{}
}

// goOn jumps. What was fetched before comes first: then the next message moves the position.
func (l *Lane) goOn(now time.Time, err *kafka.OutOfRange, to int64) Action {
	jump := Jump{At: now, From: err.Position, To: to, Lost: max(0, err.Earliest-err.Position)}
	if l.base >= l.window.Len() {
		jump.From, l.position = l.position, to
	}
	return l.jumped(jump)
}

func (l *Lane) jumped(jump Jump) Action {
	l.broken, l.jump = broken{}, jump
	l.lost += jump.Lost
	return Action{Seek: true, To: jump.To, Jumped: true, Jump: jump}
}

// replaced is a position beyond the end of another log, whose bounds are not known yet. Where the lane blocks it does
// not ask again: that the other log may grow to hold the position makes it none of its messages.
func (l *Lane) replaced(now time.Time, err error) Action {
	switch l.config.OutOfRange {
	case ToEarliest:
		// The start of a new log. Where it is not any more, the position is below the start.
		return l.goOn(now, &kafka.OutOfRange{Position: l.position}, 0)
	case ToLatest:
		return Action{Seek: true, To: math.MaxInt64} // out of range everywhere: the answer tells the log's end
	case ToNearest:
		// It may be in the new log, too. That the messages are others is all that is told of then.
		return l.goOn(now, &kafka.OutOfRange{Position: l.position}, l.position)
	case EarliestOrBlock, BlockOutOfRange:
		l.block(now, err, time.Time{})
	}
	return Action{}
}

// stuck is a position at which no message can be had, though the broker answers. The transport goes on asking.
func (l *Lane) stuck(now time.Time, err error) {
	l.block(now, err, time.Time{})
	l.broken.stuck = true
}

// unstuck is that nothing stands at the position any more.
func (l *Lane) unstuck() {
	if l.broken.stuck {
		l.broken = broken{}
	}
}

// block notes why nothing can be fetched. While it stays so, it is since the first time.
func (l *Lane) block(now time.Time, err error, askAt time.Time) {
	since := now
	if l.broken.err != nil {
		since = l.broken.since
	}
	l.broken = broken{since: since, err: err, askAt: askAt}
}

// ask tries whether a position that was not in the log is there by now. The next message says so; at the very end of
// the log there is none, and that nothing speaks against it has to do.
func (l *Lane) ask(now time.Time, action Action) Action {
	if l.broken.askAt.IsZero() || now.Before(l.broken.askAt) || l.paused || !l.Idle() {
		return action
	}
	if l.broken.asked {
		l.broken = broken{}
		return action
	}
	l.broken.asked, l.broken.askAt = true, now.Truncate(askEvery).Add(askEvery)
	return Action{Seek: true, To: l.position}
}
