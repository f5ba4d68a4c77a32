// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// taker is a publisher that notes the batches, and fails from some batch on.
type taker struct {
	batches [][]string
	failAt  int
	failure error
}

func (p *taker) publish(_ context.Context, messages []kafka.Message) (kafka.Partition, error) {
	if len(p.batches)+1 == p.failAt {
		return kafka.Partition{}, p.failure
	}
	var values []string
	for _, m := range messages {
		values = append(values, string(m.Value))
	}
	p.batches = append(p.batches, values)
	return kafka.Partition{Topic: "t", ID: "0"}, nil
}

func newPublishing(to publisher, most int) *publishing {
	return &publishing{
		publisher: to, most: most, mostBytes: 1000, timeout: time.Second,
		progress: newProgress(io.Discard, time.Now), summary: summary{Topic: "t", Partitions: map[string]int{}},
	}
}

func numbers(n int) source {
	values := make([]string, n)
	for i := range values {
		values[i] = strings.Repeat("x", i+1)
	}
	return &arrived{values: values, limit: n}
}

func TestBatchesAreFilled(t *testing.T) {
	to := &taker{}
	p := newPublishing(to, 3)
	if err := p.all(t.Context(), numbers(7)); err != nil {
		t.Fatal(err)
	}
	if len(to.batches) != 3 || len(to.batches[0]) != 3 || len(to.batches[2]) != 1 {
		t.Errorf("got %q", to.batches)
	}
	if p.summary.Acknowledged != 7 || p.summary.Bytes != 28 || p.summary.Partitions["0"] != 7 {
		t.Errorf("got %+v", p.summary)
	}
}

// No batch exceeds its bytes, except of one message that does by itself.
func TestBatchesAreBoundedInBytes(t *testing.T) {
	to := &taker{}
	p := newPublishing(to, 100)
	p.mostBytes = 50 // two of 15 with their frames
	values := []string{"0123456789abcde", "0123456789abcde", "0123456789abcde", strings.Repeat("x", 90), "a"}
	if err := p.all(t.Context(), &arrived{values: values, limit: 100}); err != nil {
		t.Fatal(err)
	}
	var lengths []int
	for _, batch := range to.batches {
		lengths = append(lengths, len(batch))
	}
	if want := []int{2, 1, 1, 1}; !slices.Equal(lengths, want) {
		t.Errorf("got %v, want %v", lengths, want)
	}
}

// However little a message may have, what there is goes: a batch that holds nothing would be gathered for ever.
func TestSmallMessagesGoWhateverTheLimit(t *testing.T) {
	for limit, want := range map[int]int{
		1: 1, 2: 1, 99: 94, 200: 190, defaultMaxMessage: 950_000, mostMaxMessage: 950_000,
	} {
		if got := batchBytes(limit); got != want {
			t.Errorf("of %d bytes: got %d, want %d", limit, got, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p := newPublishing(&taker{}, 100)
	p.mostBytes = batchBytes(1)
	err := p.all(ctx, &arrived{values: []string{"a", "", "b"}, limit: 1})
	if err != nil || p.summary.Acknowledged != 3 {
		t.Errorf("got %v, %+v", err, p.summary)
	}
}

// A batch goes when it has waited, not only when it is full: somebody may be typing.
func TestABatchDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := make(chan time.Time, 10)
		p := newPublishing(publisherFunc(func(context.Context) error {
			sent <- time.Now()
			return nil
		}), 100)
		typed, keyboard := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- p.all(t.Context(), newLines(typed, 100)) }()
		begin := time.Now()
		_, _ = io.WriteString(keyboard, "one\n")
		if waited := (<-sent).Sub(begin); waited != batchWait {
			t.Errorf("sent after %v", waited)
		}
		_ = keyboard.Close()
		if err := <-done; err != nil || p.summary.Acknowledged != 1 {
			t.Errorf("got %v, %+v", err, p.summary)
		}
	})
}

