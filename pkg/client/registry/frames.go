// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/binary"
	"sync"
)

// The operations whose answers hold lengths that the library would trust.
const (
	opError    = -1
	opCreate   = 1
	opDelete   = 2
	opExists   = 3
	opGetData  = 4
	opSetData  = 5
	opSync     = 9
	opChildren = 12
	opCheck    = 13
	opMulti    = 14

	// statSize is that of a node's stat: six numbers of 8 bytes and five of 4.
	statSize = 6*8 + 5*4
)

// requests remembers which operation each unanswered request is, to know what its answer has to look like.
type requests struct {
	mu  sync.Mutex
	ops map[int32]int32
}

// note reads the header of a request: the library writes each in one piece.
func (r *requests) note(frame []byte) {
	if len(frame) < lengthSize+8 {
		return
	}
	xid := int32(binary.BigEndian.Uint32(frame[lengthSize:]))
	op := int32(binary.BigEndian.Uint32(frame[lengthSize+4:]))
	if xid <= 0 {
		return // a ping, or the handshake
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ops == nil {
		r.ops = make(map[int32]int32)
	}
	r.ops[xid] = op
}

// answers reports whether a body can be the answer to the request of that xid.
func (r *requests) answers(xid, code int32, body []byte) bool {
	if xid == eventXid {
		return (&reader{left: body}).skip(8).blob().ok()
	}
	r.mu.Lock()
	op := r.ops[xid]
	delete(r.ops, xid)
	r.mu.Unlock()
	if code != 0 {
		return true // the library reads no further
	}
	return wellFormed(op, &reader{left: body})
}

func wellFormed(op int32, r *reader) bool {
	switch op {
	case opCreate, opSync:
		return r.blob().ok()
	case opExists, opSetData:
		return r.skip(statSize).ok()
	case opGetData:
		return r.data().skip(statSize).ok()
	case opChildren:
		for range r.count(4) {
			r.blob()
		}
		return r.skip(statSize).ok()
	case opMulti:
		return wellFormedMulti(r)
	default:
		return true
	}
}

// wellFormedMulti walks the results of a transaction: a header of kind (4), done (1) and error (4) before each, and
// one at the end.
func wellFormedMulti(r *reader) bool {
	for r.ok() {
		kind, done := r.number(), r.flag()
		r.skip(4)
		if done {
			break
		}
		switch kind {
		case opError:
			r.skip(4)
		case opCreate:
			r.blob()
		case opSetData:
			r.skip(statSize)
		case opCheck, opDelete:
		default:
			return false
		}
	}
	return r.ok()
}

// reader walks over a body and remembers whether it was long enough all the way.
type reader struct {
	left  []byte
	short bool
}

func (r *reader) ok() bool { return !r.short }

func (r *reader) skip(n int) *reader {
	if n < 0 || n > len(r.left) {
		r.short, r.left = true, nil
		return r
	}
	r.left = r.left[n:]
	return r
}

func (r *reader) number() int32 {
	if len(r.left) < 4 {
		r.short, r.left = true, nil
		return 0
	}
	n := int32(binary.BigEndian.Uint32(r.left))
	r.left = r.left[4:]
	return n
}

func (r *reader) flag() bool {
	if len(r.left) < 1 {
		r.short = true
		return true
	}
	set := r.left[0] != 0
	r.left = r.left[1:]
	return set
}

// blob is a string; a negative length is none the library survives.
func (r *reader) blob() *reader { return r.skip(int(r.number())) }

// data may be null, which is length -1.
func (r *reader) data() *reader { return r.skip(max(int(r.number()), 0)) }

// count is that of a list whose elements take at least so many bytes each.
func (r *reader) count(least int) int {
	n := int(r.number())
	if n < 0 || n > len(r.left)/least {
		r.short, r.left = true, nil
		return 0
	}
	return n
}
