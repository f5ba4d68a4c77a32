// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"encoding/binary"
	"fmt"
)

// formatError says where a frame stopped making sense.
type formatError struct {
	field  string
	offset int
	want   int // bytes or elements the length asked for; negative where the length itself was
	left   int
}

func (e *formatError) Error() string {
	if e.want < 0 {
		return fmt.Sprintf("negative length %d of %s at offset %d", e.want, e.field, e.offset)
	}
	return fmt.Sprintf("%s at offset %d wants %d bytes, %d are left", e.field, e.offset, e.want, e.left)
}

// reader decodes Jute, ZooKeeper's record format: big-endian integers, strings, buffers and vectors with an
// int32 length of which -1 means null. The first error sticks; later reads give zero values.
type reader struct {
	buf []byte
	off int
	err error
}

func (r *reader) left() int { return len(r.buf) - r.off }

func (r *reader) fail(field string, want int) {
	if r.err == nil {
		r.err = &formatError{field: field, offset: r.off, want: want, left: r.left()}
	}
}

// take returns the next n bytes, which belong to the frame: whoever keeps them copies them.
func (r *reader) take(field string, n int) []byte {
	if r.err != nil || n < 0 || n > r.left() {
		r.fail(field, n)
		return nil
	}
	b := r.buf[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

func (r *reader) bool(field string) bool {
	b := r.take(field, 1)
	return b != nil && b[0] != 0
}

func (r *reader) int32(field string) int32 {
	b := r.take(field, 4)
	if b == nil {
		return 0
	}
	return int32(binary.BigEndian.Uint32(b))
}

func (r *reader) int64(field string) int64 {
	b := r.take(field, 8)
	if b == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// buffer returns bytes of the frame, or nil for null.
func (r *reader) buffer(field string) []byte {
	n := r.int32(field)
	if n == -1 {
		return nil
	}
	return r.take(field, int(n))
}

// string reads null as the empty string: no operation tells them apart.
func (r *reader) string(field string) string { return string(r.buffer(field)) }

// vector returns how many elements follow. An element takes at least minSize bytes on the wire, so a length
// the frame cannot hold is refused before memory is taken for it.
func (r *reader) vector(field string, minSize int) int {
	n := int(r.int32(field))
	switch {
	case r.err != nil || n == -1:
		return 0
	case n < 0:
		r.fail(field, n)
		return 0
	case n > r.left()/minSize:
		r.fail(field, n*minSize)
		return 0
	}
	return n
}

func (r *reader) strings(field string) []string {
	n := r.vector(field, 4) // each has its length
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, r.string(field))
	}
	return list
}

func appendInt32(dst []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(v))
}

func appendInt64(dst []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(v))
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendBuffer(dst, b []byte) []byte {
	if b == nil {
		return appendInt32(dst, -1)
	}
	return append(appendInt32(dst, int32(len(b))), b...)
}

func appendString(dst []byte, s string) []byte {
	return append(appendInt32(dst, int32(len(s))), s...)
}
