// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/binary"
	"fmt"
)

// Iterator walks over the messages of a set, those inside wrappers included. Uncompressed messages are neither copied
// nor allocated for; a wrapper takes the memory that it inflates to, at most InflateLimit.
//
//	var it protocol.Iterator
//	it.Reset(response.Set, offset)
//	for it.Next() {
//		use(it.Message())
//	}
//	if err := it.Err(); err != nil { ... }
//	offset = it.Position()
//
// A set that ends inside a message, or with fewer than four bytes, ends before it: brokers cut sets where the size of
// the fetch is reached. Everything else that is not a message is an error, which says where, and ends the walk.
//
// One Iterator is for one goroutine. Used again through Reset, it keeps the memory that decompression works with, but
// not that of the messages.
type Iterator struct {
	// Shallow reports wrappers as they are rather than the messages inside. Their contents and codecs are not looked at.
	Shallow bool
	// Strict makes it an error, ErrIncomplete, if the set ends inside its very first message, as for Kafka's own
	// iterator and for a broker that is asked to store it. (With fewer than four bytes it is no error there either.)
	Strict bool
	// InflateLimit bounds, in bytes, what one wrapper may inflate to, nested ones included. 0 means DefaultInflateLimit.
	InflateLimit int

	set     []byte
	start   int64 // the position of set[0]
	at      int   // of the next message in set; while inside a wrapper, of the wrapper
	state   iteratorState
	message Message
	missing int
	inside  *wrapper // made for the first wrapper, then kept
	err     error
}

type iteratorState uint8

const (
	betweenMessages iteratorState = iota
	insideWrapper
	failsNext // the message after this one is broken; fault says how
	ended
)

// Reset starts a walk over set, which stands at position start of its log.
func (it *Iterator) Reset(set []byte, start int64) {
	it.set, it.start, it.at, it.state = set, start, 0, betweenMessages
	it.message, it.missing, it.err = Message{}, 0, nil
	if it.inside != nil {
		it.inside.leave()
	}
}

// plain is the magic and the attributes of an uncompressed message of magic 1, as far as plainMask shows them.
const (
	plain     = 1 << 8
	plainMask = 0xff<<8 | codecMask
)

// Next goes to the next message and reports whether there is one.
func (it *Iterator) Next() bool {
	// What nearly all messages are: complete, of magic 1 and uncompressed. nextOther does everything, but for these
	// twice as slowly.
	src := it.set[it.at:]
	if len(src) < Overhead || it.state != betweenMessages || binary.BigEndian.Uint16(src[4:])&plainMask != plain {
		return it.nextOther()
	}
	size := int(int32(binary.BigEndian.Uint32(src))) //nolint:gosec // the wire's two's complement
	if size < headerMagic1 || size > len(src)-SizeBytes {
		return it.nextOther()
	}
	// All that must survive the checksum is stored first, for the registers do not.
	m := &it.message
	at := it.start + int64(it.at)
	it.at += SizeBytes + size
	m.Offset, m.Next = at, at+int64(SizeBytes+size)
	m.Payload = src[Overhead : SizeBytes+size : SizeBytes+size]
	m.Checksum = binary.BigEndian.Uint32(src[6:])
	m.Index, m.Magic, m.Attributes = 0, 1, src[5]
	if checksum(m.Payload) == m.Checksum {
		return true
	}
	it.at -= SizeBytes + size
	return it.nextOther()
}

func (it *Iterator) nextOther() bool {
	for {
		if it.state != betweenMessages {
			return it.nextInside()
		}
		n, fault := readMessage(it.set[it.at:], &it.message)
		if n <= 0 {
			return it.end(-n, fault)
		}
		m := &it.message
		m.Offset = it.start + int64(it.at)
		m.Next = m.Offset + int64(n)
		m.Index = 0
		if m.Codec() == Uncompressed || it.Shallow {
			it.at += n
			return true
		}
		it.enter(n)
	}
}

// Message gives the message that Next went to. What it points to belongs to the iterator and is overwritten by the
// next Next; the payload is not. (A copy here would cost more than all the rest of the walk but the checksum.)
func (it *Iterator) Message() *Message { return &it.message }

// Err says why Next returned false; nil at the end of the set. It is a *FormatError.
func (it *Iterator) Err() error { return it.err }

// Position is where to go on reading: behind all messages so far, and never inside a wrapper. After Next has returned
// true it is the message's Next.
func (it *Iterator) Position() int64 { return it.start + int64(it.at) }

// Missing is how many bytes a set must have from Position on to hold the next message, after the walk has ended inside
// that message; 0 if it ended elsewhere, or before the message's length. What stands there need not be true.
func (it *Iterator) Missing() int { return it.missing }

// enter goes into the wrapper of n bytes that was just read. It may be empty, or broken.
func (it *Iterator) enter(n int) {
	if it.inside == nil {
		it.inside = new(wrapper)
	}
	limit := it.InflateLimit
	if limit <= 0 {
		limit = DefaultInflateLimit
	}
	more, fault := it.inside.enter(&it.message, n, limit)
	switch {
	case fault != nil:
		it.state = failsNext
		it.inside.fault = fault
	case more:
		it.state = insideWrapper
	default:
		it.at += n
	}
}

// nextInside hands out the message that was read ahead, which is how the last one of a wrapper is known to be the
// last.
func (it *Iterator) nextInside() bool {
	if it.state == ended {
		return false
	}
	if it.state == failsNext {
		return it.fail(it.inside.fault, it.inside.faultIndex())
	}
	w := it.inside
	start := it.start + int64(it.at)
	it.message = w.ahead
	it.message.Offset, it.message.Next = start, start
	more, fault := w.advance()
	switch {
	case fault != nil:
		it.state = failsNext
		w.fault = fault
	case !more:
		it.at += w.size
		it.message.Next = start + int64(w.size)
		it.state = betweenMessages
		w.leave()
	}
	return true
}

// end is what happens where no complete message stands.
func (it *Iterator) end(missing int, fault *fault) bool {
	if fault != nil {
		return it.fail(fault, -1)
	}
	it.missing = missing
	if it.Strict && missing > 0 && it.at == 0 {
		return it.fail(incomplete(missing, len(it.set)), -1)
	}
	it.state = ended
	it.message = Message{}
	return false
}

func (it *Iterator) fail(f *fault, index int) bool {
	it.state = ended
	it.message = Message{}
	it.err = &FormatError{
		Of: "message set", Field: f.field, At: it.Position(), Index: index, Kind: f.kind, Detail: f.detail,
	}
	if it.inside != nil {
		it.inside.leave()
	}
	return false
}

func incomplete(missing, have int) *fault {
	return &fault{
		fieldLength, ErrIncomplete, fmt.Sprintf("the message takes %d bytes, have %d", missing, have),
	}
}
