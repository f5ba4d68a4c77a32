// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/format"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// busyPause is how long to wait for room at most before looking again: a small part of what a broker takes to answer.
const busyPause = 5 * time.Millisecond

// stream reads messages and publishes them, while a pipeline writes their results in the same order. What is underway
// is bounded; while there is no room it does not read on, which TCP and HTTP/2 hand on to the sender.
type stream struct {
	x     *exchange
	media format.Media
	// frame is the message of a frame but for its value; lines has what all lines have.
	frame kafka.Message
	lines format.LineReader
	arena arena
	pipe  *pipeline

	control *http.ResponseController
	// mu guards over, which says that the deadline of reading is not to be moved any more.
	mu   sync.Mutex
	over bool
	// progress says that a message came since the deadline was moved.
	progress bool
}

// postStream answers a stream.
func (x *exchange) postStream(media format.Media, fields format.Fields) {
	if err := x.checkStream(&fields); err != nil {
		x.refuse(explain(err))
		return
	}
	if !x.h.held.take(arenaBytes) {
		x.refuse(*full())
		return
	}
	defer x.h.held.give(arenaBytes)
	s := &stream{x: x, media: media, frame: fields.Message, control: http.NewResponseController(x.w), progress: true}
	s.lines.Defaults = fields.Message
	// HTTP/1.1 would otherwise read the whole body before the first result goes out; HTTP/2 needs no leave.
	_ = s.control.EnableFullDuplex()
	s.pipe = newPipeline(x, s.control)
	s.arena = arena{
		cut: format.CutLine, most: int(x.h.config.MaxBodyBytes), read: s.read, held: &x.h.held, blocks: &x.h.blocks,
	}
	if media == format.Frames {
		s.arena.cut = format.CutFrame
	}
	defer s.arena.release()
	s.run()
}

func (x *exchange) checkStream(fields *format.Fields) error {
	if x.key != "" {
		return format.Malformed("header Idempotency-Key: it belongs to one message or a batch, not to a stream")
	}
	if fields.Tombstone {
		return format.Malformed("header Samsa-Tombstone: it belongs to one message, not to a stream")
	}
	return x.checkHeaders(&fields.Message)
}

// run reads until the stream ends, and waits for all results.
func (s *stream) run() {
	defer s.endWithDrain()()
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.pipe.run()
	}()
	for {
		message, err := s.next()
		if err == nil {
			err = s.publish(message)
		}
		if err != nil {
			s.fail(err)
			break
		}
	}
	s.pipe.end()
	<-written
	s.x.messages, s.x.written, s.x.bytes = s.pipe.lines.messages, s.pipe.lines.taken, s.arena.total
}

// next gives the next message; lines without anything are none.
func (s *stream) next() ([]byte, error) {
	for {
		if s.x.h.draining.Load() {
			return nil, &ended{draining()}
		}
		message, err := s.arena.next()
		if err != nil {
			return nil, err
		}
		s.progress = true
		if len(message) > 0 || s.media != format.Lines {
			return message, nil
		}
	}
}

// endWithDrain ends a read that waits, when Drain is called. The result undoes that.
func (s *stream) endWithDrain() func() {
	left, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		select {
		case <-s.x.h.drained.Done():
			s.mu.Lock()
			defer s.mu.Unlock()
			s.over = true
			_ = s.control.SetReadDeadline(time.Unix(1, 0)) // without deadlines it ends with its next message
		case <-left:
		}
	}()
	return func() {
		close(left)
		<-finished
	}
}

// read reads from the body. Its deadline moves on with messages, not with bytes.
func (s *stream) read(into []byte) (int, error) {
	if s.progress {
		s.progress = false
		s.mu.Lock()
		if !s.over {
			_ = s.control.SetReadDeadline(time.Now().Add(s.x.h.config.StreamIdle)) // without deadlines there are none to move
		}
		s.mu.Unlock()
	}
	// While it waits it must not keep memory that nothing is counted for any more.
	s.frame.Value = nil
	s.lines.Forget()
	n, err := s.x.r.Body.Read(into)
	s.pipe.look()
	return n, err
}

// ended is the error of the line that ends a stream.
type ended struct{ problem problem }

func (e *ended) Error() string { return e.problem.detail }

// fail ends a stream. Unless the sender ended it, there is a line for the message that would have come: it was not
// published, nor was any after it.
func (s *stream) fail(err error) {
	if err == io.EOF || errors.Is(err, errLost) { //nolint:errorlint // the arena's end is never wrapped
		return
	}
	_, isEnded := errors.AsType[*ended](err)
	fault, isFault := errors.AsType[*format.Fault](err)
	switch {
	case isEnded:
	case isFault:
		p := ofFault(fault)
		p.hangUp = true
		err = &ended{p}
	case s.x.h.draining.Load():
		err = &ended{draining()}
	default:
		err = &ended{*cutOff(err)}
	}
	if slot := s.pipe.acquire(s.x.r.Context(), 0); slot != nil {
		s.pipe.last.Store(true)
		s.pipe.put(slot, result{err: err})
	}
}

// errLost ends a stream to whose results nobody listens.
var errLost = errors.New("nobody reads the results")

// publish hands a message to the producer. It waits while there is no room.
func (s *stream) publish(data []byte) error {
	ctx := s.x.r.Context()
	message, fault := s.message(data)
	size := len(data)
	if fault != nil {
		size = 0
	} else if waited, err := s.x.pass.Wait(ctx, 1, size); err != nil {
		return errLost
	} else if waited { // the time of the messages that were read with it begins now
		s.pipe.look()
	}
	slot := s.pipe.acquire(ctx, size)
	switch {
	case slot == nil && (s.pipe.lost.Load() || ctx.Err() != nil):
		return errLost
	case slot == nil:
		return &ended{*full()}
	case fault != nil:
		s.pipe.put(slot, result{err: fault})
		return nil //nolint:nilerr // it is the message's: the stream goes on
	}
	slot.block = s.arena.block
	slot.block.use()
	for {
		s.x.h.config.Producer.Produce(ctx, *message, slot.done)
		// That there is no room is said at once: the message is tried again, before any that comes after it. It is others
		// who fill the producer, so that one's own results say nothing of room.
		if !slot.ready.Load() || !errors.Is(slot.result.err, kafka.ErrBusy) || s.pipe.now.After(slot.until) ||
			!s.pipe.pause(ctx, nil) {
			break
		}
		slot.ready.Store(false)
	}
	s.pipe.publish()
	return nil
}

// message makes a message of what was cut: good until the next.
func (s *stream) message(data []byte) (*kafka.Message, error) {
	if s.media == format.Frames {
		s.frame.Value = data
		return &s.frame, nil
	}
	m, err := s.lines.Read(data)
	if err != nil {
		return nil, err
	}
	return m, s.x.checkHeaders(m)
}
