// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Source tells what the worker looks like. Snapshot is safe for concurrent use and does not wait for the loop it
// tells of: a loop that hangs is what it must be able to show.
type Source interface {
	Snapshot() Observation
}

// Observation is the worker at one moment, as its parts saw it. Everything shown to the outside is computed from it.
type Observation struct {
	// At is when this was observed; Beat is when the loop that owns the group's state last went round.
	At, Beat time.Time

	Group string
	// Name is the member's stable name; ID its registration's, empty while there is none.
	Name, ID string
	// Registered says that ID stands in the group, Read that the group has been read in this session, Begun that it is
	// decided where it begins. Leaving says that the worker drains and goes.
	Registered, Read, Begun, Leaving bool
	// RegisterErr, ReadErr and BeginErr say why the last attempt at each failed, nil if it did not.
	RegisterErr, ReadErr, BeginErr error

	Session Connection
	// Sink is the host that messages are sent to, and SinkErr why it cannot be reached; empty, and nil, if there is none.
	Sink    string
	SinkErr error
	// Strategy is the assignment in force, and Why the reason where it is not the configured one.
	Strategy, Why string
	Members       []Peer
	// Topics are those consumed; Pattern is what they match, empty if they are given by name. TopicsErr is why it is not
	// known which match.
	Topics    []string
	Pattern   string
	TopicsErr error
	// Missing are topics asked for that do not exist.
	Missing    []string
	Partitions []Lane
	Problems   []Problem
	Counters   Counters
}

// Connection is the session with who coordinates the group: ZooKeeper, or brokers.
type Connection struct {
	// Server is where the session is, or is sought, as configured; Brokers says that it is with brokers.
	Server    string
	Brokers   bool
	Connected bool
	// Epoch counts the sessions of this process.
	Epoch uint64
	// LeaseUntil is until when the session certainly lives; zero if it never did.
	LeaseUntil time.Time
	Timeout    time.Duration
	// Unfenced says that the server has no transactions.
	Unfenced bool
	// Unsound says what about the server makes the lease too long to be believed; empty if nothing does.
	Unsound string
	// Err says why the cluster cannot be reached, nil if it can: ZooKeeper, or behind it the brokers.
	Err error
}

// Peer is a member of the group.
type Peer struct {
	ID      string
	Foreign bool
	Topics  []string
}

// Lane is one partition that this worker owns or is to own. Positions are -1 where unknown.
type Lane struct {
	Partition kafka.Partition
	State     State
	// Holder is who holds the claim, with Waiting.
	Holder string
	// Acknowledged is the position before which the sink has everything; Committed what stands in ZooKeeper; End the
	// position that the next message written will get.
	Acknowledged, Committed, End int64
	// Buffered is fetched and not yet acknowledged; InFlight of it is at the sink.
	BufferedMessages, BufferedBytes, InFlight int
	// Attempts made at the oldest message that is not acknowledged; Trying is since when, zero if none is.
	Attempts int
	Trying   time.Time
	// Blocked is set while the oldest message counts as blocked.
	Blocked *Block
	// LostToRetention is how many offsets retention removed before they were delivered, since the process began. Jump is
	// the last time that the log did not hold the position and it went on elsewhere; nil if there was none.
	LostToRetention uint64
	Jump            *Jump
	// Progress is when Acknowledged last moved; zero if it never did.
	Progress time.Time
	// Failure is why the oldest message could not be delivered, the last time, from its first failure on; Err why nothing
	// can be fetched; Trouble why the claim or the position could not be taken or written, the last time.
	Failure, Err, Trouble error
}

// State is what this worker does with a partition.
type State string

// The states of a partition.
const (
	// Owned: its messages are being delivered.
	Owned State = "Owned"
	// Blocked: owned, but its oldest message has failed for so long that somebody should look. It is tried on.
	Blocked State = "Blocked"
	// Draining: to be given up once what is under way has ended.
	Draining State = "Draining"
	// Claiming: to be owned, and nothing is in the way.
	Claiming State = "Claiming"
	// Waiting: to be owned once its holder lets go.
	Waiting State = "Waiting"
	// Paused: owned, but nothing is delivered until the session is certain to live again.
	Paused State = "Paused"
	// Starting: claimed, and new to the group: where it begins is being decided.
	Starting State = "Starting"
	// Checking: perhaps claimed; the claim and the position are being read again after a refused write, or one that
	// cannot be understood.
	Checking State = "Checking"
)

// Block is a message that keeps failing.
type Block struct {
	Message  string    `json:"message"`
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts"`
	Reason   string    `json:"reason"`
}

// Jump is a position that changed because the log did not hold it.
type Jump struct {
	At   time.Time `json:"at"`
	From int64     `json:"from"`
	To   int64     `json:"to"`
}

// Problem is a node in ZooKeeper that could not be understood.
type Problem struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Counters count since the process began. All of them only grow.
type Counters struct {
	RecordsFetched   uint64 `json:"recordsFetched"`
	RecordsDelivered uint64 `json:"recordsDelivered"`
	// RecordsFailed counts failed attempts, by outcome: retry, permanent, unknown.
	RecordsFailed map[string]uint64 `json:"recordsFailed,omitempty"`
	// Redeliveries counts attempts at a message after its first.
	Redeliveries uint64 `json:"redeliveries"`
	// LostToRetention counts offsets that retention removed before they were delivered, in the units of the transport's
	// offsets.
	LostToRetention uint64 `json:"lostToRetention"`
	// Rebalances counts changes of this worker's share, by what caused them.
	Rebalances         map[string]uint64 `json:"rebalances,omitempty"`
	SessionExpirations uint64            `json:"sessionExpirations"`
}
