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
	// answer. A slot is some 200 bytes, made when it is first used: 800 KB at most.
	pipelineMessages = 4096
	// pipelineBytes is how much of one stream is underway: 4096 messages of 2 KiB.
	pipelineBytes = 8 << 20
	// lineBytes is how much of results is gathered before it is sent: some 300 lines. It is also how long the result of a
	// stream may be that is known as a whole before any of it was sent, so that its status can say it.
	lineBytes = 32 << 10
)

// slot is one message underway.
type slot struct {
	pipe *pipeline
	// ready is set when result is.
	ready  atomic.Bool
	result result
	size   int
	until  time.Time
	// done is what the producer calls; bound once for all messages of the slot.
	done func(client.Produced, error)
}

// take takes the outcome.
func (s *slot) take(produced client.Produced, err error) {
	s.result = result{produced, err}
	s.ready.Store(true)
	s.pipe.wake()
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
	// idle and full say that the writer or the reader waits; news and room wake them. Each sets its word, looks again and
	// waits; the other changes the state, then looks at the word: one of both sees the other.
	idle, full atomic.Bool
	news, room chan struct{}
	timer      *time.Timer
	lines      lines
}

func newPipeline(x *exchange, control *http.ResponseController) *pipeline {
	p := &pipeline{
		x: x, control: control, news: make(chan struct{}, 1), room: make(chan struct{}, 1),
		timer: time.NewTimer(math.MaxInt64),
	}
	p.lines.pipe = p
	return p
}

func (p *pipeline) wake() {
	if p.idle.Load() {
		select {
		case p.news <- struct{}{}:
		default:
		}
	}
}

// acquire gives the next slot, and memory for size bytes, as soon as there is room; nil if there is none in time or
// nobody listens any more.
func (p *pipeline) acquire(ctx context.Context, size int) *slot {
	until := time.Now().Add(p.x.h.config.RequestTimeout)
	for !p.fits(size) {
		p.full.Store(true)
		if p.fits(size) { // looked at again, since room that came before is not told of
			break
		}
		if p.lost.Load() || time.Now().After(until) || !p.pause(ctx) {
			return nil
		}
	}
	p.full.Store(false)
	p.bytes.Add(int64(size))
	at := p.tail.Load() % pipelineMessages
	s := p.slots[at]
	if s == nil {
		s = &slot{pipe: p}
		s.done = s.take
		p.slots[at] = s
	}
	s.ready.Store(false)
	s.size = size
	s.until = time.Now().Add(p.x.h.config.RequestTimeout)
	return s
}

// fits takes the memory if there is room.
func (p *pipeline) fits(size int) bool {
	if p.tail.Load()-p.head.Load() >= pipelineMessages {
		return false
	}
	if underway := p.bytes.Load(); underway > 0 && underway+int64(size) > pipelineBytes {
		return false
	}
	return p.x.h.held.take(int64(size))
}

// pause waits until a message is done, but not for long: what others hold is given back without a word.
func (p *pipeline) pause(ctx context.Context) bool {
	p.full.Store(true)
	defer p.full.Store(false)
	timer := time.NewTimer(busyPause)
	defer timer.Stop()
	select {
	case <-p.room:
	case <-timer.C:
	case <-ctx.Done():
		return false
	}
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
		at := head % pipelineMessages
		s := p.slots[at]
		if !s.ready.Load() && !p.wait(s) {
			continue
		}
		if s.ready.Load() {
			p.lines.add(&s.result)
		} else {
			p.lines.add(&result{err: errUndecided})
			p.slots[at] = nil // its outcome may still come
		}
		p.bytes.Add(-int64(s.size))
		p.x.h.held.give(int64(s.size))
		p.head.Add(1)
		if p.roomy() {
			p.tellRoom()
		}
	}
}

// roomy says that a reader that waits should go on: not for each message, but for a quarter of what may be underway.
func (p *pipeline) roomy() bool {
	return p.tail.Load()-p.head.Load() <= pipelineMessages*3/4 && p.bytes.Load() <= pipelineBytes*3/4
}

func (p *pipeline) tellRoom() {
	if p.full.Load() {
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
