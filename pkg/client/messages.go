// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Messages joins the group and yields its messages, each partition's in order, until ctx ends or the loop is left; then
// everything is committed and the group left. A message counts as acknowledged when the loop comes back for the next
// one; one whose body left the loop does not, and will be delivered again. The error of a pair is why a partition
// cannot be consumed for now; its message is empty, and the loop may go on.
//
// That the group could not be left (ErrNotReleased) is heard only by a loop that goes on until ctx ends.
func (c *Consumer) Messages(ctx context.Context) iter.Seq2[kafka.Message, error] {
	return func(yield func(kafka.Message, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		queue := &queue{mail: make(chan struct{}, 1)}
		var running sync.WaitGroup
		running.Go(func() {
			defer queue.close()
			queue.fail(c.Run(ctx, queue))
		})
		defer running.Wait()
		defer cancel()
		defer queue.abort()
		for {
			item, ok := queue.next()
			if !ok {
				return
			}
			more := yield(item.message, item.err)
			queue.finish(item, more)
			if !more {
				return
			}
		}
	}
}

// queue is the handler behind Messages: it collects what all partitions bring for one loop.
type queue struct {
	// mu protects what follows, and the streams.
	mu      sync.Mutex
	streams []*stream
	turn    int
	closed  bool
	// mail holds a token while there may be something to yield.
	mail chan struct{}
}

// item is one turn of the loop.
type item struct {
	stream  *stream
	message kafka.Message
	err     error
}

// stream is one partition's messages on their way to the loop.
type stream struct {
	queue      *queue
	assignment Assignment
	batches    []kafka.Batch
	index      int
	buffered   int
	full       bool
	position   int64
	// handed is the position behind the last message that the loop was given, skip that behind what follows the batches
	// and is no message.
	handed, skip int64
	failure      error
	// busy says that the loop's body has a message of this partition.
	busy, paused, draining, ended bool
	// inside says that the last message taken is not the last of its wrapper (see kafka.Message.Index). The position
	// moves only over whole wrappers, so one that was begun is finished before the partition is given up: or whoever
	// takes it over gets all of it again.
	inside bool
}

// streamBuffer is how many messages of a partition wait for the loop before fetching pauses: a fetch of 1 MiB of 100
// bytes each.
const streamBuffer = 10_000

// leasePoll is how often a loop with nothing to do looks whether its lease holds again: well below the session/6
// between probes.
const leasePoll = 200 * time.Millisecond

// Assign implements Handler.
func (q *queue) Assign(assignment Assignment) Processor {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := &stream{queue: q, assignment: assignment, position: assignment.Position}
	q.streams = append(q.streams, s)
	return s
}

// next waits for something to yield; false says that the consumer has ended.
func (q *queue) next() (item, bool) {
	for {
		if found, ok := q.pick(); ok {
			return found, found.stream != nil
		}
		select {
		case <-q.mail:
		case <-time.After(leasePoll):
		}
	}
}

// pick takes the next message, of each stream in turn. An item without a stream says that there will be no
// more.
func (q *queue) pick() (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range q.streams {
		q.turn = (q.turn + 1) % len(q.streams)
		if found, ok := q.streams[q.turn].pick(); ok {
			return found, true
		}
	}
	return item{}, q.closed
}

// pick takes the next message, if one may be handed out now.
func (s *stream) pick() (item, bool) {
	if s.ended || s.paused || s.draining && !s.inside {
		return item{}, false
	}
	if len(s.batches) == 0 && s.failure != nil { // it is about what comes behind the batches
		err := s.failure
		s.failure, s.busy = nil, true
		return item{stream: s, err: err}, true
	}
	if len(s.batches) == 0 || s.assignment.Lease.Context().Err() != nil {
		return item{}, false
	}
	message := s.batches[0].Message(s.index)
	s.index++
	s.buffered--
	s.busy, s.handed = true, message.Next
	s.inside = message.Next <= message.Offset
	if s.index == s.batches[0].Len() {
		s.batches, s.index = s.batches[1:], 0
	}
	return item{stream: s, message: message}, true
}

// finish takes the message back from the loop's body.
func (q *queue) finish(done item, acknowledged bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := done.stream
	s.busy = false
	if acknowledged && !s.ended {
		s.advance(done)
		s.skipOver()
	}
	if s.full && s.buffered < streamBuffer/2 && !s.ended {
		s.full = false
		s.assignment.Ready()
	}
	s.settle()
}

// advance moves the position behind what the loop came back from: a message, or what retention removed. A log that ends
// before the position is no reason to move: any guess would skip messages.
func (s *stream) advance(done item) {
	outOfRange := (*kafka.OutOfRange)(nil)
	switch {
	case done.err == nil:
		s.position = done.message.Next
	case errors.As(done.err, &outOfRange) && !outOfRange.Truncated():
		s.position = max(s.position, outOfRange.Earliest)
		s.assignment.Seek(s.position)
	}
}

// skipOver moves the position behind what is no message, once everything before that is acknowledged.
func (s *stream) skipOver() {
	if len(s.batches) == 0 && !s.busy && s.position >= s.handed && s.skip > s.position {
		s.position = s.skip
	}
}

// abort gives up what the loop never came back for, so that leaving does not wait for it.
func (q *queue) abort() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range slices.Clone(q.streams) {
		s.busy, s.inside = false, false
		s.settle()
	}
}

