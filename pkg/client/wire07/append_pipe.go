// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	// answerSize is that of the answer to an OFFSETS for one position: error code (2), count (4), position (8).
	answerSize = 2 + 4 + 8
	// maxShared bounds the bytes of Appends that share one answer, since they were queued together: an answer costs a
	// broker some 8 us, as much as handling 4 KiB, so that one for each 64 KiB is not felt. What is larger has its own.
	maxShared = 64 << 10
)

// write is one Append on its way.
type write struct {
	encoder *encoder
	// done gets the outcome, once for each pipe that the write is added to.
	done chan outcome
	// holds counts those who need what release gives back: deliver (or, if that has left, the pipe) until there is an
	// outcome, and a pipe while it sends. An answer may come before the sending of its batch has ended; and a broker
	// that answers what it has not read yet must not make the rest of it another Append's bytes.
	holds   atomic.Int32
	release func()

	// What follows is guarded by the pipe.
	// size is that of what is sent of its requests, in bytes: all, or all but the question, if that of a write behind
	// it is asked for it too.
	size  int
	asked bool
	// begun says that some of it may have been written.
	begun     bool
	finished  bool
	abandoned bool
}

func newWrite(e *encoder, release func()) *write {
	w := &write{encoder: e, done: make(chan outcome, 1), release: release}
	w.holds.Store(1)
	return w
}

// drop is the end of one hold.
func (w *write) drop() {
	if w.holds.Add(-1) == 0 {
		w.release()
	}
}

// outcome is what became of a write.
type outcome struct {
	err error // nil: acknowledged
	// begun says that it is unknown whether the messages were written; otherwise, with an error, they were not.
	begun bool
	// stale says that nothing was written since a connection had ended that once was good.
	stale bool
	// abandoned says that the write is underway still.
	abandoned bool
}

// pipe is a connection to a broker on which Appends follow each other without waiting: one goroutine writes what is
// queued, all of it at a time, another reads the answers, which come in the order of the requests.
type pipe struct {
	config          Config
	broker, address string
	// life ends with the transport's, and at the first failure, which is its cause.
	life context.Context //nolint:containedctx // the connection's
	end  context.CancelCauseFunc
	wake chan struct{} // holds a token if something may be queued

	// mu guards what follows.
	mu       sync.Mutex
	closed   bool
	queued   []*write
	underway []*write // in the order of their requests on the connection
}

func newPipe(life context.Context, config Config, broker, address string) *pipe {
	p := &pipe{config: config, broker: broker, address: address, wake: make(chan struct{}, 1)}
	p.life, p.end = context.WithCancelCause(life)
	return p
}

// add queues a write, unless the pipe has ended.
func (p *pipe) add(w *write) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	w.begun, w.finished = false, false
	p.queued = append(p.queued, w)
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return true
}

// abandon is the end of a caller's waiting.
func (p *pipe) abandon(w *write, reason error) outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.finished {
		return <-w.done
	}
	if i := slices.Index(p.queued, w); i >= 0 {
		p.queued = slices.Delete(p.queued, i, i+1)
		return outcome{err: reason}
	}
	w.abandoned = true
	return outcome{err: reason, begun: true, abandoned: true}
}

// run connects, and works until the first failure or the end of the transport.
func (p *pipe) run() {
	defer p.end(nil)
	conn, err := p.config.connect(p.life, p.broker, p.address)
	if err != nil {
		p.close(err, false)
		return
	}
	var reading sync.WaitGroup
	reading.Go(func() { p.end(p.read(conn)) })
	p.end(p.write(conn))
	reading.Wait()
	conn.close()
	p.close(context.Cause(p.life), true)
}

// write sends what is queued, again and again.
func (p *pipe) write(conn *connection) error {
	var requests [][]byte
	for {
		select {
		case <-p.wake:
		case <-p.life.Done():
			return context.Cause(p.life)
		}
		batch := p.take(conn)
		requests = requests[:0]
		for _, w := range batch {
			requests = append(requests, w.encoder.requests[:w.size])
		}
		// All in one system call, where the connection is a plain one. There is no time limit: the oldest answer has one.
		buffers := net.Buffers(requests)
		n, err := buffers.WriteTo(conn.socket)
		for _, w := range batch {
			w.drop()
		}
		if err != nil {
			p.unwrite(batch, n)
			return conn.failed("send messages", err, 0)
		}
	}
}

