// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"sync"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// commits lets callers wait until what was acknowledged when they asked is committed.
type commits struct {
	// mu protects waiting.
	mu      sync.Mutex
	waiting []*commitWait
}

// claimed names one claim on a partition: another one has another token.
type claimed struct {
	partition kafka.Partition
	token     int64
}

// commitWait is one caller. It has what it waits for once no claim of before is behind its position of then; a claim
// that has been released, or lost, is no longer waited for.
type commitWait struct {
	before map[claimed]int64
	done   chan struct{}
}

func (c *commits) add(before map[claimed]int64) *commitWait {
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

// settle wakes who waits for nothing any more, given how far each claim is committed.
func (c *commits) settle(committed map[claimed]int64) {
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

func (w *commitWait) behind(committed map[claimed]int64) bool {
	for claim, position := range w.before {
		if at, stands := committed[claim]; stands && at < position {
			return true
		}
	}
	return false
}

// acknowledged is how far each claim has come, also one whose lane has drained and that is being released.
func (c *Consumer) acknowledged() map[claimed]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	positions := map[claimed]int64{}
	for _, claim := range c.member.Snapshot().Claims {
		position := claim.Acked
		if s := c.sources[claim.Lane]; s != nil {
			position = s.processor.Position()
		}
		if claim.Token != 0 {
			positions[claimed{claim.Partition, claim.Token}] = position
		}
	}
	return positions
}

// settleCommits wakes who waits for a commit.
func (c *Consumer) settleCommits() {
	if !c.commits.any() {
		return
	}
	c.mu.Lock()
	committed := map[claimed]int64{}
	for _, claim := range c.member.Snapshot().Claims {
		committed[claimed{claim.Partition, claim.Token}] = claim.Committed
	}
	c.mu.Unlock()
	c.commits.settle(committed)
}
