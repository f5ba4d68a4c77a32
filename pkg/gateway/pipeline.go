// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
)

const (
	// pipelineMessages is how many messages of one stream are underway: at 200,000 a second, what a broker takes 20 ms to
	// answer.
	pipelineMessages = 4096
	// slotBytes is what a message underway counts for besides its bytes: what the producer counts for it (256), and what
	// a record takes in a batch of its own (97).
	slotBytes = 384
	// streamBytes is how much of all streams is underway: with a broker five requests of 2 to 3 MiB (see dispatch), and
	// two gathered. With a third of that brokers were kept waiting; with 28 MiB a tenth fewer messages passed for a second
	// of CPU, with 40 a fifth: what is read has left the processor's caches when it is written.
	streamBytes = 20 << 20
	// lineBytes is how much of results is gathered before it is sent: some 300 lines. It is also how long the result of a
	// stream may be that is known as a whole before any of it was sent, so that its status can say it.
	lineBytes = 32 << 10
)

// slot is one message underway. One whose outcome came is used again, by whatever stream is next: so there are as many
// as messages are underway, of some 200 bytes each, and those that are used are the ones a processor has at hand. One
// that was not decided never is: its outcome may still come.
type slot struct {
	pipe *pipeline
	// ready is set when result is.
	ready  atomic.Bool
	result result
	// block holds the message's bytes, if it was handed to the producer.
	block *block
	size  int
	until time.Time
	// done is what the producer calls; bound once for all messages of the slot.
	done func(client.Produced, error)
}

// take takes the outcome.
func (s *slot) take(produced client.Produced, err error) {
	pipe := s.pipe // whose the slot is no more once it is ready
	s.result = result{produced, err}
	s.ready.Store(true)
	pipe.wake()
}

func newSlot() *slot {
	s := new(slot)
	s.done = s.take
	return s
}

// free lets the slot be used again.
func (s *slot) free() {
	h := s.pipe.x.h
	if s.block != nil {
		s.block.release()
	}
	s.pipe, s.block, s.result = nil, nil, result{}
	s.ready.Store(false)
	h.slots.Put(s)
}

// pipeline hands the messages of a stream from its reader, which publishes them, to its writer, which writes their
// results in the same order. The reader owns tail, the writer head.
type pipeline struct {
	x       *exchange
	control *http.ResponseController
	slots   [pipelineMessages]*slot

	head, tail  atomic.Uint64
	bytes       atomic.Int64
	ended, lost atomic.Bool
	// enough is how many of bytes may still be underway when a reader that waits is told of room.
	enough atomic.Int64
	// last says that what is published next is the last.
	last atomic.Bool
	// idle and full say that the writer or the reader waits; news and room wake them. Each sets its word, looks again and
	// waits; the other changes the state, then looks at the word: one of both sees the other.
	idle, full atomic.Bool
	news, room chan struct{}
	// timer is the writer's, pausing the reader's.
	timer, pausing *time.Timer
	// now is the time when the reader last read or waited: that of each message would cost as much as the message's own
	// way through here. until is when the time of a message ends that comes now.
	now, until time.Time

	lines lines
}

func newPipeline(x *exchange, control *http.ResponseController) *pipeline {
	p := &pipeline{
		x: x, control: control, news: make(chan struct{}, 1), room: make(chan struct{}, 1),
		timer: time.NewTimer(math.MaxInt64), pausing: time.NewTimer(math.MaxInt64),
	}
	p.look()
	p.lines.pipe = p
	return p
}

// look looks at the clock.
func (p *pipeline) look() {
	p.now = time.Now()
	p.until = p.now.Add(p.x.h.config.RequestTimeout)
}

// wake wakes the writer, if it waits: the first of many results that come at once does.
func (p *pipeline) wake() {
	if p.idle.Load() && p.idle.CompareAndSwap(true, false) {
		select {
		case p.news <- struct{}{}:
		default:
		}
	}
}

// acquire gives the next slot, and memory for size bytes, as soon as there is room; nil if there is none in time or
// nobody listens any more.
func (p *pipeline) acquire(ctx context.Context, size int) *slot {
	size += slotBytes
	if !p.fits(size) && !p.await(ctx, size) {
		return nil
	}
	p.bytes.Add(int64(size))
	s := p.x.h.slots.Get().(*slot) //nolint:forcetypeassert // nothing else is in it
	s.pipe = p
	p.slots[p.tail.Load()%pipelineMessages] = s
	s.size = size
	s.until = p.until
	return s
}

