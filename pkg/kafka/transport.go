// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Transport is how bytes reach and leave brokers: one implementation per family of protocols, chosen by what the
// brokers registered, never by a setting.
//
// Fetching has one owner: Add, Remove, Pause, Resume and Poll are called from one goroutine, which is what guarantees
// that no batch of a removed partition comes out of a later Poll. Everything else may be called concurrently.
type Transport interface {
	// Add starts fetching partitions at positions. A partition already being fetched is moved to its new position.
	// One call for many partitions is much cheaper than many calls.
	Add(positions map[Partition]int64)
	// Remove stops fetching and discards what is buffered of these partitions.
	Remove(partitions []Partition)
	// Pause keeps a partition's position but brings no more batches of it until Resume.
	Pause(partitions []Partition)
	// Resume undoes Pause.
	Resume(partitions []Partition)
	// Poll waits for fetches until there are some or ctx ends; then it returns what there is, possibly nothing. The slice
	// is valid until the next Poll; the batches in it for as long as somebody holds them (see Batch.Release).
	Poll(ctx context.Context) []Fetch

	// Append writes messages to one partition, in order, and returns the position of the first once the brokers
	// acknowledged all of them. After an error it is unknown whether they were written, unless the error is a *Refused.
	Append(ctx context.Context, partition Partition, messages []Message) (int64, error)
	// Positions resolves a place in the log for each partition. Partitions that could not be resolved are missing from the
	// map and described by the error; the ones that could are returned all the same.
	Positions(ctx context.Context, partitions []Partition, place Place) (map[Partition]int64, error)
	// Close ends all connections and waits for every goroutine of the transport.
	Close()
}

// Place is a place in a partition's log.
type Place struct {
	kind placeKind
	time time.Time
}

type placeKind uint8

const (
	earliest placeKind = iota
	latest
	since
	written
)

// Earliest is the position of the first message still held.
func Earliest() Place { return Place{kind: earliest} }

// Latest is the position that the next message will get.
func Latest() Place { return Place{kind: latest} }

// Since is the position of the first message at or after t; Latest if there is none.
func Since(t time.Time) Place { return Place{kind: since, time: t} }

// Written is the position behind all that the partition's leader holds: Latest, and what not all replicas that are in
// sync have yet, which nobody can read, but may be able to in a moment. Nothing comes before it that is not there by
// now.
func Written() Place { return Place{kind: written} }

// IsEarliest reports whether the place is Earliest.
func (p Place) IsEarliest() bool { return p.kind == earliest }

// IsLatest reports whether the place is Latest, or Written, which is the same where there are no replicas.
func (p Place) IsLatest() bool { return p.kind == latest || p.kind == written }

// IsWritten reports whether the place is Written.
func (p Place) IsWritten() bool { return p.kind == written }

// Time gives the time of a place made by Since.
func (p Place) Time() (time.Time, bool) { return p.time, p.kind == since }

// Fetch is what one poll brought of one partition: a batch, or an error, or both (the batch is good and comes first).
type Fetch struct {
	Partition Partition
	Batch     Batch
	// Skip is the position behind what follows the batch and is no message, as the markers of transactions are; 0 if
	// nothing does. Once the batch is acknowledged, everything before Skip is.
	Skip int64
	// End is the position that the next message written will get, as of this fetch; -1 if unknown.
	End int64
	// Err is *OutOfRange where the position is not in the log; any other error is transient and the transport keeps
	// trying, unless Stopped.
	Err error
	// Stopped says that the transport has given this partition up: it must be removed and added again.
	Stopped bool
}

// OutOfRange says that a position lies outside the log of its partition.
type OutOfRange struct {
	Partition Partition
	// Position is what was asked for; Earliest and Latest what the log holds.
	Position, Earliest, Latest int64
}

// Error implements error.
func (e *OutOfRange) Error() string {
	return fmt.Sprintf("%s: position %d is outside the log, which holds %d to %d",
		e.Partition, e.Position, e.Earliest, e.Latest)
}

// Truncated reports whether the position lies beyond the end: the topic was re-created or its log truncated, and
// nothing says which messages now stand where the group has already been.
func (e *OutOfRange) Truncated() bool { return e.Position > e.Latest }

// ErrReplaced says that a topic is not the one a position belongs to: it was deleted and made again. No message of the
// old one can be had, and where to begin in the new one nobody can guess.
var ErrReplaced = errors.New("the topic was deleted and created again, so its positions start anew")

// Refused says that a write certainly did not happen, and why.
type Refused struct {
	Partition Partition
	Err       error
}

// Error implements error.
func (e *Refused) Error() string { return fmt.Sprintf("%s: write refused: %v", e.Partition, e.Err) }

// Unwrap gives the cause.
func (e *Refused) Unwrap() error { return e.Err }
