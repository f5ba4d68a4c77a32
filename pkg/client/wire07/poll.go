// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"fmt"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Poll implements kafka.Transport.
func (f *fetcher) Poll(ctx context.Context) []kafka.Fetch {
	for {
		if fetches := f.collect(); len(fetches) > 0 || ctx.Err() != nil {
			return fetches
		}
		select {
		case <-f.news:
		case <-ctx.Done():
		case <-f.over:
			return nil
		}
	}
}

// collect takes what is ready. Of a paused partition that is errors alone, until the first batch.
func (f *fetcher) collect() []kafka.Fetch {
	f.mu.Lock()
	defer f.mu.Unlock()
	// Or the batches of the poll before would live as long as this slice.
	clear(f.fetches)
	f.fetches = f.fetches[:0]
	for _, c := range f.queue {
		c.queued = false
		first, taken := len(f.fetches), 0
		for _, d := range c.ready {
			if c.paused && d.fetch.Batch.Len() > 0 {
				break
			}
			f.fetches = append(f.fetches, d.fetch)
			c.weigh(-d.bytes)
			taken++
		}
		if c.endNews && c.told == "" {
			f.tellEnd(c, first)
		}
		if taken > 0 {
			rest := copy(c.ready, c.ready[taken:])
			clear(c.ready[rest:])
			c.ready = c.ready[:rest]
			c.loop.signal() // it may have waited for room
		}
	}
	clear(f.queue)
	f.queue = f.queue[:0]
	return f.fetches
}

// tellEnd adds where the log ends to the first fetch of the partition, or makes one for it.
func (f *fetcher) tellEnd(c *cursor, first int) {
	c.endNews = false
	if first == len(f.fetches) {
		f.fetches = append(f.fetches, kafka.Fetch{Partition: c.partition})
	}
	f.fetches[first].End = c.end
}

// deliver makes something ready for Poll; its bytes are weighed by who calls.
func (f *fetcher) deliver(c *cursor, fetch kafka.Fetch, bytes int) {
	fetch.Partition = c.partition
	c.ready = append(c.ready, delivery{fetch, bytes})
	f.enqueue(c)
}

func (f *fetcher) enqueue(c *cursor) {
	if c.queued || len(c.ready) == 0 && (!c.endNews || c.told != "") {
		return
	}
	c.queued = true
	f.queue = append(f.queue, c)
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// tell makes an error known, unless it is already.
func (f *fetcher) tell(c *cursor, err error) {
	if words := err.Error(); c.told != words {
		c.told = words
		f.deliver(c, kafka.Fetch{End: -1, Err: err}, 0)
	}
}

// giveUp stops a partition for good.
func (f *fetcher) giveUp(c *cursor, err error) {
	c.stage, c.told = stopped, err.Error()
	f.deliver(c, kafka.Fetch{End: -1, Err: err, Stopped: true}, 0)
}

// calm tells that a partition's trouble is over, where there was any.
func (f *fetcher) calm(c *cursor) {
	if c.calm() {
		f.deliver(c, kafka.Fetch{End: c.end}, 0)
	}
}

// describe says which fetch an error is about.
func (c *cursor) describe(err error) error {
	return fmt.Errorf("%s at position %d: %w", c.partition, c.next, err)
}
