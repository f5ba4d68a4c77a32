// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package coordinator is one member of a consumer group that Kafka's brokers coordinate: a state machine without I/O,
// as package group is for groups in ZooKeeper.
//
// # Usage
//
// A driver feeds a Member events with Step, carries out the commands that come back, and answers each with an event. It
// calls Step with group.Tick when the time that Next gave has come. Lanes are told the same words as by package group.
//
// # How it works
//
// The classic protocol in rounds: Join, then Sync, give a generation of the group and what falls to each member. A
// heartbeat says when a new round has begun.
//
//	all members are samsa's   -> each keeps what it has while a round runs, and lists it; nobody else is given it before
//	                             its owner has drained it and come back without it ("samsa", cooperative)
//	others are in the group   -> everything is drained and committed before the round (eager), whatever they speak
//
// Which it is a member asks before each round. A stranger that slips in between is caught after it: see verify.go.
//
// # What must hold
//
// Lanes run only while the lease holds. It is extended by commits alone: see Lease. A lane starts only after a commit
// of its position, in the generation that gave the partition, was accepted. A partition is let go only when its lane
// has drained and its position is committed. Nothing is written but in the name of the member and its generation, which
// the coordinator checks.
package coordinator
