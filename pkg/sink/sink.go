// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sink is where messages go. A Sink takes a batch of one partition and answers for each message; what the
// answers lead to (retry, block, dead letter, commit) is the pump's business, not the sink's.
package sink

import (
	"context"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Sink delivers messages.
type Sink interface {
	// Deliver makes one attempt at a batch of one partition, in order, and fills results[i] for batch.Message(i);
	// len(results) == batch.Len() and every result is the zero Result (Untried) at entry. It returns once every attempt
	// has ended, at the latest when ctx ends: then what was under way is Unknown and what was not begun stays Untried.
	// After a message that is not Done, a sink must not go on with later ones of the batch: the order of a partition is
	// the caller's to keep.
	//
	// Calls for different partitions are concurrent, calls for one partition never are. The batch is the caller's, who may
	// hold more of the run that it is from: a sink must not Release it.
	Deliver(ctx context.Context, claim Claim, batch kafka.Batch, results []Result)
	// Limits bounds the batches that Deliver is given.
	Limits() Limits
	// Close frees what the sink holds, after the last Deliver has returned.
	Close() error
}

// Claim identifies the ownership under which a batch is delivered.
type Claim struct {
	// Group is the consumer group.
	Group string
	// Token grows with every change of a partition's owner (the czxid of the owner node): a sink that remembers the
	// highest one it saw for a partition can refuse a late delivery of an earlier owner.
	Token int64
}

// Limits bounds a batch; zero means no bound.
type Limits struct {
	Messages int
	Bytes    int
}

// Outcome is what became of one message at one attempt.
type Outcome uint8

// The outcomes.
const (
	// Untried: the attempt did not get as far as this message. It does not count as an attempt.
	Untried Outcome = iota
	// Done: the sink has it. Only this lets the committed position move.
	Done
	// Retry: the sink does not have it, and may take it later.
	Retry
	// Permanent: the sink will never take this message as it is.
	Permanent
	// Unknown: the sink may or may not have it; it will be delivered again.
	Unknown
)

// String names the outcome as metrics and logs do.
func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case Retry:
		return "retry"
	case Permanent:
		return "permanent"
	case Unknown:
		return "unknown"
	case Untried:
		return "untried"
	}
	return "invalid"
}

// Result is the answer for one message.
type Result struct {
	Outcome Outcome
	// After is how long the sink asks to be left alone (HTTP's Retry-After); zero leaves it to the caller's backoff.
	After time.Duration
	// Err says why the outcome is not Done. Its text ends up in status, so it is stable: no ports, times or request ids.
	Err error
}
