// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"errors"
	"fmt"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// A position that was refused and lies in the log after all was at its very end a moment ago: the log has grown since.
// Tries until that is told as an error: 3, which are 0.1 + 0.2 + 0.4 s apart.
const passingFails = 3

var (
	errRefused  = errors.New("the broker says that the position is not in its log, whose bounds say that it is")
	errTornTail = errors.New("the log ends inside a message, or the position is inside one")
)

// accept takes note of what came of a partition, as far as lengths tell, and reports whether the next fetch may bring
// more.
func (l *loop) accept(p *part, now time.Time) bool {
	c := p.cursor
	if c.stage != fetching || c.next != p.from {
		return c.stage == fetching // gone, moved, or gone back
	}
	p.outline = trace(p.set)
	if p.size == 0 && c.done != c.next {
		return true // nothing or an error: it will come again, when what was read before has been handed over
	}
	if p.code != protocol.None {
		l.refused(c, p.code, now)
		return false
	}
	c.seen = l.connection
	switch {
	case p.size > 0 || p.broken:
		l.take(p)
		return true
	case len(p.set) > 0:
		return l.grow(p, now)
	case c.next < 0:
		c.check() // of a log that does not exist yet, a broker gives nothing for any position
		return true
	}
	l.fetcher.calm(c)
	return false
}

// take has the cursor go on behind a set.
func (l *loop) take(p *part) {
	c := p.cursor
	p.taken, p.calmed = true, c.calm()
	p.bytes = len(p.set)
	c.weigh(p.bytes)
	c.next += int64(p.size)
	c.need = p.largest
	if p.missing <= l.largestMessage() {
		c.need = max(c.need, p.missing)
	}
}

// largestMessage is what a message takes at most in a set.
func (l *loop) largestMessage() int { return l.fetcher.config.MaxMessageBytes + protocol.Overhead }

// grow handles a set that does not hold one message. It reports whether a larger fetch may.
func (l *loop) grow(p *part, now time.Time) bool {
	c := p.cursor
	limit := l.largestMessage()
	switch {
	case p.missing > limit:
		l.fetcher.giveUp(c, c.describe(fmt.Errorf(
			"the message there takes %d bytes, %d more than maxMessageBytes (%d) allows; "+
				"raise maxMessageBytes if there can be such messages, else the position is not where one begins",
			p.missing, p.missing-limit, l.fetcher.config.MaxMessageBytes)))
		return false
	case p.missing > p.asked:
		c.need = p.missing // what its length says
		return true
	case p.missing == 0 && len(p.set) == p.asked:
		c.need = protocol.Overhead // not even its length has come
		return true
	}
	l.retry(c, fmt.Errorf("%w: %d bytes of %d", errTornTail, len(p.set), p.missing), now)
	return false
}

// refused handles an error code.
func (l *loop) refused(c *cursor, code protocol.ErrorCode, now time.Time) {
	switch code {
	case protocol.OffsetOutOfRange:
		c.seen = l.connection
		c.check()
	case protocol.WrongPartition:
		l.retry(c, fmt.Errorf("broker %s has no partition %d of the topic, its configuration says fewer: %w",
			l.broker, c.number, code), now)
	default:
		l.retry(c, fmt.Errorf("broker %s refuses the fetch: %w", l.broker, code), now)
	}
}

// retry leaves a partition alone for a while, and tells why.
func (l *loop) retry(c *cursor, err error, now time.Time) {
	c.fails++
	c.retryAt = now.Add(backoff(c.fails))
	if !errors.Is(err, errRefused) || c.fails >= passingFails {
		l.fetcher.tell(c, c.describe(err))
	}
}

// check has the bounds of the log asked for.
func (c *cursor) check() { c.stage, c.bounds = checking, bounds{} }

// hear takes note of where a log begins or ends.
func (l *loop) hear(q *question, now time.Time) {
	c := q.cursor
	switch {
	case c.stage == stopped:
	case c.stage == checking && q.time == protocol.LatestTime:
		c.bounds.latest, c.bounds.haveLatest = q.answer, true
	case c.stage == checking && c.bounds.haveLatest:
		c.bounds.earliest = q.answer
		l.judge(c, now)
	case c.stage == fetching && q.answer < c.next:
		// It was asked behind a fetch that was answered: with nothing, as a broker does for any position if it has no log.
		c.check()
	case c.stage == fetching && q.answer != c.end:
		c.end, c.endNews = q.answer, true
		l.fetcher.enqueue(c)
	}
}

// judge decides on a position once the bounds of the log are known.
//
// A position beyond the end is never just one that was not flushed yet. Brokers show a message, and count it into the
// end of the log, once it is flushed; after a restart they show all that is in the file. So what was once fetched, or
// counted into an end, stays visible for as long as the log is the same one. Only a position that somebody got
// elsewhere, as from an acknowledged write, may be beyond the end for the some seconds until the flush; whoever fetches
// from such a position is told so, and has to ask again.
func (l *loop) judge(c *cursor, now time.Time) {
	earliest := c.bounds.earliest
	latest := max(c.bounds.latest, earliest)
	if c.next >= earliest && c.next <= latest {
		c.stage = fetching
		l.retry(c, errRefused, now)
		return
	}
	l.fetcher.giveUp(c, &kafka.OutOfRange{
		Partition: c.partition, Position: c.next, Earliest: earliest, Latest: latest,
	})
}

// finish hands over what was decoded of a set.
func (l *loop) finish(p *part) {
	f := l.fetcher
	f.mu.Lock()
	defer f.mu.Unlock()
	c := p.cursor
	c.weigh(-len(p.set))
	if c.stage == stopped || c.done != p.from {
		return // gone, moved, or gone back
	}
	c.weigh(p.bytes)
	c.done = p.end
	if p.end < p.from+int64(p.size) {
		c.next = p.end // what was asked for behind it does not fit any more, and will be dropped
	}
	switch {
	case p.err != nil:
		c.stage, c.told = stopped, p.err.Error()
		f.deliver(c, kafka.Fetch{Batch: p.batch, End: -1, Err: p.err, Stopped: true}, p.bytes)
	case p.batch.Len() > 0:
		f.deliver(c, kafka.Fetch{Batch: p.batch, End: -1}, p.bytes)
	case p.calmed:
		f.deliver(c, kafka.Fetch{End: -1}, p.bytes)
	default:
		c.weigh(-p.bytes)
	}
}
