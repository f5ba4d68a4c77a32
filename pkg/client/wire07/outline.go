// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"encoding/binary"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// outline is what the lengths of the messages in a set tell, before anything else is looked at.
type outline struct {
	// messages is how many complete ones there are, wrappers counted once; size is where the last of them ends.
	messages, size int
	// largest is the size of the largest of them; missing is what the message behind them takes, 0 if there is none or
	// its length is not all there.
	largest, missing int
	// wrapped says that one of them is a wrapper.
	wrapped bool
	// broken says that what stands at size is no message. Its decoding tells why.
	broken bool
}

const (
	// leastLength is what the length of a message is at least: magic 0, checksum, no payload.
	leastLength = protocol.OverheadMagic0 - protocol.SizeBytes
	codecMask   = 3
)

// trace walks over the lengths of a set.
func trace(set []byte) outline {
	var o outline
	for {
		rest := set[o.size:]
		if len(rest) < protocol.SizeBytes {
			return o
		}
		length := int(int32(binary.BigEndian.Uint32(rest))) //nolint:gosec // the wire's two's complement
		switch {
		case length > len(rest)-protocol.SizeBytes:
			o.missing = protocol.SizeBytes + length
			return o
		case length < leastLength:
			o.broken = true
			return o
		}
		// Of magic 1 with a codec.
		if rest[4] == 1 && rest[5]&codecMask != 0 {
			o.wrapped = true
		}
		o.messages++
		o.size += protocol.SizeBytes + length
		o.largest = max(o.largest, protocol.SizeBytes+length)
	}
}
