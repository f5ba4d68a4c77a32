// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// consumed are the partitions that franz-go has been given, so that all can be taken away before it is closed. Without
// that, an answer with metadata that arrives while franz-go closes may begin to fetch what was added just before: the
// fetch then reads its session while Client.Close ends it (kgo 1.22: source.createReq and fetchSession.kill), a race.
type consumed struct {
	client *kgo.Client

	// mu protects what follows, and keeps Close from overtaking a change.
	mu     sync.Mutex
	given  map[string]map[int32]struct{}
	closed bool
}

func (c *consumed) add(positions map[string]map[int32]kgo.Offset) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(positions) == 0 {
		return
	}
	if c.given == nil {
		c.given = make(map[string]map[int32]struct{})
	}
	for topic, numbers := range positions {
		if c.given[topic] == nil {
			c.given[topic] = make(map[int32]struct{})
		}
		for number := range numbers {
			c.given[topic][number] = struct{}{}
		}
	}
	c.client.AddConsumePartitions(positions)
}

func (c *consumed) remove(partitions map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(partitions) == 0 {
		return
	}
	for topic, numbers := range partitions {
		for _, number := range numbers {
			delete(c.given[topic], number)
		}
		if len(c.given[topic]) == 0 {
			delete(c.given, topic)
		}
	}
	c.client.RemoveConsumePartitions(partitions)
}

// close takes everything away, and lets nothing in any more.
func (c *consumed) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	all := make(map[string][]int32, len(c.given))
	for topic, numbers := range c.given {
		all[topic] = slices.Collect(maps.Keys(numbers))
	}
	c.client.RemoveConsumePartitions(all)
}
