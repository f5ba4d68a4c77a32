// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import "sync"

// commits lets callers wait until what was acknowledged is committed.
type commits struct {
	// mu protects waiting.
	mu      sync.Mutex
	waiting []chan struct{}
}

func (c *commits) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := make(chan struct{})
	c.waiting = append(c.waiting, done)
	return done
}

func (c *commits) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) > 0
}

func (c *commits) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, done := range c.waiting {
		close(done)
	}
	c.waiting = nil
}

// settleCommits wakes who waits, once no lane is ahead of its committed position.
func (c *Consumer) settleCommits() {
	if !c.commits.any() {
		return
	}
	c.mu.Lock()
	behind := false
	for _, claim := range c.member.Snapshot().Claims {
		if lane := c.sources[claim.Lane]; lane != nil && lane.processor.Position() != claim.Committed {
			behind = true
		}
	}
	c.mu.Unlock()
	if !behind {
		c.commits.done()
	}
}
