// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lane decides what happens to the messages of one partition: what is in flight, what was tried how often, what
// blocks, and up to where everything is acknowledged. It is a state machine without I/O, like package group.
//
// A driver feeds a Lane events with Step and carries out what it asks for. At any time the lane has at most one attempt
// under way, so the order of the partition is the order of the deliveries. The position moves over the contiguous
// prefix of what the sink acknowledged, and over nothing else; in Kafka 0.7 over whole wrappers. So one that was begun
// is finished before the partition is given up, unless the sink does not take it, or there is no time.
package lane
