// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import "sync"

// commits lets callers wait until what was acknowledged when they asked is committed.
type commits struct {
	// mu protects waiting.
	mu      sync.Mutex
	waiting []*commitWait
}

// commitWait is one caller. It has what it waits for once no lane of before is behind its position of then; a lane that
// has ended is no longer waited for.
type commitWait struct {
	before map[int64]int64
	done   chan struct{}
}

func (c *commits) add(before map[int64]int64) *commitWait {
	wait := &commitWait{before: before, done: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, wait)
	return wait
}

func (c *commits) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) > 0
}

// settle wakes who waits for nothing any more, given how far each lane is committed.
func (c *commits) settle(committed map[int64]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	still := c.waiting[:0]
	for _, wait := range c.waiting {
		if wait.behind(committed) {
			still = append(still, wait)
			continue
		}
		close(wait.done)
	}
	clear(c.waiting[len(still):])
	c.waiting = still
}

func (w *commitWait) behind(committed map[int64]int64) bool {
	for lane, position := range w.before {
		if at, lives := committed[lane]; lives && at < position {
			return true
		}
	}
	return false
}

// acknowledged is how far each lane has come.
func (c *Consumer) acknowledged() map[int64]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	positions := make(map[int64]int64, len(c.sources))
	for lane, s := range c.sources {
		positions[lane] = s.processor.Position()
	}
	return positions
}

// settleCommits wakes who waits for a commit.
func (c *Consumer) settleCommits() {
	if !c.commits.any() {
		return
	}
	c.mu.Lock()
	committed := make(map[int64]int64, len(c.sources))
	for _, claim := range c.member.Snapshot().Claims {
		if _, lives := c.sources[claim.Lane]; lives {
			committed[claim.Lane] = claim.Committed
		}
	}
	c.mu.Unlock()
	c.commits.settle(committed)
}
