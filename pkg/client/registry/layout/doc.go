// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package layout is what ZooKeeper holds of brokers, topics and consumer groups, as data: every path, every format
// and every transaction. It is pure: the registry carries it out on a real server, the simulator on a model of one,
// so what the simulator proves of a transaction holds for the bytes that leave the process.
//
// The tree is the classic one of Kafka's own ZooKeeper consumers, so that their members and ours share a group:
//
//	/consumers/G/ids/M          ephemeral   who is a member, and what it subscribes to
//	/consumers/G/owners/T/P     ephemeral   the thread that owns a partition
//	/consumers/G/offsets/T/P    persistent  the next position of a partition, decimal
//	/consumers/G/samsa          persistent  ours alone: the group's start positions are decided
//
// Kafka 0.7 and later ones write the same paths, and differ in what stands there: see Dialect. A partition P is
// <broker>-<number> in 0.7, where the node of a topic T holds nothing, and /brokers/topics/T/<broker> how many
// partitions the broker has of it.
package layout
