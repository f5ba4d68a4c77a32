// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// fetcher is the fetching half of the transport. As the seam says, one goroutine at a time uses it.
type fetcher struct {
	config   Config
	client   *kgo.Client
	consumed *consumed
	lookups  *lookups
	health   *health
	wake     *waker

	cursors map[kafka.Partition]*cursor
	topics  map[string]*topic
	// unsettled are the cursors that need a look even if franz-go brings nothing of them.
	unsettled map[*cursor]struct{}
	// news is what was found outside a poll, for the next one.
	news []notice
	// fetches is what Poll returns, reused from poll to poll.
	fetches []kafka.Fetch
}

// notice is a fetch to tell unless its cursor has been removed meanwhile.
type notice struct {
	cursor *cursor
	fetch  kafka.Fetch
}

// topic is a topic of which partitions are being fetched, or were.
type topic struct {
	numbers map[int32]*cursor
	// primed says that franz-go asks for the topic's metadata.
	primed bool
	// purging is not nil while franz-go forgets the topic, and closed when it has.
	purging chan struct{}
}

func newFetcher(config Config, client *kgo.Client, lookups *lookups, health *health, wake *waker) fetcher {
	return fetcher{
		config:    config,
		client:    client,
		consumed:  &consumed{client: client},
		lookups:   lookups,
		health:    health,
		wake:      wake,
		cursors:   make(map[kafka.Partition]*cursor),
		topics:    make(map[string]*topic),
		unsettled: make(map[*cursor]struct{}),
	}
}

// Add implements kafka.Transport.
func (f *fetcher) Add(positions map[kafka.Partition]int64) {
	moved := make([]kafka.Partition, 0, len(positions))
	paused := make(map[kafka.Partition]bool)
	for partition := range positions {
		if c := f.cursors[partition]; c != nil {
			moved = append(moved, partition)
			paused[partition] = c.paused
		}
	}
	f.Remove(moved)

	added := make([]*cursor, 0, len(positions))
	for partition, position := range positions {
		if c := f.track(partition, position); c != nil {
			c.paused = paused[partition]
			added = append(added, c)
		}
	}
	f.admit(added, time.Now())
}

// track makes the cursor of a partition. One that can never be fetched is reported instead.
func (f *fetcher) track(partition kafka.Partition, position int64) *cursor {
	c, err := newCursor(partition, position)
	f.cursors[partition] = c
	if err != nil {
		f.giveUp(c, err)
		return nil
	}
	t := f.topics[partition.Topic]
	if t == nil {
		t = &topic{numbers: make(map[int32]*cursor)}
		f.topics[partition.Topic] = t
	}
	t.numbers[c.number] = c
	if position < 0 {
		// franz-go takes negative positions for words (-1: the end).
		f.check(c, errNegativePosition, noLimit)
		return nil
	}
	return c
}

var errNegativePosition = errors.New("positions are not negative")

// admit gives franz-go the positions of those whose leaders are known, and the names of the other topics.
func (f *fetcher) admit(cursors []*cursor, now time.Time) {
	ready := make(map[string]map[int32]kgo.Offset)
	primes := make(map[string][]int32)
	for _, c := range cursors {
		t := f.topics[c.partition.Topic]
		if leader, _, err := f.client.PartitionLeader(c.partition.Topic, c.number); leader < 0 || !t.purged() {
			f.await(c, err, now)
			continue
		}
		if c.primes {
			put(primes, c)
		}
		c.stage, c.known, c.primes = fetching, true, false
		delete(f.unsettled, c)
		if ready[c.partition.Topic] == nil {
			ready[c.partition.Topic] = make(map[int32]kgo.Offset)
		}
		ready[c.partition.Topic][c.number] = kgo.NewOffset().At(c.next)
		if c.calm() {
			f.fetches = append(f.fetches, kafka.Fetch{Partition: c.partition, End: c.end})
		}
	}
	f.consumed.remove(primes)
	f.hold(cursors)
	f.consumed.add(ready)
	f.prime(cursors)
}

