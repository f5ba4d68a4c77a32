// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import "strconv"

// ErrorCode is what a broker says of a fetch. It is an error, except for None; compare with errors.Is or ==.
//
// Brokers of 0.7.2 send None, OffsetOutOfRange, WrongPartition and Unknown. The other two are in Kafka's table, and
// nothing was found that makes a broker send them.
type ErrorCode int16

// Kafka's own table, kafka.common.ErrorMapping.
const (
	// Unknown is everything that has no code of its own, an illegal topic's name among it.
	Unknown ErrorCode = -1
	// None is no error.
	None ErrorCode = 0
	// OffsetOutOfRange says that the position is negative, below the first or above the last of the log.
	OffsetOutOfRange ErrorCode = 1
	// InvalidMessage says that a checksum is wrong.
	InvalidMessage ErrorCode = 2
	// WrongPartition says that the broker has no such partition: it is negative, or not below the broker's count.
	WrongPartition ErrorCode = 3
	// InvalidFetchSize says that a message does not fit into the size that was asked for.
	InvalidFetchSize ErrorCode = 4
)

// Err is nil for None and the code itself for everything else.
func (c ErrorCode) Err() error {
	if c == None {
		return nil
	}
	return c
}

// Error implements error.
func (c ErrorCode) Error() string {
	switch c {
	case Unknown:
		return "the broker failed (-1): the topic's name is illegal, or see its log"
	case None:
		return "no error (0)"
	case OffsetOutOfRange:
		return "the position is outside the partition's log (1)"
	case InvalidMessage:
		return "a message in the broker's log is corrupt (2)"
	case WrongPartition:
		return "the broker has no such partition (3)"
	case InvalidFetchSize:
		return "a message is larger than the size of the fetch (4)"
	default:
		return "error code " + strconv.Itoa(int(c)) + ", which Kafka 0.7 does not have"
	}
}
