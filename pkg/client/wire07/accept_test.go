// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// Three fetches of a partition were asked for one behind the other when the first turns out to hold less than its
// lengths said. The other two must not come out, whether they have arrived or not; what is fetched anew must.
func TestACursorThatGoesBackDropsWhatWasAskedForTooEarly(t *testing.T) {
	f := &fetcher{
		config: Config{MaxMessageBytes: 100}, news: make(chan struct{}, 1), cursors: map[kafka.Partition]*cursor{},
	}
	l := newLoop(f, "1")
	c := &cursor{partition: kafka.Partition{Topic: "t", ID: "1-0"}, loop: l, end: -1}
	f.cursors[c.partition] = c
	l.cursors = []*cursor{c}
	set := protocol.AppendMessage(protocol.AppendMessage(nil, []byte("one")), []byte("two"))
	half := len(set) / 2
	arrive := func(from int64) *part {
		q := new(request)
		q.fetch(c, 1000)
		p := &q.parts[0]
		p.from, p.set = from, set
		l.accept(p, time.Time{})
		return p
	}
	decode := func(p *part, end int64) int {
		var d decoder
		d.decode(p)
		p.end = end
		if end < p.from+int64(p.size) {
			p.batch = p.batch.Slice(0, 1)
		}
		l.finish(p)
		fetches := f.collect()
		if len(fetches) == 0 {
			return 0
		}
		return fetches[0].Batch.Len()
	}
	size := int64(len(set))
	first, second := arrive(0), arrive(size)
	if !first.taken || !second.taken || c.next != 2*size || c.bytes != 2*len(set) || l.buffered != c.bytes {
		t.Fatalf("before: %+v, %d buffered", c, l.buffered)
	}
	if n := decode(first, int64(half)); n != 1 || c.next != int64(half) || c.done != c.next {
		t.Fatalf("%d messages, next is %d, want 1 and %d", n, c.next, half)
	}
	if third := arrive(2 * size); third.taken || c.next != int64(half) {
		t.Errorf("what came too early moved the cursor to %d", c.next)
	}
	if n := decode(second, 2*size); n != 0 || c.next != int64(half) {
		t.Errorf("what was decoded too early gave %d messages and moved the cursor to %d", n, c.next)
	}
	if n := decode(arrive(int64(half)), int64(half)+size); n != 2 || c.next != int64(half)+size {
		t.Errorf("what was fetched anew gave %d messages and moved the cursor to %d", n, c.next)
	}
	if c.bytes != 0 || l.buffered != 0 {
		t.Errorf("%d and %d bytes are left", c.bytes, l.buffered)
	}
}
