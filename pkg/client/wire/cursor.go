// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"strconv"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// stage is where a partition stands between this package and franz-go.
type stage uint8

const (
	// waiting: franz-go does not know the partition's leader yet and must not be given the position: without
	// metadata it clamps positions into the log instead of answering that they are out of range.
	waiting stage = iota
	fetching
	// checking: something is wrong with the position; the log's bounds are being asked for.
	checking
	// stopped: given up and told so.
	stopped
)

// cursor is one partition being fetched. It belongs to the goroutine that polls.
type cursor struct {
	partition kafka.Partition
	number    int32
	stage     stage
	// next is the position of the next message to hand out.
	next int64
	// fresh until the first messages: only then can a clamped position show.
	fresh bool
	// end is what was told last as the log's end; -1 before that.
	end int64

	// paused is what the caller asked for; held is what franz-go was told.
	paused, held bool
	// known says that franz-go has the partition; primes that it has it only to learn of the topic.
	known, primes bool
	// missing says that the brokers did not know the partition when they were last asked.
	missing bool

	// question is what is being asked while checking.
	question lookup
	// fails counts errors in a row. Until retryAt the partition is held; if no error came until calmAt, it is over.
	fails   int
	retryAt time.Time
	calmAt  time.Time
	// told is the kind of the error the caller knows of; empty if it knows of none.
	told string
	// brokerFails says that what was told is the failure of the leading broker.
	brokerFails bool
}

func newCursor(partition kafka.Partition, position int64) (*cursor, error) {
	c := &cursor{partition: partition, next: position, end: -1, fresh: true}
	number, err := strconv.ParseInt(partition.ID, 10, 32)
	if err != nil || number < 0 || strconv.FormatInt(number, 10) != partition.ID {
		return c, fmt.Errorf("%s: partition id %q is not a number from 0 to 2147483647", partition, partition.ID)
	}
	c.number = int32(number)
	return c, nil
}

// mayFetch says whether franz-go should bring messages of the partition.
func (c *cursor) mayFetch() bool {
	return c.stage == fetching && !c.paused && c.retryAt.IsZero()
}

// tell gives the news of an error, unless the caller knows it already.
func (c *cursor) tell(err error) (kafka.Fetch, bool) {
	if c.told == kind(err) {
		return kafka.Fetch{}, false
	}
	c.told = kind(err)
	return kafka.Fetch{Partition: c.partition, End: -1, Err: err}, true
}

// calm forgets errors. It reports whether the caller knew of one, and so must be told that it is over.
func (c *cursor) calm() bool {
	knew := c.told != ""
	c.fails, c.told = 0, ""
	c.retryAt, c.calmAt = time.Time{}, time.Time{}
	return knew
}
