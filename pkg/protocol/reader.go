// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/binary"
	"fmt"
)

// reader takes fields off the front of some bytes. It is sticky: after the first failure, which it keeps with the
// place and the name of the field, everything reads as zero. So a decoder asks once, at its end.
type reader struct {
	of  string
	src []byte
	at  int
	// element is the number of the part that is being read, -1 outside of parts.
	element int
	err     *FormatError
}

func newReader(of string, src []byte) *reader { return &reader{of: of, src: src, element: -1} }

func (r *reader) left() int { return len(r.src) - r.at }

func (r *reader) fail(field string, at int, kind error, format string, args ...any) {
	if r.err == nil {
		r.err = &FormatError{
			Of: r.of, Field: field, At: int64(at), Index: r.element, Kind: kind, Detail: fmt.Sprintf(format, args...),
		}
	}
}

// take gives the next n bytes. Its capacity ends with it, so that an append of the caller's cannot write into what
// follows.
func (r *reader) take(field string, n int) []byte {
	switch {
	case r.err != nil:
		return nil
	case n < 0:
		r.fail(field, r.at, ErrLength, "%d", n)
		return nil
	case n > r.left():
		r.fail(field, r.at, ErrShort, "want %d, have %d", n, r.left())
		return nil
	}
	r.at += n
	return r.src[r.at-n : r.at : r.at]
}

func (r *reader) int16(field string) int16 {
	if b := r.take(field, 2); b != nil {
		return int16(binary.BigEndian.Uint16(b)) //nolint:gosec // the wire's two's complement
	}
	return 0
}

func (r *reader) int32(field string) int32 {
	if b := r.take(field, 4); b != nil {
		return int32(binary.BigEndian.Uint32(b)) //nolint:gosec // the wire's two's complement
	}
	return 0
}

func (r *reader) int64(field string) int64 {
	if b := r.take(field, 8); b != nil {
		return int64(binary.BigEndian.Uint64(b)) //nolint:gosec // the wire's two's complement
	}
	return 0
}

// string reads a string with a length of two bytes. A negative length, which Kafka writes for no string at all, is
// refused: no request and no response may lack one.
func (r *reader) string(field string) string {
	at := r.at
	n := int(r.int16(field))
	if n < 0 {
		r.fail(field, at, ErrLength, "%d", n)
		return ""
	}
	return string(r.take(field, n))
}

// count16 reads a number of elements and checks it against the bytes that are left, of which each takes at least size.
func (r *reader) count16(field string, size int) int {
	at := r.at
	return r.checkCount(field, at, int(r.int16(field)), size)
}

// count32 is count16 for a number of four bytes.
func (r *reader) count32(field string, size int) int {
	at := r.at
	return r.checkCount(field, at, int(r.int32(field)), size)
}

func (r *reader) checkCount(field string, at, n, size int) int {
	if r.err == nil && (n < 0 || n > r.left()/size) {
		r.fail(field, at, ErrLength, "%d of at least %d bytes each, with %d bytes left", n, size, r.left())
	}
	if r.err != nil {
		return 0
	}
	return n
}

// done is the result of a decoder that leaves what stands behind its last field alone, as Kafka's broker does.
func (r *reader) done() error {
	if r.err != nil {
		return r.err
	}
	return nil
}

// end is the result of a decoder whose last field must be the last.
func (r *reader) end() error {
	if r.err == nil && r.left() > 0 {
		r.fail("end", r.at, ErrTrailing, "%d", r.left())
	}
	return r.done()
}
