// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import "github.com/samsa-dev/samsa/pkg/kafka"

// Handler makes a processor for each partition that the consumer comes to own. It is called from the consumer's own
// goroutine and must not block.
type Handler interface {
	Assign(assignment Assignment) Processor
}

// Processor works on one owned partition. Its methods are called by the consumer and must not block. None is called
// after Stop; after the processor called Assignment.Drained some may be, and do nothing. Fetched is called from another
// goroutine than the rest, so one call of it may be under way when Stop is called.
type Processor interface {
	// Fetched hands over what came from the brokers. It returns false if the processor has enough: nothing more comes then
	// until it calls Assignment.Ready.
	Fetched(fetch kafka.Fetch) bool
	// Pause says that the lease has lapsed, Resume that it holds again. See also Assignment.Lease.
	Pause()
	Resume()
	// Drain asks to finish what is under way, start nothing, and then call Assignment.Drained.
	Drain()
	// Cut ends what is under way at once; Drained must follow.
	Cut()
	// Stop ends everything at once: the partition is somebody else's. Nothing it does from now on counts.
	Stop()
	// Position is where everything before it is acknowledged.
	Position() int64
}

// Assignment is a partition that the consumer owns, from now until Stop or Drained. Its functions may be called from
// any goroutine.
type Assignment struct {
	Group     string
	Partition kafka.Partition
	// Position is where to begin.
	Position int64
	// Token grows with every change of the partition's owner.
	Token int64
	// Lease bounds every attempt at delivery.
	Lease Lease
	// Drained ends the assignment after Drain, with everything before the position acknowledged.
	Drained func(position int64)
	// Ready says that there is room again after Fetched returned false.
	Ready func()
	// Seek goes on fetching at another position. Batches fetched before may still come until it has happened; so it is
	// for processors whose fetch has ended with an error.
	Seek func(position int64)
}
