// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package logsink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const (
	// Enough that the system call (about 1 µs) is nothing beside encoding (about 1 ns a byte), and as much as a pipe
	// can be made to hold on Linux by default.
	limitBytes = 1 << 20
	// A megabyte of messages of 1 KiB.
	limitMessages = 1000
	// A line may be six times its message (every byte a \u00XX). Buffers beyond that are left to the collector.
	keepBuffer = 6 * limitBytes
	// How long Close waits for a writer that no longer answers: a fifth of what a pod's last words usually get (5 s).
	closePatience = time.Second
)

// errWriter is the fault of a writer that breaks the contract of io.Writer.
var errWriter = errors.New("the writer returned an impossible count")

// Sink writes messages to an io.Writer. It is safe for concurrent use, and nobody else may write there meanwhile.
type Sink struct {
	jobs    chan *job
	closing chan struct{}
	closed  chan struct{}
	close   sync.Once
	buffers sync.Pool
}

var _ sink.Sink = (*Sink)(nil)

// job is one write. Whoever gave it away sees it again only once done is closed.
type job struct {
	buffer []byte
	// ends[i] is where the line of message i ends in buffer.
	ends []int

	done    chan struct{}
	written int
	err     error
}

// New makes a sink that writes to w. It runs one goroutine, until Close.
func New(w io.Writer) *Sink {
	s := &Sink{jobs: make(chan *job), closing: make(chan struct{}), closed: make(chan struct{})}
	s.buffers.New = func() any { return new(job) }
	go s.write(w)
	return s
}

// write does all writing, so that Deliver can leave when its context ends: a writer cannot be told to stop.
func (s *Sink) write(w io.Writer) {
	defer close(s.closed)
	torn := false
	for {
		select {
		case <-s.closing:
			return
		case j := <-s.jobs:
			torn = j.write(w, torn)
			close(j.done)
		}
	}
}

var newline = []byte{'\n'}

// write writes the buffer, after a new line if the last write was torn, and reports whether this one is.
func (j *job) write(w io.Writer, torn bool) bool {
	if torn {
		if n, err := w.Write(newline); err != nil || n != 1 {
			j.err = orElse(err, io.ErrShortWrite)
			return n != 1
		}
	}
	n, err := w.Write(j.buffer)
	if n < 0 || n > len(j.buffer) {
		n, err = 0, orElse(err, errWriter)
	}
	j.written = n
	if n < len(j.buffer) {
		j.err = orElse(err, io.ErrShortWrite)
	}
	return n > 0 && j.buffer[n-1] != '\n'
}

func orElse(err, otherwise error) error {
	if err == nil {
		return otherwise
	}
	return err
}

// Deliver implements sink.Sink. It writes batches of any length, in pieces of about a megabyte.
func (s *Sink) Deliver(ctx context.Context, _ sink.Claim, batch kafka.Batch, results []sink.Result) {
	for from := 0; from < len(results); {
		if ctx.Err() != nil {
			return
		}
		j := s.encode(batch.Slice(from, len(results)))
		piece := results[from : from+len(j.ends)]
		if !s.hand(ctx, j, piece) {
			return
		}
		from += len(piece)
	}
}

// encode makes a job of as many messages as make a megabyte, at least one.
func (s *Sink) encode(batch kafka.Batch) *job {
	j := s.buffers.Get().(*job)
	j.buffer, j.ends, j.done, j.written, j.err = j.buffer[:0], j.ends[:0], make(chan struct{}), 0, nil
	for i := 0; i < batch.Len() && len(j.buffer) < limitBytes; i++ {
		j.buffer = appendLine(j.buffer, batch.Message(i))
		j.ends = append(j.ends, len(j.buffer))
	}
	return j
}

// hand gives the job to the writer, fills results, and reports whether all are done.
func (s *Sink) hand(ctx context.Context, j *job, results []sink.Result) bool {
	select {
	case s.jobs <- j:
	case <-ctx.Done():
		return false
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		select {
		case <-j.done: // Both happened, and what is known should not become unknown.
		default:
			fill(results, sink.Result{Outcome: sink.Unknown, Err: fmt.Errorf("log: interrupted while writing: %w", ctx.Err())})
			return false
		}
	}
	allDone := j.judge(results)
	if cap(j.buffer) <= keepBuffer {
		s.buffers.Put(j)
	}
	return allDone
}

func fill(results []sink.Result, with sink.Result) {
	for i := range results {
		results[i] = with
	}
}

// judge says what became of each line. Of the first that was not written to its end, a reader may make a whole
// line even so, if only the end itself was missing. A writer that lies about its count says nothing at all.
func (j *job) judge(results []sink.Result) bool {
	start := 0
	for i, end := range j.ends {
		if j.written < end {
			outcome := sink.Retry
			if j.written > start || errors.Is(j.err, errWriter) {
				outcome = sink.Unknown
			}
			results[i] = sink.Result{Outcome: outcome, Err: fmt.Errorf("log: %w", j.err)}
			return false
		}
		results[i].Outcome = sink.Done
		start = end
	}
	return true
}

// Limits implements sink.Sink.
func (s *Sink) Limits() sink.Limits { return sink.Limits{Messages: limitMessages, Bytes: limitBytes} }

// Close implements sink.Sink. It does not close the writer. A write that hangs is waited for for a second and then
// reported: its goroutine ends when the writer returns.
func (s *Sink) Close() error {
	s.close.Do(func() { close(s.closing) })
	patience := time.NewTimer(closePatience)
	defer patience.Stop()
	select {
	case <-s.closed:
		return nil
	case <-patience.C:
		return fmt.Errorf("log: the writer has not returned for %s", closePatience)
	}
}
