// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

const (
	// Overhead is how many bytes a message of magic 1 takes in a set beyond its payload: length (4), magic (1),
	// attributes (1), checksum (4).
	Overhead = SizeBytes + headerMagic1
	// OverheadMagic0 is Overhead for magic 0, which has no attributes.
	OverheadMagic0 = SizeBytes + headerMagic0

	headerMagic0 = 1 + 4
	headerMagic1 = 1 + 1 + 4
)

// Message is one message of a set.
type Message struct {
	// Offset is where the message starts in the log; for one inside a wrapper, where the wrapper starts.
	Offset int64
	// Next is where reading goes on once this message is done with: behind it. Inside a wrapper that is the wrapper's
	// start for all messages but the last, since the rest of the wrapper can only be had by reading it again, and the
	// wrapper's end for the last.
	Next int64
	// Payload is a slice of the set, or, inside a wrapper, of memory that belongs to the messages of this wrapper
	// alone. It may be kept and must not be written to. It is not nil.
	Payload []byte
	// Checksum is the CRC-32 (IEEE) of the payload. It was compared.
	Checksum uint32
	// Index counts the messages of a wrapper from 0, through nested ones as well. It is 0 outside.
	Index int32
	// Magic is 0 or 1.
	Magic uint8
	// Attributes are 0 for magic 0. Their lowest two bits are the codec, the others are anybody's.
	Attributes uint8
}

// Codec is Uncompressed, unless the message is a wrapper.
func (m *Message) Codec() Codec { return Codec(m.Attributes & codecMask) }

const fieldLength = "length"

// fault is what is wrong with a message.
type fault struct {
	field  string
	kind   error
	detail string
}

// readMessage fills m, but for its positions, with the message at the front of src, and returns how many bytes it
// takes. If src ends before the message does it returns minus that number; 0 if src ends before the message's length
// does.
func readMessage(src []byte, m *Message) (int, *fault) {
	if len(src) < SizeBytes+headerMagic1 {
		return readShort(src, m)
	}
	size := int(int32(binary.BigEndian.Uint32(src))) //nolint:gosec // the wire's two's complement
	if size > len(src)-SizeBytes {
		return -SizeBytes - size, nil
	}
	if size < headerMagic1 || src[4] != 1 {
		return readOther(src, size, m)
	}
	payload := src[Overhead : SizeBytes+size : SizeBytes+size]
	sum := binary.BigEndian.Uint32(src[6:])
	if computed := checksum(payload); computed != sum {
		return 0, badChecksum(sum, computed)
	}
	m.Payload, m.Checksum, m.Magic, m.Attributes = payload, sum, 1, src[5]
	return SizeBytes + size, nil
}

// readShort is readMessage for what is too short to hold a message of magic 1.
func readShort(src []byte, m *Message) (int, *fault) {
	if len(src) < SizeBytes {
		return 0, nil
	}
	size := int(int32(binary.BigEndian.Uint32(src))) //nolint:gosec // the wire's two's complement
	if size > len(src)-SizeBytes {
		return -SizeBytes - size, nil
	}
	return readOther(src, size, m)
}

// readOther is readMessage for a complete message that is of magic 0, or none at all.
func readOther(src []byte, size int, m *Message) (int, *fault) {
	switch {
	case size < 0:
		return 0, &fault{fieldLength, ErrLength, strconv.Itoa(size)}
	case size == 0:
		return 0, &fault{fieldLength, ErrLength, "0, which leaves no room for a magic"}
	case src[4] > 1:
		return 0, &fault{"magic", ErrMagic, fmt.Sprintf("%d, want 0 or 1", src[4])}
	case src[4] == 1 || size < headerMagic0:
		return 0, &fault{fieldLength, ErrLength, fmt.Sprintf("%d, too short for magic %d", size, src[4])}
	}
	payload := src[OverheadMagic0 : SizeBytes+size : SizeBytes+size]
	sum := binary.BigEndian.Uint32(src[5:])
	if computed := checksum(payload); computed != sum {
		return 0, badChecksum(sum, computed)
	}
	m.Payload, m.Checksum, m.Magic, m.Attributes = payload, sum, 0, 0
	return SizeBytes + size, nil
}

func badChecksum(sent, computed uint32) *fault {
	return &fault{"checksum", ErrChecksum, fmt.Sprintf("%08x was sent, the payload's is %08x", sent, computed)}
}
