// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"cmp"
	"strconv"
	"time"
)

// Partition names one partition of a topic. It is comparable and safe as a map key.
type Partition struct {
	Topic string
	ID    string
}

// String gives "topic/id", the prefix of the ids of the partition's messages.
func (p Partition) String() string { return p.Topic + "/" + p.ID }

// Compare orders by topic, then by id: ids that are numbers come first, by their value, then the others as strings.
func (p Partition) Compare(other Partition) int {
	if byTopic := cmp.Compare(p.Topic, other.Topic); byTopic != 0 {
		return byTopic
	}
	mine, errMine := strconv.Atoi(p.ID)
	theirs, errTheirs := strconv.Atoi(other.ID)
	switch {
	case errMine == nil && errTheirs != nil:
		return -1
	case errMine != nil && errTheirs == nil:
		return 1
	case errMine == nil && mine != theirs:
		return cmp.Compare(mine, theirs)
	}
	return cmp.Compare(p.ID, other.ID)
}

// Header is one header of a message. Keys may repeat and order matters.
type Header struct {
	Key   string
	Value []byte
}

// Message is one message of a partition. Key, Value and Headers are borrowed from the fetch buffer: a holder may keep
// them, nobody may write to them.
type Message struct {
	Partition Partition
	// Offset is where the message is; opaque outside its transport.
	Offset int64
	// Index counts from 0 inside a compressed wrapper of Kafka 0.7, whose messages share one offset; 0 otherwise.
	Index int32
	// Next is the position after this message: what is committed once it, and all before it, are acknowledged.
	Next int64

	// Key is nil where the message has none, which is not the same as an empty one; likewise Value (a tombstone).
	Key     []byte
	Value   []byte
	Headers []Header
	// Timestamp is zero where the era has none (before Kafka 0.10).
	Timestamp time.Time
}

// ID names the message for ever: topic/partition/offset, and .index behind it inside a wrapper. It is the same at every
// attempt, so sinks may use it as an idempotency key.
func (m Message) ID() string {
	id := make([]byte, 0, len(m.Partition.Topic)+len(m.Partition.ID)+22)
	id = append(id, m.Partition.Topic...)
	id = append(id, '/')
	id = append(id, m.Partition.ID...)
	id = append(id, '/')
	id = strconv.AppendInt(id, m.Offset, 10)
	if m.Index > 0 {
		id = append(id, '.')
		id = strconv.AppendInt(id, int64(m.Index), 10)
	}
	return string(id)
}
