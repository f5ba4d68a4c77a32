// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const (
	// blockedAttempts and blockedAfter are when failing becomes Blocked: whichever comes first. Ten attempts at the
	// default backoff take some 50 s, about the minute that an operator would wait before looking.
	blockedAttempts = 10
	blockedAfter    = time.Minute
)

// Config is how a lane delivers.
type Config struct {
	// Limits bounds the batches given to the sink.
	Limits sink.Limits
	// InitialBackoff is the wait after the first failed attempt; it doubles up to MaxBackoff.
	InitialBackoff, MaxBackoff time.Duration
	// OutOfRange is what happens where the log does not hold the position.
	OutOfRange Rule
	// Rand gives numbers evenly spread in [0, 1).
	Rand func() float64
}

// Event is something that happened to the lane.
type Event interface{ event() }

type (
	// Tick says that time has passed; sent when Next is due.
	Tick struct{}
	// Fetched brings the next messages. Only an Idle lane takes them.
	Fetched struct{ Batch kafka.Batch }
	// Skipped says that there is no message in front of a position. It comes behind the batch that ends there.
	Skipped struct{ To int64 }
	// Answered ends the attempt under way: one result for each of its messages. The lane does not keep the slice.
	Answered struct{ Results []sink.Result }
	// Pause says that nothing may be delivered until Resume: the lease has lapsed.
	Pause struct{}
	// Resume undoes Pause.
	Resume struct{}
	// Drain asks the lane to end once nothing is under way, nor half of a wrapper of Kafka 0.7 delivered.
	Drain struct{}
	// OutOfRange says that the log does not hold the position that was to be fetched next.
	OutOfRange struct{ Err *kafka.OutOfRange }
	// Replaced says that the topic is not the one the position belongs to.
	Replaced struct{ Err error }
	// Stuck says that the broker answers, and that no message can be had at the position all the same: it is larger than
	// may be fetched, or what stands there is no message.
	Stuck struct{ Err error }
	// Unstuck says that the log ends at the position by now.
	Unstuck struct{}
	// Unfetched says that a fetch failed for a reason that says nothing about the position.
	Unfetched struct{}
)

func (Tick) event()       {}
func (Fetched) event()    {}
func (Skipped) event()    {}
func (Answered) event()   {}
func (Pause) event()      {}
func (Resume) event()     {}
func (Drain) event()      {}
func (OutOfRange) event() {}
func (Replaced) event()   {}
func (Stuck) event()      {}
func (Unstuck) event()    {}
func (Unfetched) event()  {}

// Action is what the driver is to do after a Step; the zero Action is nothing.
type Action struct {
	// Deliver is a batch to give to the sink, if it is not empty. Answered follows.
	Deliver kafka.Batch
	// Seek says that fetching is to go on at To.
	Seek bool
	To   int64
	// Jumped says that this leaves out, or repeats, what lies between: Jump.
	Jumped bool
	Jump   Jump
	// Drained says that the lane has ended at its Position.
	Drained bool
}

// Lane is one partition's deliveries. It is not safe for concurrent use: its driver owns it.
type Lane struct {
	config Config

	// position is where everything before it is acknowledged.
	position int64
	// window is what was fetched and is not wholly acknowledged; messages before base are.
	window kafka.Batch
	base   int
	// done marks messages of the window after base that the sink has, although one before them failed; nil while there are
	// none.
	done []bool
	// attempt is how many messages from base on are under way; 0 for none.
	attempt int

	// cut says that an attempt failed while draining: it was ended by whoever has no more time, or had no time to succeed.
	paused, draining, cut, drained bool

	retryAt time.Time
	// began is when the first message that is not acknowledged was first handed to the sink.
	began   time.Time
	trouble trouble
	broken  broken
	lost    int64
	jump    Jump
}

// New gives a lane whose messages before position are acknowledged.
func New(config Config, position int64) *Lane {
	return &Lane{config: config, position: position}
}

// Step records an event and says what is to be done.
func (l *Lane) Step(now time.Time, event Event) Action {
	if l.drained {
		return Action{}
	}
	var action Action
	switch event := event.(type) {
	case Fetched:
		l.window, l.base, l.done = event.Batch, 0, nil
		l.broken = broken{}
	case Skipped:
		l.skipped(event.To)
	case Answered:
		l.answered(now, event.Results)
	case Pause:
		l.paused = true
	case Resume:
		l.paused, l.retryAt = false, time.Time{}
	case Drain:
		l.draining = true
	case OutOfRange:
		action = l.outOfRange(now, event.Err)
	case Replaced:
		action = l.replaced(now, event.Err)
	case Stuck:
		l.stuck(now, event.Err)
	case Unstuck:
		l.unstuck()
	case Unfetched:
		l.broken.asked = false
	case Tick:
	}
	return l.pursue(now, l.ask(now, action))
}

func (l *Lane) pursue(now time.Time, action Action) Action {
	switch {
	case l.attempt > 0:
	case l.draining && !l.finishes():
		l.drained, action.Drained = true, true
	case l.draining:
		action.Deliver = l.next(l.base + l.rest())
		l.attempt, l.began = action.Deliver.Len(), now
	case l.paused, now.Before(l.retryAt):
	case l.base < l.window.Len():
		action.Deliver = l.next(l.window.Len())
		l.attempt = action.Deliver.Len()
		if l.trouble.attempts == 0 {
			l.began = now
		}
	}
	return action
}