func TestWhatBecameOfABatchThatFailed(t *testing.T) {
	partition := kafka.Partition{Topic: "t", ID: "0"}
	no := &kafka.Refused{Partition: partition, Err: errors.New("no")}
	for name, c := range map[string]struct {
		failure error
		code    int
		says    string
	}{
		"refused": {no, ExitFailure, "3 messages acknowledged; messages 4 to 6 were not written, and none behind was sent: "},
		"unknown": {
			io.ErrUnexpectedEOF, ExitUnknown,
			"3 messages acknowledged; of messages 4 to 6 it is unknown whether they were written, and none behind was sent: ",
		},
	} {
		p := newPublishing(&taker{failAt: 2, failure: c.failure}, 3)
		err := coded(p.all(t.Context(), numbers(9)))
		failure := (*Error)(nil)
		if !errors.As(err, &failure) || failure.Code != c.code || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
		var out bytes.Buffer
		_ = p.summary.write(&out, formatJSON)
		wants := `"unknown":null,"refused":[{"from":4,"to":6,"reason":"`
		if c.code == ExitUnknown {
			wants = `"unknown":{"from":4,"to":6},"refused":null`
		}
		if !strings.Contains(out.String(), wants) {
			t.Errorf("%s: %s", name, &out)
		}
	}
}

func TestRefusedIsWhatNoAttemptWrote(t *testing.T) {
	no := &kafka.Refused{Err: io.EOF}
	wrap := func(errs ...error) error { return fmt.Errorf("publish: %w", errors.Join(errs...)) }
	for want, errs := range map[bool][]error{
		true: {
			no, wrap(no), wrap(no, no), client.ErrNoTopic, wrap(client.ErrNoTopic), &registry.Error{Err: io.EOF},
			&kafka.Refused{Err: errors.Join(kafka.ErrTooLarge, io.EOF)},
		},
		false: {nil, io.EOF, wrap(no, io.EOF), wrap(io.EOF, no), context.DeadlineExceeded, errors.Join()},
	} {
		for _, err := range errs {
			if refused(err) != want {
				t.Errorf("%v: refused is %t", err, !want)
			}
		}
	}
}

// An interruption ends it between two batches; the one under way is finished.
func TestAnInterruptionSaysWhatWasAcknowledged(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	p := newPublishing(publisherFunc(func(ctx context.Context) error {
		cancel(errors.New("signal: interrupt"))
		return ctx.Err()
	}), 2)
	err := p.all(ctx, numbers(9))
	want := "signal: interrupt: 2 messages acknowledged; what came behind was not sent"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

type publisherFunc func(ctx context.Context) error

func (f publisherFunc) publish(ctx context.Context, _ []kafka.Message) (kafka.Partition, error) {
	return kafka.Partition{Topic: "t", ID: "0"}, f(ctx)
}

func TestProgress(t *testing.T) {
	now := time.Unix(0, 0)
	var out bytes.Buffer
	p := newProgress(&out, func() time.Time { return now })
	for range 25 {
		now = now.Add(time.Second)
		p.tell(summary{Acknowledged: 1000 * int(now.Unix())})
	}
	p.end()
	want := "10000 messages acknowledged, 1000 a second\n20000 messages acknowledged, 1000 a second\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

func TestProgressOnATerminalIsWrittenOver(t *testing.T) {
	now := time.Unix(0, 0)
	var out bytes.Buffer
	p := newProgress(&out, func() time.Time { return now })
	p.terminal, p.every = true, terminalEvery
	now = now.Add(time.Second)
	p.tell(summary{Acknowledged: 1})
	p.end()
	if want := "\r1 message acknowledged, 1 a second\x1b[K\r\x1b[K"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

func TestSummaries(t *testing.T) {
	var out bytes.Buffer
	s := summary{Topic: "t", Acknowledged: 3, Bytes: 1, Partitions: map[string]int{"10": 2, "9": 1}}
	if err := s.write(&out, formatTable); err != nil {
		t.Fatal(err)
	}
	if want := "3 messages acknowledged by 2 partitions of t (1 byte)\n  9: 1\n  10: 2\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}