// await waits for room.
func (p *pipeline) await(ctx context.Context, size int) bool {
	defer p.full.Store(false)
	for until := p.until; ; {
		p.enough.Store(p.bytes.Load() / 4 * 3) // anew each time: others may have taken what room there was
		p.full.Store(true)
		if p.fits(size) { // looked at again, since room that came before is not told of
			return true
		}
		if p.lost.Load() || p.now.After(until) || !p.pause(ctx, p.room) {
			return false
		}
	}
}

// fits takes the memory if there is room.
func (p *pipeline) fits(size int) bool {
	if p.tail.Load()-p.head.Load() >= pipelineMessages {
		return false
	}
	h, n := p.x.h, int64(size)
	if p.bytes.Load() == 0 { // a stream goes on, if slowly, however many there are
		h.streaming.bytes.Add(n)
	} else if !h.streaming.take(n) {
		return false
	}
	if !h.held.take(n) {
		h.streaming.give(n)
		return false
	}
	return true
}

// pause waits for room, but not for long: what others hold is given back without a word.
func (p *pipeline) pause(ctx context.Context, room <-chan struct{}) bool {
	p.full.Store(room != nil)
	defer p.full.Store(false)
	p.pausing.Reset(busyPause)
	defer p.pausing.Stop()
	select {
	case <-room:
	case <-p.pausing.C:
	case <-ctx.Done():
		return false
	}
	p.look()
	return true
}

// publish gives the slot that was acquired last to the writer.
func (p *pipeline) publish() {
	p.tail.Add(1)
	p.wake()
}

// put publishes a result that is known.
func (p *pipeline) put(s *slot, r result) {
	s.result = r
	s.ready.Store(true)
	p.publish()
}

// end says that nothing more is published.
func (p *pipeline) end() {
	p.ended.Store(true)
	p.wake()
}

// run writes results until all are written.
func (p *pipeline) run() {
	defer p.timer.Stop()
	for {
		head := p.head.Load()
		// What ended is looked at first: nothing is published after it.
		ended := p.ended.Load()
		if head == p.tail.Load() {
			if ended {
				p.lines.finish()
				return
			}
			p.wait(nil)
			continue
		}
		s := p.slots[head%pipelineMessages]
		if !s.ready.Load() && !p.wait(s) {
			continue
		}
		size := s.size
		if s.ready.Load() {
			p.lines.add(&s.result)
			s.free()
		} else {
			p.lines.add(&result{err: errUndecided})
		}
		p.bytes.Add(-int64(size))
		p.x.h.streaming.give(int64(size))
		p.x.h.held.give(int64(size))
		p.head.Add(1)
		p.tellRoom()
	}
}

// roomy says that a reader that waits should go on: not for each message, but for a quarter of what may be underway, or
// was. What it reads at a time is what comes back at a time, if there are many streams: of 64, the results of 30
// messages, each time with a system call and two goroutines woken.
func (p *pipeline) roomy() bool {
	return p.tail.Load()-p.head.Load() <= pipelineMessages*3/4 && p.bytes.Load() <= p.enough.Load()
}

// tellRoom wakes a reader that waits, if it should go on.
func (p *pipeline) tellRoom() {
	if p.full.Load() && p.roomy() {
		select {
		case p.room <- struct{}{}:
		default:
		}
	}
}

// wait waits for a slot's result, or for any slot if it is nil; true if the slot's time is over. What is known is sent
// before that, since whoever waits for it may send no more until then.
func (p *pipeline) wait(s *slot) (late bool) {
	p.lines.flush()
	p.tellRoom()
	p.idle.Store(true)
	defer p.idle.Store(false)
	if s == nil {
		if p.head.Load() == p.tail.Load() && !p.ended.Load() {
			<-p.news
		}
		return false
	}
	p.timer.Reset(time.Until(s.until))
	if s.ready.Load() {
		return false
	}
	select {
	case <-p.news:
		return false
	case <-p.timer.C:
		return true
	}
}
