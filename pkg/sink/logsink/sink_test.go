// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package logsink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/sinktest"
)

// far is a writer that refuses or hangs after a number of lines.
type far struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
	lines  int // lines left to take; negative: no bound
	hang   chan struct{}
	hangs  chan struct{}
}

var errFull = errors.New("no space left on device")

func (w *far) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	if w.lines < 0 {
		return w.text.Write(p)
	}
	n := 0
	for ; w.lines > 0 && n < len(p); w.lines-- {
		n += bytes.IndexByte(p[n:], '\n') + 1
	}
	w.text.Write(p[:n])
	if n == len(p) {
		return n, nil
	}
	if w.hang == nil {
		return n, errFull
	}
	close(w.hangs)
	hang := w.hang
	w.mu.Unlock()
	<-hang
	w.mu.Lock()
	return n, errFull
}

func (w *far) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = -1
	if w.hang != nil {
		close(w.hang)
		w.hang = nil
	}
}

func (w *far) messages(t *testing.T) (messages []kafka.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for text := range bytes.Lines(w.text.Bytes()) {
		messages = append(messages, decode(t, text))
	}
	return messages
}

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Fixture {
		w := &far{lines: -1}
		t.Cleanup(w.heal)
		return sinktest.Fixture{
			Sink:      New(w),
			Delivered: func() []kafka.Message { return w.messages(t) },
			Refuse: func(n int) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.lines = n
			},
			Hang: func(n int) <-chan struct{} {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.lines, w.hang, w.hangs = n, make(chan struct{}), make(chan struct{})
				return w.hangs
			},
			Heal: w.heal,
		}
	})
}

var partition = kafka.Partition{Topic: "orders", ID: "0"}

func deliver(ctx context.Context, s *Sink, messages kafka.Messages) []sink.Result {
	results := make([]sink.Result, len(messages))
	s.Deliver(ctx, sink.Claim{}, kafka.NewBatch(partition, messages), results)
	return results
}

func TestOneWriteABatch(t *testing.T) {
	defer goleak.VerifyNone(t)
	w := &far{lines: -1}
	s := New(w)
	defer s.Close()
	deliver(t.Context(), s, sinktest.Messages(partition, 100))
	if w.writes != 1 {
		t.Errorf("%d writes for one batch", w.writes)
	}
}

// shortly takes n bytes, then everything.
type shortly struct {
	bytes.Buffer
	n     int
	count int // what to claim, if not zero
}

func (w *shortly) Write(p []byte) (int, error) {
	n := min(w.n, len(p))
	if w.n < 0 {
		n = len(p)
	}
	w.n = -1
	w.Buffer.Write(p[:n])
	if w.count != 0 {
		count := w.count
		w.count = 0
		return count, nil
	}
	return n, nil
}

// TestTornLine tears the first of two lines at every byte.
func TestTornLine(t *testing.T) {
	defer goleak.VerifyNone(t)
	messages := sinktest.Messages(partition, 2)
	first := len(appendLine(nil, messages[0]))
	for at := range first + 1 {
		w := &shortly{n: at}
		s := New(w)
		results := deliver(t.Context(), s, messages)
		want := []sink.Outcome{sink.Unknown, sink.Untried}
		switch at {
		case 0:
			want[0] = sink.Retry
		case first:
			want = []sink.Outcome{sink.Done, sink.Retry}
		}
		failed := 0
		for i, result := range results {
			if result.Outcome != want[i] {
				t.Fatalf("torn at %d: result %d is %s, want %s", at, i, result.Outcome, want[i])
			}
			if result.Outcome == sink.Done {
				failed++
			} else if i == failed && !errors.Is(result.Err, io.ErrShortWrite) {
				t.Fatalf("torn at %d: error is %v", at, result.Err)
			}
		}
		deliver(t.Context(), s, messages[failed:])
		var good []kafka.Message
		for text := range bytes.Lines(w.Bytes()) {
			if text[0] == '{' && text[len(text)-2] == '}' {
				good = append(good, decode(t, text))
			}
		}
		// Torn before its end alone, the first line is there twice.
		twice := at == first-1
		if len(good) != 2 && !twice || twice && len(good) != 3 {
			t.Fatalf("torn at %d: %d whole lines in %q", at, len(good), w.Bytes())
		}
		for i, message := range good[len(good)-2:] {
			if problem := sinktest.Difference(message, messages[i]); problem != "" {
				t.Fatalf("torn at %d: message %d: %s", at, i, problem)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImpossibleCount(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, count := range []int{-1, 1 << 20} {
		s := New(&shortly{n: -1, count: count})
		results := deliver(t.Context(), s, sinktest.Messages(partition, 1))
		if results[0].Outcome != sink.Unknown || !errors.Is(results[0].Err, errWriter) {
			t.Errorf("count %d: %+v", count, results[0])
		}
		s.Close()
	}
}

// TestBigBatchInPieces: memory is bounded by what a job holds, whatever the batch.
func TestBigBatchInPieces(t *testing.T) {
	defer goleak.VerifyNone(t)
	w := &far{lines: -1}
	s := New(w)
	defer s.Close()
	messages := make(kafka.Messages, 40)
	for i := range messages {
		messages[i] = kafka.Message{Partition: partition, Offset: int64(i), Value: bytes.Repeat([]byte("x"), 100<<10)}
	}
	for i, result := range deliver(t.Context(), s, messages) {
		if result.Outcome != sink.Done {
			t.Fatalf("result %d is %s", i, result.Outcome)
		}
	}
	if got := len(w.messages(t)); got != len(messages) || w.writes != 4 {
		t.Errorf("%d messages in %d writes, want %d in 4", got, w.writes, len(messages))
	}
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	defer goleak.VerifyNone(t)
	w := &far{hang: make(chan struct{}), hangs: make(chan struct{})}
	defer w.heal()
	s := New(w)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-w.hangs
		cancel()
	}()
	if results := deliver(ctx, s, sinktest.Messages(partition, 1)); results[0].Outcome != sink.Unknown {
		t.Errorf("result is %s", results[0].Outcome)
	}
	if err := s.Close(); err == nil {
		t.Error("closing says nothing of the writer that hangs")
	}
}

func BenchmarkDeliver(b *testing.B) {
	s := New(io.Discard)
	defer s.Close()
	messages := make(kafka.Messages, 500)
	for i := range messages {
		messages[i] = kafka.Message{Partition: partition, Offset: int64(i), Value: bytes.Repeat([]byte("0123456789"), 100)}
	}
	batch := kafka.NewBatch(partition, messages)
	results := make([]sink.Result, len(messages))
	b.ReportAllocs()
	b.SetBytes(int64(batch.Bytes()))
	for b.Loop() {
		s.Deliver(b.Context(), sink.Claim{}, batch, results)
	}
}
