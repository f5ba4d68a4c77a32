// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kafka holds the words that every other package shares: partition, message, batch, position, and the seam
// called Transport under which each Kafka era is an implementation.
//
// It is a leaf: no sockets, no goroutines, no dependency beyond the standard library.
//
// Two things are opaque on purpose. A partition is named by a string ("3", or Kafka 0.7's "1-3" for broker 1,
// partition 3). An offset means something only to the transport that gave it: in Kafka 0.7 it is a byte position, so
// the position after a message is always Message.Next and never Offset+1.
package kafka