// prime has franz-go learn of topics it does not know. The only way to is to add a partition; one is added at the log's
// end and held, so that nothing is fetched, and is replaced by the real one once its leader is known.
func (f *fetcher) prime(cursors []*cursor) {
	primes := make(map[string]map[int32]kgo.Offset)
	for _, c := range cursors {
		t := f.topics[c.partition.Topic]
		if c.stage != waiting || t.primed || !t.purged() {
			continue
		}
		t.primed = true
		c.primes, c.known = true, true
		primes[c.partition.Topic] = map[int32]kgo.Offset{c.number: kgo.NewOffset().AtEnd()}
	}
	f.consumed.add(primes)
}

// Remove implements kafka.Transport.
func (f *fetcher) Remove(partitions []kafka.Partition) {
	removed := make([]*cursor, 0, len(partitions))
	known := make(map[string][]int32)
	for _, partition := range partitions {
		c := f.cursors[partition]
		if c == nil {
			continue
		}
		removed = append(removed, c)
		delete(f.unsettled, c)
		delete(f.cursors, partition)
		if t := f.topics[partition.Topic]; t != nil && t.numbers[c.number] == c {
			delete(t.numbers, c.number)
		}
		if c.known {
			put(known, c)
		}
	}
	// One call for all: each makes franz-go begin anew with every partition.
	f.consumed.remove(known)
	f.release(removed)
	for _, c := range removed {
		// Or franz-go would ask for a deleted topic for ever.
		if t := f.topics[c.partition.Topic]; c.missing && len(t.numbers) == 0 {
			f.forget(c.partition.Topic)
		}
	}
}

// forget has franz-go drop a topic that was deleted or re-created. That waits for a metadata request underway, which
// may take long if brokers do not answer; partitions of the topic added meanwhile wait for it.
func (f *fetcher) forget(name string) {
	t := f.topics[name]
	if t.purging != nil {
		return
	}
	done := make(chan struct{})
	t.primed, t.purging = false, done
	for _, c := range t.numbers {
		c.known, c.primes = false, false
	}
	f.lookups.do(func() {
		f.client.PurgeTopicsFromConsuming(name)
		close(done)
		f.wake.wake()
	})
}

// purged reports whether franz-go is not busy forgetting the topic.
func (t *topic) purged() bool {
	if t.purging == nil {
		return true
	}
	select {
	case <-t.purging:
		t.purging = nil
		return true
	default:
		return false
	}
}

// Pause implements kafka.Transport. What franz-go has buffered of the partition is fetched again after Resume, so pause
// seldom.
func (f *fetcher) Pause(partitions []kafka.Partition) { f.pause(partitions, true) }

// Resume implements kafka.Transport.
func (f *fetcher) Resume(partitions []kafka.Partition) { f.pause(partitions, false) }

func (f *fetcher) pause(partitions []kafka.Partition, paused bool) {
	changed := make([]*cursor, 0, len(partitions))
	for _, partition := range partitions {
		if c := f.cursors[partition]; c != nil {
			c.paused = paused
			changed = append(changed, c)
		}
	}
	f.hold(changed)
}

// hold tells franz-go which of the cursors not to fetch: those the caller paused, and those in trouble.
func (f *fetcher) hold(cursors []*cursor) {
	hold, release := make(map[string][]int32), make(map[string][]int32)
	for _, c := range cursors {
		want := !c.mayFetch()
		if want == c.held {
			continue
		}
		c.held = want
		if want {
			put(hold, c)
		} else {
			put(release, c)
		}
	}
	// Without arguments these would only list what is paused.
	if len(hold) > 0 {
		f.client.PauseFetchPartitions(hold)
	}
	if len(release) > 0 {
		f.client.ResumeFetchPartitions(release)
	}
}

// release undoes hold for cursors that are gone: franz-go remembers what was paused even of partitions it does not
// have.
func (f *fetcher) release(cursors []*cursor) {
	release := make(map[string][]int32)
	for _, c := range cursors {
		if c.held {
			put(release, c)
		}
	}
	if len(release) > 0 {
		f.client.ResumeFetchPartitions(release)
	}
}

// isCurrent reports whether a cursor is still the one of its partition.
func (f *fetcher) isCurrent(c *cursor) bool {
	return f.cursors[c.partition] == c
}

// put adds a cursor to a list as franz-go takes them. franz-go may change such a map, so none is used twice.
func put(list map[string][]int32, c *cursor) {
	list[c.partition.Topic] = append(list[c.partition.Topic], c.number)
}