// take puts everything that is queued underway.
func (p *pipe) take(conn *connection) []*write {
	p.mu.Lock()
	defer p.mu.Unlock()
	batch := p.queued
	p.queued = nil
	first, shared := len(p.underway) == 0, 0
	for i, w := range batch {
		w.begun = true
		w.holds.Add(1)
		shared += len(w.encoder.requests)
		last := i == len(batch)-1
		w.asked = last || shared+len(batch[i+1].encoder.requests) > maxShared
		w.size = w.encoder.question
		if w.asked {
			w.size, shared = len(w.encoder.requests), 0
		}
	}
	p.underway = append(p.underway, batch...)
	if first {
		p.expect(conn)
	}
	return batch
}

// unwrite takes note that of a batch only n bytes were written.
func (p *pipe) unwrite(batch []*write, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range batch {
		if n <= 0 {
			w.begun = false
		}
		n -= int64(w.size)
	}
}

// expect sets the time by which the oldest answer must be there: answerTimeout, and the time to send its messages from
// now on, when it has become the oldest. A broker that is slow but goes on is thus given its time, one that has stopped
// is not, however much is underway. While there is nothing to answer there is no limit.
func (p *pipe) expect(conn *connection) {
	var due time.Time
	if len(p.underway) > 0 {
		due = time.Now().Add(conn.allowance(p.oldest()))
	}
	_ = conn.socket.SetReadDeadline(due) // fails only where the read does
}

// read matches answers with writes.
func (p *pipe) read(conn *connection) error {
	for {
		if err := p.readAnswer(conn); err != nil {
			return err
		}
		if err := p.answered(conn); err != nil {
			return err
		}
	}
}

func (p *pipe) readAnswer(conn *connection) error {
	var frame [protocol.SizeBytes + answerSize]byte
	head, body := frame[:protocol.SizeBytes], frame[protocol.SizeBytes:]
	if _, err := io.ReadFull(conn.in, head); err != nil {
		return conn.failed("wait for an acknowledgement", err, p.patience(conn))
	}
	size, err := protocol.FrameSize(head, len(body))
	if err != nil {
		return fmt.Errorf("%s: acknowledgement: %w", conn.peer, err)
	}
	if _, err := io.ReadFull(conn.in, body[:size]); err != nil {
		return conn.failed("read an acknowledgement", err, p.patience(conn))
	}
	var answer protocol.OffsetsResponse
	if err := answer.Decode(body[:size]); err != nil {
		return fmt.Errorf("%s: acknowledgement: %w", conn.peer, err)
	}
	if err := answer.Code.Err(); err != nil {
		return fmt.Errorf("%s: acknowledgement: %w", conn.peer, err)
	}
	if len(answer.Offsets) != 1 || answer.Offsets[0] < 0 {
		return fmt.Errorf("%s: acknowledgement: positions %v, want one", conn.peer, answer.Offsets)
	}
	return nil
}

// patience is what expect gave.
func (p *pipe) patience(conn *connection) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return conn.allowance(p.oldest())
}

// oldest is how many bytes the oldest answer is for.
func (p *pipe) oldest() int {
	size := 0
	for _, w := range p.underway {
		if size += w.size; w.asked {
			break
		}
	}
	return size
}

var errUnasked = errors.New("it sent an answer that nobody asked for")

// answered finishes the oldest write that an answer was asked for, and those before it.
func (p *pipe) answered(conn *connection) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.underway) == 0 {
		return fmt.Errorf("%s: %w", conn.peer, errUnasked)
	}
	for asked := false; !asked; p.underway = p.underway[1:] {
		asked = p.underway[0].asked
		p.underway[0].finish(outcome{})
		p.underway[0] = nil
	}
	p.expect(conn)
	return nil
}

// close ends the pipe, and every write with the reason.
func (p *pipe) close(reason error, connected bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if len(p.underway)+len(p.queued) == 0 {
		p.config.Logger.Debug("Connection for appending ended", "reason", reason)
	}
	for _, w := range p.underway {
		w.finish(outcome{err: reason, begun: w.begun, stale: connected && !w.begun})
	}
	for _, w := range p.queued {
		w.finish(outcome{err: reason, stale: connected})
	}
	p.underway, p.queued = nil, nil
}

// finish gives a write its outcome. The pipe's lock is held.
func (w *write) finish(end outcome) {
	w.finished = true
	if w.abandoned {
		w.drop()
		return
	}
	w.done <- end
}
