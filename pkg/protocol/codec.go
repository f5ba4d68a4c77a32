// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import "strconv"

// Codec says how the payload of a message is compressed: the lowest two bits of its attributes.
type Codec uint8

// The codecs of Kafka 0.7. The fourth value that two bits allow is refused by brokers.
const (
	Uncompressed Codec = 0
	Gzip         Codec = 1
	// Snappy is written by Kafka as the stream format of snappy-java ("xerial"). Brokers and clients also read one bare
	// snappy block.
	Snappy Codec = 2

	codecMask = 3
)

// String gives the name of the codec.
func (c Codec) String() string {
	switch c {
	case Uncompressed:
		return "uncompressed"
	case Gzip:
		return "gzip"
	case Snappy:
		return "snappy"
	default:
		return "codec " + strconv.Itoa(int(c))
	}
}
