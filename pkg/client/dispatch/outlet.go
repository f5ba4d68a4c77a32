// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"sync/atomic"
)

// Outlet is how batches reach brokers. Its methods may be called at once, but Send never for two batches of one
// partition, unless the first was withdrawn.
type Outlet interface {
	// Topology says where the topic's partitions are. The error is kafka.ErrNoTopic or kafka.ErrDenied where that is why;
	// any other is taken for one that passes.
	Topology(ctx context.Context) (Topology, error)
	// Send writes each batch to its partition at a broker, judges it (Batch.Judge), and returns when all are judged: soon
	// after the end of ctx at the latest.
	Send(ctx context.Context, broker string, batches []*Batch)
	// GiveUp says that a batch of a partition, which may have been written, will not be repeated.
	GiveUp(partition string)
	// Close ends all connections, and waits.
	Close()
}

// Topology is where the partitions of a topic are.
type Topology struct {
	// Places are the partitions in the order in which keys count them.
	Places []Place
	// Key is the number, of n, of the partition that a key belongs to.
	Key func(key []byte, n int) int
	// Repeatable says that the brokers recognize a batch that is repeated, so that one which hangs at a broker can be let
	// go and sent to another.
	Repeatable bool
}

// Place is one partition.
type Place struct {
	// ID is the partition's name, Broker that of who takes what is written to it; empty while nobody does.
	ID, Broker string
}

// Verdict is what became of one attempt at a batch.
type Verdict uint8

// The verdicts.
const (
	// Open is that of a batch not judged yet.
	Open Verdict = iota
	// Written says that a broker holds it.
	Written
	// Sent says that it left, and that nobody will say what became of it.
	Sent
	// Retry says that this attempt did not write it, and that another may.
	Retry
	// Unfit says that this attempt did not write it, for what is in it: perhaps in only one of its messages.
	Unfit
	// Denied says that this attempt did not write it, and that no other will.
	Denied
	// Unheard says that it may have been written, and that the brokers recognize it when it is repeated.
	Unheard
	// Lost says that it may have been written, and must not be repeated.
	Lost
)

// Batch is messages for one partition that are written together, in order, or not at all.
type Batch struct {
	// Partition is the partition's name.
	Partition string
	Items     []*Item
	// Encoded is what the outlet made of the messages, for the next attempt if it was unheard: by then some of them may
	// have had their outcome, and their memory may be somebody else's.
	Encoded []byte
	// Unheard says that an earlier attempt may have written it.
	Unheard bool

	verdict Verdict
	err     error
	offset  int64
	// logged is the time that a broker gave the messages, in ms, -1 for none.
	logged int64
	// step goes from waiting to loading to idle, and to begun, spared or withdrawn; for each further attempt from idle.
	step atomic.Uint32
}

const (
	waiting uint32 = iota
	loading
	idle
	begun
	spared
	withdrawn
)

// Load says that the messages are about to be read, until Loaded. If it returns false they must not: their memory may
// be somebody else's by now.
func (b *Batch) Load() bool { return b.step.CompareAndSwap(waiting, loading) }

// Loaded says that what is to be sent has been made of the messages, which are read no more.
func (b *Batch) Loaded() { b.step.Store(idle) }

// Begin says that bytes of the batch, which is loaded, are about to leave. If it returns false they must not.
func (b *Batch) Begin() bool { return b.step.CompareAndSwap(idle, begun) || b.step.Load() == begun }

// Begun says whether bytes may have left in this attempt.
func (b *Batch) Begun() bool { return b.step.Load() == begun }

// Spare keeps the batch from leaving in this attempt, of which the outlet will not hear: false says that it may have.
func (b *Batch) Spare() bool {
	return b.step.CompareAndSwap(waiting, spared) || b.step.CompareAndSwap(idle, spared) || b.step.Load() > begun
}

// withdraw keeps it from leaving, if nothing may have left yet.
func (b *Batch) withdraw() bool {
	return !b.Unheard && (b.step.CompareAndSwap(waiting, withdrawn) || b.step.CompareAndSwap(idle, withdrawn))
}

// Judge gives the attempt's verdict, and why. It is called once for each attempt.
func (b *Batch) Judge(verdict Verdict, err error) { b.verdict, b.err = verdict, err }

// Accept is Judge with Written: offset is the first message's position, -1 if the broker does not tell; logged the
// time in ms since 1970 that it gave the messages in place of theirs, -1 for none.
func (b *Batch) Accept(offset, logged int64) { b.verdict, b.offset, b.logged = Written, offset, logged }

// Final says that the batch will not be sent as it is again.
func (b *Batch) Final() bool { return b.verdict != Unheard && (b.verdict != Retry || !b.Unheard) }
