// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// noLimit is the limit of a check that believes the log's end as it is now.
const noLimit = int64(-1)

// fail handles an error of a partition being fetched.
func (f *fetcher) fail(c *cursor, err error, now time.Time) {
	loss, truncated := errors.AsType[*kgo.ErrDataLoss](err)
	answered, retriable := fromBroker(err)
	trust := ofTrust(err)
	switch {
	case trust != nil:
		f.retry(c, trust, now, false)
	case errors.Is(err, kerr.OffsetOutOfRange):
		f.check(c, err, noLimit)
	case truncated:
		// What stands behind the point of truncation by now are other messages than those already consumed.
		f.check(c, err, min(loss.ResetTo, c.next-1))
	case errors.Is(err, kerr.UnknownTopicID) && c.fails+1 >= recreatedFails:
		f.recreated(c.partition.Topic)
	case answered:
		f.retry(c, err, now, retriable)
	default:
		// What the broker sent could not be read. franz-go would fetch it again for ever, and in one case skip it.
		f.giveUp(c, fmt.Errorf("%s: unreadable at position %d: %w", c.partition, c.next, err))
	}
}

// retry leaves a partition alone for a while. franz-go itself would ask again at once: it paces itself only where it
// hides the error.
func (f *fetcher) retry(c *cursor, err error, now time.Time, passing bool) {
	c.fails++
	c.missing = errors.Is(err, kerr.UnknownTopicOrPartition)
	c.retryAt = now.Add(backoff(c.fails))
	f.unsettled[c] = struct{}{}
	f.hold([]*cursor{c})
	if passing && c.fails < passingFails {
		return
	}
	if fetch, isNew := c.tell(fmt.Errorf("%s at position %d: %w", c.partition, c.next, err)); isNew {
		f.fetches = append(f.fetches, fetch)
	}
}

// check asks for the bounds of the log, to tell what is wrong with a position. limit is where the log ended when that
// was noticed, or noLimit: its end now may be beyond what was lost.
func (f *fetcher) check(c *cursor, cause error, limit int64) {
	c.stage = checking
	c.question = lookup{cursor: c, partition: c.partition, limit: limit, cause: cause}
	delete(f.unsettled, c)
	f.hold([]*cursor{c})
	f.lookups.ask(c.question)
}

// read handles the bounds that lookups found.
func (f *fetcher) read(results []lookup, now time.Time) {
	for _, found := range results {
		c := found.cursor
		if !f.isCurrent(c) || c.stage != checking {
			continue
		}
		if found.err != nil {
			if fetch, isNew := c.tell(found.err); isNew {
				f.fetches = append(f.fetches, fetch)
			}
			c.fails++
			c.retryAt = now.Add(backoff(c.fails))
			f.unsettled[c] = struct{}{}
			continue
		}
		latest := found.latest
		if found.limit != noLimit {
			latest = min(latest, found.limit)
		}
		if c.next >= found.earliest && c.next <= latest {
			// A broker that lags behind the leader said so, or the log has grown meanwhile.
			c.stage = fetching
			f.retry(c, found.cause, now, true)
			continue
		}
		f.giveUp(c, &kafka.OutOfRange{
			Partition: c.partition, Position: c.next, Earliest: found.earliest, Latest: latest,
		})
	}
}

// giveUp stops a partition for good, with the next poll.
func (f *fetcher) giveUp(c *cursor, err error) {
	c.stage = stopped
	c.told = kind(err)
	delete(f.unsettled, c)
	f.hold([]*cursor{c})
	f.news = append(f.news, notice{
		cursor: c,
		fetch:  kafka.Fetch{Partition: c.partition, End: -1, Err: err, Stopped: true},
	})
	f.wake.wake()
}

// recreated stops all partitions of a topic: franz-go fetches by the id of the topic that is gone.
func (f *fetcher) recreated(name string) {
	for _, c := range f.topics[name].numbers {
		if c.stage == fetching || c.stage == checking {
			f.giveUp(c, fmt.Errorf("%s: %w", c.partition, kafka.ErrReplaced))
		}
	}
	f.forget(name)
}
