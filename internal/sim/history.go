// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// History is what happened, in order.
type History []Entry

// Entry is one thing that happened.
type Entry struct {
	At   time.Duration
	What any
}

// String gives one line for each entry.
func (h History) String() string {
	var b strings.Builder
	for _, entry := range h {
		fmt.Fprintf(&b, "%.6f %s\n", entry.At.Seconds(), describe(entry.What))
	}
	return b.String()
}

type (
	// fault is anything that is not as planned; what follows from it counts from here.
	fault struct{ What string }
	// partitionBorn says that a partition appeared, in a log that begins at First.
	partitionBorn struct {
		Partition kafka.Partition
		First     int64
	}
	appended struct {
		Partition    kafka.Partition
		Offset, Next int64
	}
	// groupBegan says that the marker of birth was made; Ends are the ends of the logs then.
	groupBegan struct {
		By   string
		Ends map[kafka.Partition]int64
	}
	// positionMade is a first position, by a member or by what was there before it.
	positionMade struct {
		By        string
		Partition kafka.Partition
		Position  int64
		Zxid      int64
	}
	// positionWritten is a write over another position.
	positionWritten struct {
		By        string
		Partition kafka.Partition
		Position  int64
		// Over is the zxid of what was overwritten, Zxid that of the write.
		Over, Zxid int64
	}
	// sought is a write by an operator. It may be malformed.
	sought struct {
		Partition kafka.Partition
		Position  int64
		Malformed bool
		Zxid      int64
	}
	// saw says that a process learnt of a position.
	saw struct {
		By        string
		Partition kafka.Partition
		Zxid      int64
	}
	// tookEffect is a transaction that was carried out.
	tookEffect struct {
		By string
		// Composed is the session that the member had when it asked for it, Carried the one that it was carried out in.
		Composed, Carried int64
	}
	sessionEnded struct {
		Session int64
		By      string
	}
	laneStarted struct {
		By        string
		Lane      int64
		Partition kafka.Partition
		Position  int64
		Token     int64
	}
	// attemptBegan is a batch given to a sink; it runs until attemptEnded of the same attempt.
	attemptBegan struct {
		Attempt   int
		By        string
		Lane      int64
		Partition kafka.Partition
		First     int64
		Last      int64
	}
	attemptEnded struct {
		Attempt   int
		By        string
		Lane      int64
		Partition kafka.Partition
		Why       string
		// Acked are the messages that the lane knows to be done.
		Acked []int64
	}
	// delivered is one message that reached the sink, and what the sink made of it.
	delivered struct {
		Attempt   int
		By        string
		Lane      int64
		Partition kafka.Partition
		Offset    int64
		Outcome   sink.Outcome
	}
	// ownership says that a partition has got an owner, or has lost it.
	ownership struct {
		Partition kafka.Partition
		Owned     bool
		By        string
	}
	// capability says whether a process could look after partitions: it runs, is connected, and means to stay.
	capability struct {
		By  string
		Has bool
	}
	processStarted struct{ By string }
	processEnded   struct{ By, How string }
	// settled ends a run.
	settled struct {
		Everything bool
		Why        string
	}
)
