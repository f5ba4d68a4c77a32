// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"bytes"
	"strconv"
)

// Dialect is how the brokers and members of one registry write what they register. Which one it is, the brokers'
// registrations say; members must write what Kafka's own consumers of that age can read, since one node they cannot
// parse breaks the rebalance of every member.
type Dialect uint8

const (
	// Modern is that of Kafka 0.8 and later.
	Modern Dialect = iota
	// Kafka07 is that of Kafka 0.7: partitions are per broker, and a member's node is a bare map of topics to threads.
	Kafka07
)

// String gives the oldest Kafka that writes so.
func (d Dialect) String() string {
	if d == Kafka07 {
		return "Kafka 0.7"
	}
	return "Kafka 0.8 or later"
}

// EncodeMember gives the data of a member's node: one thread for each of the topics, which are sorted.
func (d Dialect) EncodeMember(topics []string, bornMillis int64) []byte {
	if d == Kafka07 {
		return encodeMember07(topics)
	}
	return EncodeMember(topics, bornMillis)
}

// EncodeLeaving is EncodeMember for a member that gives up what it has and takes nothing any more. In the dialect of
// Kafka 0.7, which has no room for the word, that is a member of no topics.
func (d Dialect) EncodeLeaving(bornMillis int64) []byte {
	if d == Kafka07 {
		return encodeMember07(nil)
	}
	return EncodeLeaving(bornMillis)
}

// encodeMember07 writes the spacing of Kafka 0.7's own consumers: { "a": 1,"b": 1 }.
func encodeMember07(topics []string) []byte {
	var data bytes.Buffer
	data.WriteString("{ ")
	for i, topic := range topics {
		if i > 0 {
			data.WriteByte(',')
		}
		data.WriteString(strconv.Quote(topic)) // a topic's name is letters, digits, '.', '_' and '-': nothing to escape
		data.WriteString(": 1")
	}
	data.WriteString(" }")
	return data.Bytes()
}
