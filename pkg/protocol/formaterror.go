// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"errors"
	"fmt"
)

// The kinds of a FormatError, for errors.Is.
var (
	// ErrShort says that the input ends before a field does.
	ErrShort = errors.New("not enough bytes")
	// ErrLength says that a length or count is negative or too large to be true.
	ErrLength = errors.New("impossible length")
	// ErrAPI says that there is no such request.
	ErrAPI = errors.New("unknown request")
	// ErrTrailing says that something stands behind the last field.
	ErrTrailing = errors.New("unexpected bytes at the end")
	// ErrIncomplete says that a set ends inside its first message: nothing can be read from it. For a set that was
	// fetched the message is larger than the size of the fetch, or the position is not the start of a message.
	ErrIncomplete = errors.New("not even the first message is complete")
	// ErrMagic says that a message has a format that Kafka 0.7 does not know.
	ErrMagic = errors.New("unknown magic")
	// ErrChecksum says that a payload is not the one that was sent.
	ErrChecksum = errors.New("checksum mismatch")
	// ErrCodec says that a message is compressed in a way that Kafka 0.7 does not know.
	ErrCodec = errors.New("unknown compression codec")
	// ErrCompressed says that a wrapper's payload cannot be decompressed.
	ErrCompressed = errors.New("corrupt compressed data")
	// ErrInflate says that a wrapper holds more than the limit of the iterator allows.
	ErrInflate = errors.New("wrapper inflates beyond the limit")
	// ErrDepth says that wrappers are nested deeper than MaxDepth.
	ErrDepth = errors.New("wrappers are nested too deep")
)

// FormatError says what of some input is wrong, and where.
type FormatError struct {
	// Of is what was being decoded, for example "FETCH request" or "message set".
	Of string
	// Field is the field of it that was wrong.
	Field string
	// At is the place. In a request or response it counts bytes from behind the size of the frame. In a message set it
	// is the position in the log of the message; of the outermost wrapper, if it is inside one.
	At int64
	// Index counts from 0 the messages of a wrapper, or the parts of a request or response that has several; -1
	// elsewhere.
	Index int
	// Kind is one of the errors above.
	Kind error
	// Detail says what was found. It may be empty.
	Detail string
}

// Error implements error.
func (e *FormatError) Error() string {
	text := fmt.Sprintf("%s: %s at %d", e.Of, e.Field, e.At)
	if e.Index >= 0 {
		text += fmt.Sprintf(" (number %d in it)", e.Index)
	}
	text += ": " + e.Kind.Error()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap gives the kind.
func (e *FormatError) Unwrap() error { return e.Kind }
