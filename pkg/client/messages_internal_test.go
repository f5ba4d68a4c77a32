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
