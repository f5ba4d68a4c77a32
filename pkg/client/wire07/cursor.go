// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// stage is what is being done about a partition.
type stage uint8

const (
	fetching stage = iota
	// checking: the position may not be in the log; its bounds are being asked for.
	checking
	// stopped: given up and told so, or gone.
	stopped
)

// cursor is one partition being fetched from one position on; a partition that is moved gets another cursor. The
// fetcher's mu guards it.
type cursor struct {
	partition kafka.Partition
	place
	loop   *loop
	stage  stage
	paused bool
	// next is the position behind all that was read, done the one behind all that was decoded as well.
	next, done int64
	// gone says that it was removed.
	gone bool
	// need is how much the next fetch must ask for to bring one message; 0 if nothing is known to be large.
	need int

	// seen is the number of the loop's last connection that answered a fetch of the partition: only behind such a fetch
	// may its end be asked for, since a broker that does not have the partition closes the connection at that.
	seen int
	// end is where the log ended when it was last asked for, at endAsked on the connection endSeen; -1 before that.
	// endNews says that the caller does not know it yet.
	end      int64
	endNews  bool
	endAsked time.Time
	endSeen  int
	bounds   bounds

	// ready waits for Poll, and weighs as many bytes; queued says that the fetcher knows of it.
	ready  []delivery
	bytes  int
	queued bool

	// fails counts errors in a row; until retryAt the partition is left alone.
	fails   int
	retryAt time.Time
	// told is the error that the caller knows of; empty if it knows of none.
	told string
}

// delivery is a fetch that waits, and what it weighs.
type delivery struct {
	fetch kafka.Fetch
	bytes int
}

// bounds are those of a log as far as they are known; the earliest is asked for last.
type bounds struct {
	earliest, latest int64
	haveLatest       bool
}

// weigh adds to, or takes from, what waits of the partition. What is paused does not count for the broker: it waits for
// as long as the caller likes, and must not stop its neighbours.
func (c *cursor) weigh(bytes int) {
	if c.gone {
		return
	}
	c.bytes += bytes
	if !c.paused {
		c.loop.buffered += bytes
	}
}

// pause takes the partition's weight off the broker, or puts it on again.
func (c *cursor) pause(paused bool) {
	if c.paused == paused {
		return
	}
	weight := c.bytes
	c.weigh(-weight)
	c.paused = paused
	c.weigh(weight)
}

// drop forgets the partition and what waits of it.
func (c *cursor) drop() {
	c.stage = stopped
	c.weigh(-c.bytes)
	c.ready, c.endNews, c.gone = nil, false, true
}

// calm forgets errors. It reports whether the caller knew of one, and so must be told that it is over.
func (c *cursor) calm() bool {
	knew := c.told != ""
	c.fails, c.told, c.retryAt = 0, "", time.Time{}
	return knew
}
