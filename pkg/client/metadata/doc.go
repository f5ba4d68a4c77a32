// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metadata learns from brokers what a cluster is: who its brokers are, which topics and partitions it has,
// which Kafka it is and what keeps its metadata. It serves clusters that are known by some of their brokers, where
// there is no ZooKeeper to read, and what ZooKeeper does not tell of the others.
//
// Any broker can answer, so one is asked, and another beside it where it hesitates. Brokers older than Kafka 0.10
// cannot say what they understand and hang up when they are asked for it: those are probed with what they do
// understand.
package metadata
