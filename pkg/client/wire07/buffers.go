// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"runtime"
	"sync"
)

// blockBytes is the size of the buffers that are used again: a full set, as a fetch asks for unless configured
// otherwise. A smaller set takes a block if it fills half of it, since all of it lives as long as a message in it; what
// is smaller still, or larger, has a buffer of its own size.
const blockBytes = DefaultFetchMaxPartitionBytes

type block [blockBytes]byte

// blocks are buffers that nobody holds a message of any more. Who may keep messages for as long as he likes does not
// say when he is done with them; the garbage collector finds out, and the finalizer of a block brings it here instead
// of letting it go. Without this each set takes fresh memory, which must be cleared, and often mapped anew. Measured
// with messages of 1 KiB on a busy machine, in parts of the speed of only reading the answers: fresh buffers 0.55 to
// 0.60, these 0.61 to 0.66; two buffers that are overwritten at once, which may not be, 0.73 to 0.78, since they stay
// in the cache. So does what its holder releases (kafka.Batch.Release): with 100 bytes 0.53 to 0.61 instead of 0.48 to
// 0.53, where a loop that does nothing but read and compute the checksums on the other core comes to 0.61 to 0.70.
// What is here and not wanted the pool lets go within two collections.
type blocks struct {
	pool sync.Pool
}

// get gives a block with anything in it. It comes back by itself.
func (b *blocks) get() *block {
	taken, ok := b.pool.Get().(*block)
	if !ok {
		taken = new(block)
	}
	runtime.SetFinalizer(taken, func(unreachable *block) { b.pool.Put(unreachable) })
	return taken
}

// buffers are what a loop reads sets into: one for each partition's part of an answer, so that a message that somebody
// keeps keeps its own set and nobody else's.
type buffers struct {
	blocks *blocks

	// mu guards free: one goroutine reads into buffers, others are done with them.
	mu sync.Mutex
	// free are buffers of which no message went out, or whose messages were released.
	free [][]byte
}

// maxFreeBuffers is how many a loop keeps: those of one answer of 16 partitions at 1 MiB each.
const maxFreeBuffers = 16

// get gives a buffer of n bytes with anything in it.
func (b *buffers) get(n int) []byte {
	if n == 0 {
		return nil
	}
	if buffer := b.reuse(n); buffer != nil {
		return buffer
	}
	if fits(blockBytes, n) {
		return b.blocks.get()[:n]
	}
	return make([]byte, n)
}

// reuse gives a free buffer, if the last one fits.
func (b *buffers) reuse(n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := len(b.free) - 1
	if last < 0 || !fits(cap(b.free[last]), n) {
		return nil
	}
	buffer := b.free[last]
	b.free[last] = nil
	b.free = b.free[:last]
	return buffer[:n]
}

// fits says whether n bytes fill at least half of a buffer.
func fits(size, n int) bool { return n <= size && 2*n >= size }

// put takes back a buffer that nobody looks at any more.
func (b *buffers) put(buffer []byte) {
	if cap(buffer) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.free) == maxFreeBuffers { // the oldest goes: reuse looks at the newest, which must not be one that never fits
		copy(b.free, b.free[1:])
		b.free = b.free[:maxFreeBuffers-1]
	}
	b.free = append(b.free, buffer)
}
