// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import "time"

// StatusVersion is the version of Status. Fields are added within a version; a field that changes its meaning, or
// goes, makes a new one.
const StatusVersion = 1

// Status is what /v1/status answers.
type Status struct {
	Version int       `json:"version"`
	Time    time.Time `json:"time"`
	Group   string    `json:"group"`
	Member  Member    `json:"member"`

	// Ready says that the worker is registered in its group and its session certainly lives. A worker without partitions
	// is ready.
	Ready bool `json:"ready"`
	// Reasons say why it is not ready.
	Reasons []Reason `json:"reasons,omitempty"`
	// Warnings are what somebody should look at although the worker is ready.
	Warnings []Reason `json:"warnings,omitempty"`

	Session    Session          `json:"session"`
	Assignment AssignmentStatus `json:"assignment"`
	Members    []MemberStatus   `json:"members"`
	// Topics are those that are consumed: what this worker is registered for or, while it is not, will be.
	Topics []string `json:"topics"`
	// MissingTopics are asked for and do not exist.
	MissingTopics []string          `json:"missingTopics,omitempty"`
	Totals        Totals            `json:"totals"`
	Partitions    []PartitionStatus `json:"partitions"`
	// Problems are nodes in ZooKeeper that could not be understood, and were skipped.
	Problems []Problem `json:"problems,omitempty"`
	Counters Counters  `json:"counters"`
}

// Member is this worker in its group.
type Member struct {
	// ID is empty while it is not registered.
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
}

// Reason is one thing that is not as it should be.
type Reason struct {
	// Code is stable, for programs.
	Code Code `json:"code"`
	// Subject is what it is about: a topic, a partition, a path. Code and Subject tell reasons apart.
	Subject string    `json:"subject,omitempty"`
	Message string    `json:"message"`
	Since   time.Time `json:"since"`
}

// Code is why a worker is not ready, or needs to be looked at.
type Code string

// Why a worker is not ready.
const (
	// NotConnected: there is no session with ZooKeeper, or with the group's coordinator where brokers are that.
	NotConnected Code = "NotConnected"
	// NotRegistered: there is a session, and the group does not know of this worker yet.
	NotRegistered Code = "NotRegistered"
	// LeaseLapsed: it is not certain that the session still lives, so nothing is delivered.
	LeaseLapsed Code = "LeaseLapsed"
	// GroupUnreadable: what stands in ZooKeeper of the group may not, or cannot, be read. A warning where it has been read
	// before: then the worker goes on with what it has.
	GroupUnreadable Code = "GroupUnreadable"
	// GroupNotBegun: the group is new, and the positions at which it begins cannot be had from the brokers or written.
	GroupNotBegun Code = "GroupNotBegun"
	// Leaving: the worker drains and goes.
	Leaving Code = "Leaving"
)

// What somebody should look at.
const (
	// TopicMissing: a topic asked for does not exist, or none matches the pattern (which is the subject then). Once it
	// does, it is consumed.
	TopicMissing Code = "TopicMissing"
	// PartitionBlocked: a message keeps failing, so its partition stands.
	PartitionBlocked Code = "PartitionBlocked"
	// PositionUnclear: the claim or the position of a partition cannot be understood, so it is not consumed.
	PositionUnclear Code = "PositionUnclear"
	// SinkUnreachable: the sink's host cannot be resolved, or not be connected to.
	SinkUnreachable Code = "SinkUnreachable"
	// FetchFailing: the brokers do not give the messages of a partition.
	FetchFailing Code = "FetchFailing"
	// Unfenced: the server has no transactions, so a process that froze may overwrite what its successor committed.
	Unfenced Code = "Unfenced"
	// LeaseUnsound: the session is too short for the server's tick, so that two workers might deliver one partition.
	LeaseUnsound Code = "LeaseUnsound"
	// TopicsUnclear: not all topics that match the pattern are known, or consumed.
	TopicsUnclear Code = "TopicsUnclear"
	// BrokersUnknown: ZooKeeper answers, and no broker can be found in it.
	BrokersUnknown Code = "BrokersUnknown"
	// NodeMalformed: a node in ZooKeeper could not be understood, and was skipped.
	NodeMalformed Code = "NodeMalformed"
)

// Session is the session with ZooKeeper, or with the group's coordinator where brokers are that.
type Session struct {
	Connected bool `json:"connected"`
	// Epoch counts the sessions of this process.
	Epoch uint64 `json:"epoch"`
	// LeaseValidUntil is until when messages are delivered unless the server answers again.
	LeaseValidUntil time.Time `json:"leaseValidUntil,omitzero"`
	// Timeout is what the server granted.
	Timeout Duration `json:"timeout"`
	// Fenced says that every write is a transaction that checks this worker's registration.
	Fenced bool   `json:"fenced"`
	Error  string `json:"error,omitempty"`
}

// AssignmentStatus is how partitions are shared out.
type AssignmentStatus struct {
	Strategy string `json:"strategy"`
	// Why is given where the strategy is not the configured one.
	Why string `json:"why,omitempty"`
}

// MemberStatus is one member of the group.
type MemberStatus struct {
	ID      string   `json:"id"`
	Foreign bool     `json:"foreign,omitempty"`
	Topics  []string `json:"topics"`
}

// Totals sum up the partitions.
type Totals struct {
	// Owned are those whose claim this worker holds.
	Owned   int `json:"owned"`
	Blocked int `json:"blocked"`
	// Lag counts only partitions whose lag is known.
	Lag int64 `json:"lag"`
	// LagUnit is what positions count, and so every lag here; empty while there are no partitions.
	LagUnit Unit `json:"lagUnit,omitempty"`
}

// PartitionStatus is one partition that this worker owns or is to own. Positions that are not known are left out.
type PartitionStatus struct {
	Topic     string `json:"topic"`
	Partition string `json:"partition"`
	State     State  `json:"state"`
	// Holder is who holds the claim that this worker waits for.
	Holder string `json:"holder,omitempty"`
	// Position is that before which the sink has acknowledged everything.
	Position *int64 `json:"position,omitempty"`
	// Committed is the position that stands in ZooKeeper, or with the brokers.
	Committed *int64 `json:"committed,omitempty"`
	// End is the position that the next message written will get, as of the last fetch.
	End *int64 `json:"end,omitempty"`
	// Lag is End less Committed, as Kafka's own tools have it; see Totals.LagUnit.
	Lag              *int64 `json:"lag,omitempty"`
	BufferedMessages int    `json:"bufferedMessages"`
	BufferedBytes    int    `json:"bufferedBytes"`
	InFlight         int    `json:"inFlight"`
	Attempts         int    `json:"attempts"`
	// TryingSince is since when the sink is being tried with the oldest message, failed yet or not.
	TryingSince time.Time `json:"tryingSince,omitzero"`
	// LostToRetention is how many offsets retention removed before they were delivered, since the process began: the sum
	// of what the jumps over removed messages left out.
	LostToRetention uint64 `json:"lostToRetention,omitempty"`
	// Jump is the last time that the log did not hold the position, and it went on elsewhere.
	Jump         *Jump     `json:"jump,omitempty"`
	LastProgress time.Time `json:"lastProgress,omitzero"`
	Blocked      *Block    `json:"blocked,omitempty"`
	Error        string    `json:"error,omitempty"`
}
