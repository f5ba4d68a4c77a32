// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	// maxAnswer bounds what is asked of a broker at once, unless one message takes more: 16 partitions at 1 MiB. With more
	// partitions each gets less, down to leastShare, so that all are in every fetch; 256 have a share then. Of still more
	// a fetch takes as many as have a share, the next goes on behind them: 1000 partitions take 4.
	maxAnswer  = 16 << 20
	leastShare = 64 << 10
	// maxBuffered bounds what is kept for Poll of one broker: an answer that waits, and one that is being decoded. What
	// wrappers inflate to counts; it may be exceeded by the set that is inflated last, so by maxInflated and the rest of
	// one wrapper: 16 MiB, and at most 64 MiB and innerBytes for each message in it. Those are few but in a wrapper that
	// somebody filled with messages of nothing: of 9 bytes each there are 7 million, 340 MiB. A paused partition does not
	// count, and keeps what it had, within the same bounds.
	maxBuffered = 2 * maxAnswer
	// maxWaiting is how many fetches of a partition may be here when it is asked for again: one that waits to be decoded,
	// one that is, and two that nobody has polled yet.
	maxWaiting = 4
	// maxParts is how many fetches go into one MULTIFETCH: its count is an int16.
	maxParts = 1<<15 - 1
	// maxQuestions bounds what is sent behind a fetch while its answer may not be read yet: 64 requests of 30 to 300 bytes
	// fit into the sockets' buffers (128 KiB) whatever happens.
	maxQuestions = 64

	// A fetch does not tell where the log ends, so that is asked for behind one: of a partition that has been read to its
	// end each second as long as the end moves, of others each 5 s. For 1000 partitions these are 200 small requests a
	// second, some 1 % of a broker's core.
	endIntervalNear = time.Second
	endInterval     = 5 * time.Second
)

// forever is longer than anything waits.
const forever = time.Hour

// plan fills a request with what is to be asked for now. Where that is nothing, it says when to look again. It reports
// false if no partition is left.
func (l *loop) plan(into *request, now time.Time) (wait time.Duration, wanted bool) {
	l.fetcher.mu.Lock()
	defer l.fetcher.mu.Unlock()
	return l.planLocked(into, now), len(l.cursors) > 0
}

func (l *loop) planLocked(into *request, now time.Time) time.Duration {
	into.reset()
	if wait := l.idleUntil.Sub(now); wait > 0 {
		return wait
	}
	eligible, wait := 0, forever
	for _, c := range l.cursors {
		if c.stage == checking && c.seen != l.connection {
			c.stage = fetching // a fetch must come first on each connection
		}
		if c.wants(l.connection) {
			if due := c.retryAt.Sub(now); due > 0 {
				wait = min(wait, due)
			} else {
				eligible++
			}
		}
		wait = min(wait, l.interrogate(into, c, now))
	}
	l.eligible = eligible
	if eligible > 0 {
		l.fill(into, max(maxAnswer/eligible, leastShare), now)
	}
	return max(wait, time.Millisecond)
}

// wants says whether the partition should be in a fetch: once on each connection even if it is paused, then for no
// bytes, to see whether the broker has it.
func (c *cursor) wants(connection int) bool {
	return c.stage == fetching && (!c.paused || c.seen != connection)
}

// fill adds the partitions whose turn it is.
func (l *loop) fill(into *request, share int, now time.Time) {
	share = min(share, l.fetcher.config.FetchMaxPartitionBytes)
	total := 0
	for i := range l.cursors {
		at := (l.turn + i) % len(l.cursors)
		c := l.cursors[at]
		size := max(share, c.need)
		if !c.wants(l.connection) || c.retryAt.After(now) || !c.paused && c.bytes >= maxWaiting*size {
			continue
		}
		if c.paused {
			size = 0
		}
		full := total > 0 && (total+size > maxAnswer || len(into.parts) == maxParts)
		if full || l.buffered+total > 0 && l.buffered+total+size > maxBuffered {
			l.turn = at
			return
		}
		into.fetch(c, size)
		total += size
	}
}

// interrogate adds the questions about a partition that are due, and says when the next ones are.
func (l *loop) interrogate(into *request, c *cursor, now time.Time) time.Duration {
	if c.seen != l.connection || c.stage == stopped || len(into.questions) >= maxQuestions {
		return forever
	}
	if c.stage == checking {
		if c.done != c.next {
			return time.Millisecond // what was read before comes first
		}
		// The end first: a log that is emptied in between then shows as it is, with its start beyond.
		into.ask(c, protocol.LatestTime)
		into.ask(c, protocol.EarliestTime)
		return forever
	}
	interval := endInterval
	if c.end != c.next && c.bytes == 0 {
		interval = endIntervalNear
	}
	if due := c.endAsked.Add(interval).Sub(now); c.endSeen == l.connection && due > 0 {
		return due
	}
	c.endSeen, c.endAsked = l.connection, now
	into.ask(c, protocol.LatestTime)
	return forever
}
