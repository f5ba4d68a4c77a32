// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"slices"
	"sync"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// fetcher is the fetching half of the transport: what is to be fetched, the loops that do so, one for each broker that
// has some of it, and what they brought.
type fetcher struct {
	config  Config
	brokers *brokers
	spawn   func(task func(ctx context.Context)) bool
	blocks  *blocks
	// over is closed when the transport is.
	over <-chan struct{}
	// news holds a token if there may be something for Poll.
	news chan struct{}

	// mu guards what follows, and what the loops and cursors say that it guards.
	mu      sync.Mutex
	cursors map[kafka.Partition]*cursor
	loops   map[string]*loop
	// queue are the cursors that have something ready.
	queue []*cursor
	// fetches is what Poll returned last, used again.
	fetches []kafka.Fetch
}

func newFetcher(t *Transport) *fetcher {
	return &fetcher{
		config:  t.config,
		brokers: t.brokers,
		spawn:   t.spawn,
		blocks:  new(blocks),
		over:    t.life.Done(),
		news:    make(chan struct{}, 1),
		cursors: make(map[kafka.Partition]*cursor),
		loops:   make(map[string]*loop),
	}
}

// Add implements kafka.Transport.
func (f *fetcher) Add(positions map[kafka.Partition]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	paused := make(map[kafka.Partition]bool)
	moved := make([]kafka.Partition, 0, len(positions))
	for partition := range positions {
		if c := f.cursors[partition]; c != nil {
			moved = append(moved, partition)
			paused[partition] = c.paused
		}
	}
	f.remove(moved)
	for partition, position := range positions {
		f.add(&cursor{partition: partition, next: position, done: position, end: -1, paused: paused[partition]})
	}
}

func (f *fetcher) add(c *cursor) {
	f.cursors[c.partition] = c
	place, err := placeOf(c.partition)
	c.place = place
	// A name that says no broker belongs to a loop that never runs.
	c.loop = f.loops[place.broker]
	if c.loop == nil {
		c.loop = newLoop(f, place.broker)
	}
	if err != nil {
		f.giveUp(c, err)
		return
	}
	if f.loops[place.broker] == nil {
		if !f.spawn(c.loop.run) {
			return // closed
		}
		f.loops[place.broker] = c.loop
	}
	c.loop.join(c)
}

// Remove implements kafka.Transport.
func (f *fetcher) Remove(partitions []kafka.Partition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remove(partitions)
}

func (f *fetcher) remove(partitions []kafka.Partition) {
	left := make(map[*loop]struct{})
	for _, partition := range partitions {
		if c := f.cursors[partition]; c != nil {
			delete(f.cursors, partition)
			c.drop()
			left[c.loop] = struct{}{}
		}
	}
	for l := range left {
		l.cursors = slices.DeleteFunc(l.cursors, func(c *cursor) bool { return f.cursors[c.partition] != c })
		l.signal()
	}
}

// Pause implements kafka.Transport. What was fetched already is kept, and comes out after Resume.
func (f *fetcher) Pause(partitions []kafka.Partition) { f.pause(partitions, true) }

// Resume implements kafka.Transport.
func (f *fetcher) Resume(partitions []kafka.Partition) { f.pause(partitions, false) }

func (f *fetcher) pause(partitions []kafka.Partition, paused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, partition := range partitions {
		c := f.cursors[partition]
		if c == nil {
			continue
		}
		c.pause(paused)
		if paused {
			c.loop.signal() // what it kept may be what the others waited for room for
			continue
		}
		f.enqueue(c)
		c.loop.hurry()
	}
}

// moved has loops leave brokers that are gone, or somewhere else now.
func (f *fetcher) moved() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.loops {
		l.follow()
	}
}
