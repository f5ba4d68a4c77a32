// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import "strconv"

const (
	// MaxDepth is how many wrappers may stand inside one another. Kafka's clients make no more than one; its broker and
	// consumers have no limit but their stack.
	MaxDepth = 8

	// DefaultInflateLimit is what a wrapper may inflate to. A broker takes payloads of 1 MB unless configured
	// otherwise, and text compresses to a tenth, logs to a fiftieth; gzip could go to a thousandth: a gigabyte from one
	// fetch.
	DefaultInflateLimit = 64 << 20
)

// wrapper walks, one message ahead, over what is inside a wrapper.
type wrapper struct {
	inflater

	size   int // of the whole wrapper in its set
	depth  int
	levels [MaxDepth]level
	left   int // bytes that may still be inflated
	index  int // of the message that is read next
	ahead  Message
	fault  *fault
}

// level is the set of one wrapper, and where in it the next message is.
type level struct {
	set []byte
	at  int
}

// enter goes into the wrapper m, of size bytes in its set, and reports whether there is a message inside.
func (w *wrapper) enter(m *Message, size, limit int) (bool, *fault) {
	w.size, w.left, w.index, w.depth, w.fault = size, limit, 0, 0, nil
	if fault := w.push(m); fault != nil {
		return false, fault
	}
	return w.advance()
}

// advance reads the next message into ahead, and reports whether there is one.
func (w *wrapper) advance() (bool, *fault) {
	for w.depth > 0 {
		top := &w.levels[w.depth-1]
		n, fault := readMessage(top.set[top.at:], &w.ahead)
		switch {
		case fault != nil:
			return false, fault
		case n < 0 && top.at == 0:
			return false, incomplete(-n, len(top.set))
		case n <= 0:
			w.pop()
			continue
		}
		top.at += n
		if w.ahead.Codec() == Uncompressed {
			w.ahead.Index = int32(w.index) //nolint:gosec // a message takes more bytes than one, and limit is an int
			w.index++
			return true, nil
		}
		if fault := w.push(&w.ahead); fault != nil {
			return false, fault
		}
	}
	return false, nil
}

// push inflates a wrapper and goes into it.
func (w *wrapper) push(m *Message) *fault {
	if w.depth == MaxDepth {
		return &fault{"wrapper", ErrDepth, "the limit is " + strconv.Itoa(MaxDepth)}
	}
	set, fault := w.inflate(m.Codec(), m.Payload, w.left)
	if fault != nil {
		return fault
	}
	w.left -= len(set)
	w.levels[w.depth] = level{set: set}
	w.depth++
	return nil
}

func (w *wrapper) pop() {
	w.depth--
	w.levels[w.depth] = level{}
}

// faultIndex is the number of the message that is broken; -1 if it is the wrapper itself.
func (w *wrapper) faultIndex() int {
	if w.depth == 0 {
		return -1
	}
	return w.index
}

// leave lets go of everything that belongs to the messages.
func (w *wrapper) leave() {
	clear(w.levels[:])
	w.depth, w.ahead, w.fault = 0, Message{}, nil
}
