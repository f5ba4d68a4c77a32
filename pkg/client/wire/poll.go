// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// Between two looks at metadata for partitions whose leaders are not known: an answer takes some milliseconds, a
	// topic that does not exist may take for ever.
	awaitFloor = 5 * time.Millisecond
	awaitCap   = 250 * time.Millisecond
	// A leader that moves answers wrongly a few times. 3 tries, 0.1 + 0.2 + 0.4 s, tell that from trouble.
	passingFails = 3
	// A broker that has just been told of a new topic does not know its id for a moment; 6 tries are 3.1 s.
	recreatedFails = 6
)

// Poll implements kafka.Transport.
func (f *fetcher) Poll(ctx context.Context) []kafka.Fetch {
	// Or the batches of the poll before would live as long as this slice.
	clear(f.fetches)
	f.fetches = f.fetches[:0]
	for {
		f.settle(time.Now())
		if len(f.fetches) > 0 || ctx.Err() != nil {
			return f.fetches
		}
		waiting, end := f.wake.wait(ctx, f.patience(time.Now()))
		fetches := f.client.PollFetches(waiting)
		end()
		if fetches.IsClientClosed() {
			return f.fetches
		}
		f.take(fetches, time.Now())
	}
}

// patience is how long to wait for franz-go before somebody unsettled needs a look; 0 is for ever.
func (f *fetcher) patience(now time.Time) time.Duration {
	var next time.Time
	for c := range f.unsettled {
		due := c.retryAt
		if due.IsZero() {
			due = c.calmAt
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	if next.IsZero() {
		return 0
	}
	return max(next.Sub(now), time.Millisecond)
}

// settle does what does not come from franz-go: news of lookups, partitions whose leaders became known, retries that
// are due, errors that are over, brokers that fail.
func (f *fetcher) settle(now time.Time) {
	f.read(f.lookups.results(), now)
	for _, n := range f.news {
		if f.isCurrent(n.cursor) {
			f.fetches = append(f.fetches, n.fetch)
		}
	}
	clear(f.news)
	f.news = f.news[:0]

	var admissible, retried []*cursor
	for c := range f.unsettled {
		switch {
		case c.stage == waiting && !now.Before(c.retryAt):
			admissible = append(admissible, c)
		case c.stage == checking && !now.Before(c.retryAt):
			delete(f.unsettled, c)
			f.lookups.ask(c.question)
		case c.stage == fetching && !c.retryAt.IsZero() && !now.Before(c.retryAt):
			c.retryAt = time.Time{}
			// Two fetches without an error: the first may have been underway when the trouble was still there.
			c.calmAt = now.Add(2 * f.config.FetchMaxWait)
			retried = append(retried, c)
		case c.stage == fetching && c.retryAt.IsZero() && !now.Before(c.calmAt):
			f.calm(c)
		}
	}
	if len(retried) > 0 {
		f.hold(retried)
	}
	if len(admissible) > 0 {
		f.admit(admissible, now)
	}
	if f.health.changed.Swap(false) {
		f.judge(f.health.look())
	}
}

// await looks at a partition without a known leader again soon. err is what the brokers say of it, nil if they were not
// heard yet.
func (f *fetcher) await(c *cursor, err error, now time.Time) {
	c.stage = waiting
	c.missing = errors.Is(err, kerr.UnknownTopicOrPartition)
	f.unsettled[c] = struct{}{}
	wait := awaitCap
	if c.fails < 6 {
		wait = min(awaitFloor<<c.fails, awaitCap)
	}
	c.retryAt = now.Add(wait)
	c.fails++
	// 5+10+20+40+80+160 ms: it should have been known by now.
	if c.fails < 7 {
		return
	}
	if c.fails%8 == 0 {
		// A partition added to a known topic is no error to franz-go, and it would wait for a minute.
		f.client.ForceMetadataRefresh()
	}
	if err == nil {
		err = f.health.seedError()
	}
	if err == nil {
		err = kerr.UnknownTopicOrPartition
	}
	if fetch, isNew := c.tell(fmt.Errorf("leader of %s: %w", c.partition, err)); isNew {
		f.fetches = append(f.fetches, fetch)
	}
}

// calm ends a partition's trouble.
func (f *fetcher) calm(c *cursor) {
	delete(f.unsettled, c)
	c.missing = false
	if c.calm() {
		f.fetches = append(f.fetches, kafka.Fetch{Partition: c.partition, End: c.end})
	}
}

// judge tells the partitions of brokers that fail so, and those of brokers that do not fail any more.
func (f *fetcher) judge(failing map[int32]error) {
	for _, c := range f.cursors {
		if c.stage != fetching {
			continue
		}
		leader, _, _ := f.client.PartitionLeader(c.partition.Topic, c.number)
		if err := failing[leader]; err != nil {
			if fetch, isNew := c.tell(fmt.Errorf("broker %d, leader of %s: %w", leader, c.partition, err)); isNew {
				f.fetches = append(f.fetches, fetch)
			}
			c.brokerFails = true
		} else if c.brokerFails {
			c.brokerFails = false
			f.calm(c)
			f.hold([]*cursor{c})
		}
	}
}

// take turns what franz-go brought into fetches.
func (f *fetcher) take(fetches kgo.Fetches, now time.Time) {
	for i := range fetches {
		for j := range fetches[i].Topics {
			name := fetches[i].Topics[j].Topic
			partitions := fetches[i].Topics[j].Partitions
			for k := range partitions {
				f.takePartition(name, &partitions[k], now)
			}
		}
	}
}

func (f *fetcher) takePartition(name string, p *kgo.FetchPartition, now time.Time) {
	if name == "" {
		f.takeGeneral(p.Err, now)
		return
	}
	t := f.topics[name]
	if t == nil {
		return
	}
	c := t.numbers[p.Partition]
	if c == nil || c.stage != fetching {
		// Errors of partitions removed meanwhile are all that franz-go still brings.
		return
	}
	if len(p.Records) > 0 && !f.takeRecords(c, p) {
		return
	}
	if p.Err != nil {
		f.fail(c, p.Err, now)
		return
	}
	if c.fails > 0 || c.told != "" {
		f.calm(c)
		f.hold([]*cursor{c})
	}
	if len(p.Records) == 0 && p.HighWatermark != c.end {
		f.fetches = append(f.fetches, kafka.Fetch{Partition: c.partition, End: p.HighWatermark})
	}
	c.end = p.HighWatermark
}

// takeRecords appends a partition's messages. It reports false where they are not what was asked for, and checks why.
func (f *fetcher) takeRecords(c *cursor, p *kgo.FetchPartition) bool {
	first := p.Records[0].Offset
	switch {
	case first < c.next:
		// franz-go went back: the log was truncated, and ended here when it noticed.
		f.check(c, fmt.Errorf("the log went back from %d to %d", c.next, first), first)
		return false
	case c.fresh && first > c.next && p.LogStartOffset > c.next:
		f.check(c, fmt.Errorf("the log starts at %d", p.LogStartOffset), noLimit)
		return false
	}
	c.fresh = false
	c.next = p.Records[len(p.Records)-1].Offset + 1
	fetch := kafka.Fetch{Partition: c.partition, End: p.HighWatermark}
	if p.Err != nil {
		fetch.End = -1
	}
	list, skip := messagesOf(p.Records)
	fetch.Skip = skip
	if len(list) > 0 {
		fetch.Batch = kafka.NewBatch(c.partition, &records{partition: c.partition, list: list})
	}
	f.fetches = append(f.fetches, fetch)
	return true
}

// takeGeneral handles errors that franz-go does not lay to one partition.
func (f *fetcher) takeGeneral(err error, now time.Time) {
	// The end of a wait.
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	for _, c := range f.cursors {
		if c.stage == fetching {
			f.fail(c, err, now)
		}
	}
}
