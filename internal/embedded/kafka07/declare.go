// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// counts are the numbers of partitions that topics have on one broker. Safe for concurrent use.
type counts struct {
	otherwise int32

	// mu guards the map.
	mu      sync.Mutex
	byTopic map[string]int32
}

func newCounts(byTopic map[string]int32, otherwise int32) *counts {
	c := &counts{otherwise: otherwise, byTopic: map[string]int32{}}
	maps.Copy(c.byTopic, byTopic)
	return c
}

func (c *counts) of(topic string) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok := c.byTopic[topic]; ok {
		return n
	}
	return c.otherwise
}

func (c *counts) set(topic string, n int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byTopic[topic] = n
}

// Declare makes a topic of a number of partitions before anybody writes to it: the number as
// topic.partition.count.map gives it, which the real one reads when it starts, and then the log of partition 0 as the
// first PRODUCE makes it, an empty one here. The broker registers the topic soon after; see Registered.
func (b *Broker) Declare(topic string, partitions int32) error {
	if err := protocol.CheckTopic(topic); err != nil {
		return fmt.Errorf("declare topic %q: %w", topic, err)
	}
	if partitions < 1 {
		return fmt.Errorf("declare topic %s: %d partitions, want at least 1", topic, partitions)
	}
	if slices.Contains(b.logs.topics(), topic) {
		return fmt.Errorf("declare topic %s: broker %d has it already, with %d partitions",
			topic, b.config.ID, b.config.partitions(topic))
	}
	b.config.counts.set(topic, partitions)
	return b.produce(&protocol.ProduceRequest{Topic: topic})
}

// Registered reports whether the broker lives and has a topic registered in ZooKeeper.
func (b *Broker) Registered(topic string) bool {
	life := b.current()
	return life != nil && !life.dead() && life.registrar != nil && life.registrar.has(topic)
}