// fail yields an error that is not a partition's.
func (q *queue) fail(err error) {
	if err == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.streams = append(q.streams, &stream{queue: q, failure: err})
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.notify()
}

func (q *queue) notify() {
	select {
	case q.mail <- struct{}{}:
	default:
	}
}

// settle ends a draining stream once the loop has none of its messages, nor half a wrapper.
func (s *stream) settle() {
	half := s.inside && len(s.batches) > 0
	if s.draining && !s.busy && !half && !s.ended {
		s.end()
		s.assignment.Drained(s.position)
	}
}

// end forgets the stream.
func (s *stream) end() {
	s.ended, s.batches = true, nil
	for i, other := range s.queue.streams {
		if other == s {
			s.queue.streams = append(s.queue.streams[:i:i], s.queue.streams[i+1:]...)
			return
		}
	}
}

// locked runs one of the consumer's calls and wakes the loop.
func (s *stream) locked(do func()) {
	s.queue.mu.Lock()
	do()
	s.queue.mu.Unlock()
	s.queue.notify()
}

// Fetched implements Processor.
func (s *stream) Fetched(fetch kafka.Fetch) bool {
	s.locked(func() {
		if fetch.Batch.Len() > 0 {
			s.batches = append(s.batches, fetch.Batch)
			s.buffered += fetch.Batch.Len()
			s.skip = 0 // it is behind what follows it now
		}
		s.skip = max(s.skip, fetch.Skip)
		s.skipOver()
		s.full = s.full || s.buffered >= streamBuffer // until finish says that there is room
		s.failure = fetch.Err
	})
	return !s.isFull()
}

func (s *stream) isFull() bool {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.full
}

// Pause implements Processor.
func (s *stream) Pause() { s.locked(func() { s.paused = true }) }

// Resume implements Processor.
func (s *stream) Resume() { s.locked(func() { s.paused = false }) }

// Drain implements Processor.
func (s *stream) Drain() {
	s.locked(func() {
		s.draining = true
		s.settle()
	})
}

// Cut implements Processor: the loop's body cannot be ended, so its message is left unacknowledged.
func (s *stream) Cut() {
	s.locked(func() {
		s.busy, s.inside = false, false
		s.settle()
	})
}

// Stop implements Processor.
func (s *stream) Stop() { s.locked(s.end) }

// Position implements Processor.
func (s *stream) Position() int64 {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.position
}
