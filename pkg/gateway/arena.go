// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/samsa-dev/samsa/pkg/gateway/format"
)

// arenaBytes is how much of a stream is read at a time: 128 messages of 1 KiB for one allocation, and one of HTTP/1.1's
// reads fills a small part of it, so that a stream that is slow costs no more.
const arenaBytes = 128 << 10

// frameSlack is what a message has besides itself: a length, or the end of a line.
const frameSlack = 16

// block is memory that messages of a stream share. It is used again once all of them have their outcome.
type block struct {
	data []byte
	// uses counts the messages, and the arena while it reads into it.
	uses atomic.Int32
	of   *sync.Pool
}

// blocks are those of a handler.
type blocks struct{ pool sync.Pool }

// take gives a block of the usual size, one that nobody uses any more if there is one.
func (b *blocks) take() *block {
	taken, ok := b.pool.Get().(*block)
	if !ok {
		taken = &block{data: make([]byte, arenaBytes), of: &b.pool}
	}
	taken.uses.Store(1)
	return taken
}

func (b *block) use() { b.uses.Add(1) }

// release ends a use. Whoever has one for ever keeps the block from being used again, and nothing else.
func (b *block) release() {
	if b.uses.Add(-1) == 0 && b.of != nil {
		b.of.Put(b)
	}
}

// arena cuts a stream into messages, which share the blocks that they were read into.
type arena struct {
	cut  format.Cutter
	most int
	read func([]byte) (int, error)
	// take and give account for memory beyond arenaBytes.
	held *held

	blocks   *blocks
	block    *block // whose data is data
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
	larger := &block{}
	if size == arenaBytes {
		larger = a.blocks.take()
	} else {
		larger.data = make([]byte, size)
		larger.uses.Store(1)
	}
	copy(larger.data, a.data[a.from:a.to])
	if a.block != nil {
		a.block.release()
	}
	a.block, a.data, a.from, a.to = larger, larger.data, 0, pending
	return nil
}

// release gives back what was accounted for, and the last block.
func (a *arena) release() {
	a.held.give(a.extra)
	if a.block != nil {
		a.block.release()
	}
}
