// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"io"

	"github.com/samsa-dev/samsa/pkg/gateway/format"
)

// arenaBytes is how much of a stream is read at a time: 128 messages of 1 KiB for one allocation, and one of HTTP/1.1's
// reads fills a small part of it, so that a stream that is slow costs no more.
const arenaBytes = 128 << 10

// frameSlack is what a message has besides itself: a length, or the end of a line.
const frameSlack = 16

// arena cuts a stream into messages. Those share the memory that they were read into, which is never written again: a
// producer may keep it for as long as it likes.
type arena struct {
	cut  format.Cutter
	most int
	read func([]byte) (int, error)
	// take and give account for memory beyond arenaBytes.
	held *held

	data     []byte
	from, to int
	extra    int64
	total    int64
	ended    bool
	failure  error
}

// next gives the next message, io.EOF after the last, or why there is none.
func (a *arena) next() ([]byte, error) {
	for {
		message, taken, need, err := a.cut(a.data[a.from:a.to], a.ended, a.most)
		switch {
		case err != nil:
			return nil, err
		case taken > 0:
			a.from += taken
			return message, nil
		case a.ended:
			return nil, io.EOF
		case a.failure != nil:
			return nil, a.failure
		}
		if err := a.fill(need); err != nil {
			return nil, err
		}
	}
}

// fill reads once, into new memory if the old is used up.
func (a *arena) fill(need int) error {
	if pending := a.to - a.from; a.to == len(a.data) || a.from+need > len(a.data) && pending < need {
		if err := a.renew(pending); err != nil {
			return err
		}
	}
	n, err := a.read(a.data[a.to:])
	a.to += n
	a.total += int64(n)
	if err == io.EOF { //nolint:errorlint // a Reader's end is never wrapped
		a.ended = true
	} else {
		a.failure = err
	}
	return nil
}

// renew takes new memory. A message that is longer than what there is gets twice as much each time: what its length
// claims is not taken before it comes.
func (a *arena) renew(pending int) error {
	size := max(arenaBytes, min(2*pending, a.most+frameSlack))
	extra := int64(size - arenaBytes)
	if extra > a.extra && !a.held.take(extra-a.extra) {
		p := full()
		return &ended{*p}
	}
	if extra < a.extra {
		a.held.give(a.extra - extra)
	}
	a.extra = extra
	larger := make([]byte, size)
	copy(larger, a.data[a.from:a.to])
	a.data, a.from, a.to = larger, 0, pending
	return nil
}

// release gives back what was accounted for.
func (a *arena) release() { a.held.give(a.extra) }
