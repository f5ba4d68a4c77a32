// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package group decides which partitions one member of a consumer group owns: a state machine without I/O.
//
// # Usage
//
// A driver feeds a Member events with Step, carries out the commands that come back, and answers each with an event. It
// calls Step with Tick when the time that Next gave has come. No goroutine, socket, clock or random number is inside
// (randomness is injected), so that a simulator drives millions of steps from a seed and every failure replays.
//
// # How it works
//
// Events only record what was learnt; after each one the member compares what is with what should be and asks for
// whatever is missing and not already asked for. Nothing is remembered as "to be done", so nothing can be forgotten: a
// lost answer is an answer of failure, and a failure is tried again after a backoff.
//
//	session up -> register -> probe (lease) -> observe -> begin (once per group) -> plan
//	partition in the plan, not owned   -> claim -> (held: wait) -> place if new -> run its lane
//	partition owned, not in the plan   -> drain its lane -> commit and release in one transaction
//	every commit interval              -> collect positions -> commit
//
// # What must hold
//
// Lanes run only while the lease holds. A lane starts only under a claim of this very session. A claim is released only
// when its lane is drained, with the position up to which everything is acknowledged. Every write is a transaction
// built by package layout that checks the member's own registration, and writes an offset only over the version that
// was read.
package group