// finishes reports whether a lane that drains delivers what is left of a wrapper first. The position moves only over
// whole wrappers, so whoever takes the partition over would deliver again what was delivered of it.
func (l *Lane) finishes() bool {
	return l.rest() > 0 && !l.paused && !l.cut && l.trouble.attempts == 0
}

// rest is how many messages from base on belong to the wrapper that the last acknowledged one is in. The last of a
// wrapper is the only one with a position behind it.
func (l *Lane) rest() (count int) {
	if l.base == 0 {
		return 0
	}
	for i := l.base; i < l.window.Len() && l.window.Next(i-1) <= l.window.Message(i-1).Offset; i++ {
		count++
	}
	return count
}

// next is the run of messages to try now, of those in front of last: from the first that is not acknowledged up to one
// that is, within the limits. One message always goes, however large.
func (l *Lane) next(last int) kafka.Batch {
	end, size := l.base, 0
	for end < last && !l.isDone(end) {
		if l.config.Limits.Messages > 0 && end-l.base >= l.config.Limits.Messages {
			break
		}
		if l.config.Limits.Bytes > 0 {
			size += l.window.Size(end)
			if end > l.base && size > l.config.Limits.Bytes {
				break
			}
		}
		end++
	}
	return l.window.Slice(l.base, end)
}

func (l *Lane) isDone(i int) bool { return l.done != nil && l.done[i] }

// answered moves the position over what is acknowledged without a gap, and decides when the first message that is not
// is tried again.
func (l *Lane) answered(now time.Time, results []sink.Result) {
	from := l.base
	l.attempt = 0
	first := 0
	for first < len(results) && results[first].Outcome == sink.Done {
		first++
	}
	l.base += first
	if first < len(results) {
		l.remember(from, results)
	}
	for l.base < l.window.Len() && l.isDone(l.base) {
		l.base++
	}
	if l.base > from {
		l.position = l.window.Next(l.base - 1)
		l.trouble = trouble{}
	}
	if first < len(results) {
		l.failed(now, results[first])
	}
	if l.base == l.window.Len() {
		l.window, l.base, l.done = kafka.Batch{}, 0, nil
	}
}

// skipped moves the position over what is no message. An Idle lane alone does: another one has not acknowledged
// everything that comes before.
func (l *Lane) skipped(to int64) {
	if l.Idle() && to > l.position {
		l.position, l.broken = to, broken{}
	}
}

// remember notes what the sink has behind the first message that it has not, so that it is not sent again.
func (l *Lane) remember(from int, results []sink.Result) {
	for i, result := range results {
		if result.Outcome != sink.Done {
			continue
		}
		if l.done == nil {
			l.done = make([]bool, l.window.Len())
		}
		l.done[from+i] = true
	}
}

func (l *Lane) failed(now time.Time, result sink.Result) {
	if l.paused || l.draining { // the attempt was ended by us: that says nothing about the sink
		l.cut = l.draining
		return
	}
	if result.Outcome == sink.Untried {
		// The sink stopped before this message without saying why: at its own fault, so it does not count against the
		// message.
		l.retryAt = now.Add(l.config.InitialBackoff)
		return
	}
	l.trouble.add(now, result)
	l.retryAt = now.Add(l.backoff(result))
}

// backoff doubles from attempt to attempt, less up to a fifth so that lanes that failed together do not come back
// together. A sink that asks for more time gets it; one that will never take the message is not asked often.
func (l *Lane) backoff(result sink.Result) time.Duration {
	backoff := l.config.MaxBackoff
	if result.Outcome != sink.Permanent {
		backoff = l.grown(l.trouble.attempts - 1)
	}
	backoff -= time.Duration(l.config.Rand() * float64(backoff) / 5)
	return max(backoff, result.After)
}

// grown is the initial backoff, doubled so many times, at most the longest. It stops doubling there: durations
// overflow.
func (l *Lane) grown(doublings int) time.Duration {
	backoff := l.config.InitialBackoff
	for ; doublings > 0 && backoff < l.config.MaxBackoff; doublings-- {
		backoff *= 2
	}
	return min(backoff, l.config.MaxBackoff)
}

// Next is when Step is to be called with Tick, unless something else comes first; the zero time if only an event can
// change anything.
func (l *Lane) Next() time.Time {
	switch {
	case l.attempt > 0 || l.paused || l.drained:
		return time.Time{}
	case l.base >= l.window.Len():
		return l.broken.askAt
	}
	return l.retryAt
}

// Idle reports whether the lane can take Fetched.
func (l *Lane) Idle() bool {
	return l.attempt == 0 && l.base >= l.window.Len() && !l.draining && !l.drained
}

// Position is where everything before it is acknowledged.
func (l *Lane) Position() int64 { return l.position }

// Lost is how many offsets retention removed before they were delivered.
func (l *Lane) Lost() int64 { return l.lost }
