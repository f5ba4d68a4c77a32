// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// A buffer that was full stays so until the loop has made room, whatever else is fetched meanwhile: or the fetch, which
// the consumer paused, would never be resumed.
func TestStreamAsksForMoreAfterItWasFull(t *testing.T) {
	held := newLease()
	held.extend(time.Now().Add(time.Hour))
	defer held.end()
	q := &queue{mail: make(chan struct{}, 1)}
	asked := 0
	p := kafka.Partition{Topic: "orders", ID: "0"}
	s := q.Assign(Assignment{Partition: p, Lease: held, Ready: func() { asked++ }})
	if s.Fetched(kafka.Fetch{Batch: kafka.NewBatch(p, make(kafka.Messages, streamBuffer+100))}) {
		t.Fatal("a full buffer takes more")
	}
	turns(q, 200)
	s.Fetched(kafka.Fetch{Partition: p, End: -1, Err: errors.New("connection refused")})
	turns(q, streamBuffer)
	if asked != 1 {
		t.Fatalf("asked for more %d times, want once", asked)
	}
}

// What is no message is skipped once everything before it is acknowledged, and not before.
func TestStreamSkipsBehindWhatIsAcknowledged(t *testing.T) {
	held := newLease()
	held.extend(time.Now().Add(time.Hour))
	defer held.end()
	p := kafka.Partition{Topic: "orders", ID: "0"}
	batch := func(offset int64) kafka.Batch {
		return kafka.NewBatch(p, kafka.Messages{{Offset: offset, Next: offset + 1}})
	}
	start := func() (*queue, Processor) {
		q := &queue{mail: make(chan struct{}, 1)}
		s := q.Assign(Assignment{Partition: p, Position: 5, Lease: held, Ready: func() {}})
		return q, s
	}
	at := func(s Processor, want int64) {
		t.Helper()
		if got := s.Position(); got != want {
			t.Errorf("the position is %d, want %d", got, want)
		}
	}
	q, s := start()
	s.Fetched(kafka.Fetch{Skip: 7})
	at(s, 7) // there was nothing before
	s.Fetched(kafka.Fetch{Batch: batch(7), Skip: 9})
	s.Fetched(kafka.Fetch{Batch: batch(9)})
	at(s, 7)
	turns(q, 2)
	at(s, 10)
	s.Fetched(kafka.Fetch{Batch: batch(10), Skip: 12})
	item, _ := q.pick()
	s.Fetched(kafka.Fetch{Skip: 13})
	at(s, 10) // the loop's body has it
	q.finish(item, true)
	at(s, 13)

	q, s = start()
	s.Fetched(kafka.Fetch{Batch: batch(5)})
	item, _ = q.pick()
	q.finish(item, false)
	s.Fetched(kafka.Fetch{Skip: 7})
	at(s, 5) // nobody acknowledged it
}

func TestBounded(t *testing.T) {
	topics, err := bounded(make([]string, maxMatching))
	if len(topics) != maxMatching || err != nil {
		t.Errorf("%d topics, %v", len(topics), err)
	}
	topics, err = bounded(make([]string, maxMatching+2))
	const want = "1002 topics match the pattern, and only the first 1000 are consumed; make it narrower"
	if len(topics) != maxMatching || err == nil || err.Error() != want {
		t.Errorf("%d topics, %v", len(topics), err)
	}
}

// turns lets the loop have so many items, or all there are.
func turns(q *queue, n int) {
	for range n {
		if item, ok := q.pick(); ok {
			q.finish(item, true)
		}
	}
}

// A wrapper of Kafka 0.7 is acknowledged as a whole. So one that was begun is finished before the partition is given
// up, unless the time for that is over.
func TestStreamFinishesTheWrapperItIsIn(t *testing.T) {
	p := kafka.Partition{Topic: "orders", ID: "0-1"}
	wrapper := kafka.Messages{ // three messages in one wrapper from 100 to 180, then one by itself
		{Offset: 100, Index: 0, Next: 100}, {Offset: 100, Index: 1, Next: 100}, {Offset: 100, Index: 2, Next: 180},
		{Offset: 180, Next: 200},
	}
	held := newLease()
	held.extend(time.Now().Add(time.Hour))
	defer held.end()
	for name, test := range map[string]struct {
		taken, more int
		cut         bool
		drained     int64
	}{
		"before it":       {0, 5, false, 100},
		"in the midst":    {1, 5, false, 180},
		"at its end":      {3, 5, false, 180},
		"behind it":       {4, 5, false, 200},
		"out of time":     {1, 0, true, 100},
		"almost finished": {1, 1, true, 100},
	} {
		q := &queue{mail: make(chan struct{}, 1)}
		drained := int64(-1)
		s := q.Assign(Assignment{
			Partition: p, Position: 100, Lease: held, Ready: func() {}, Drained: func(at int64) { drained = at },
		})
		s.Fetched(kafka.Fetch{Batch: kafka.NewBatch(p, wrapper)})
		turns(q, test.taken)
		s.Drain()
		turns(q, test.more)
		if test.cut {
			s.Cut()
		}
		if drained != test.drained {
			t.Errorf("%s: drained at %d, want %d", name, drained, test.drained)
		}
	}
}
