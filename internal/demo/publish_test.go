// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// log is a topic of one partition that takes a while for each call.
type log struct {
	took time.Duration
	err  error
	// instead are results that are given for the next messages in place of acknowledgements.
	instead []result

	mu     sync.Mutex
	values []string
	calls  int
}

func (l *log) publish(_ context.Context, values [][]byte) ([]result, error) {
	if l.err != nil {
		return nil, l.err
	}
	<-time.After(l.took)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	results := make([]result, len(values))
	for i, value := range values {
		if len(l.instead) > 0 {
			results[i], l.instead = l.instead[0], l.instead[1:]
			continue
		}
		results[i] = result{
			acknowledged: true, partition: kafka.Partition{Topic: lines, ID: "0"}, offset: int64(len(l.values)),
		}
		l.values = append(l.values, string(value))
	}
	return results, nil
}

func TestPublisherKeepsItsPace(t *testing.T) {
	for name, took := range map[string]time.Duration{"fast": 0, "slow": 50 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			in, err := inputOf(t, "a\nb\nc\n")
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				topic := &log{took: took}
				p := &publisher{topic: topic, input: in, recorder: newRecorder(), places: asTold}
				begin := time.Now()
				if err := p.run(t.Context(), 10_001, 10*time.Second); err != nil {
					t.Fatal(err)
				}
				if elapsed := time.Since(begin); elapsed < 10*time.Second || elapsed > 11*time.Second {
					t.Errorf("took %s", elapsed)
				}
				if published, _ := p.recorder.counts(); published != 10_001 || len(topic.values) != 10_001 {
					t.Errorf("published %d, entered %d", len(topic.values), published)
				}
				slices.Sort(topic.values)
				for i, value := range topic.values {
					if value != string("abc"[i/3334%3]) {
						t.Fatalf("message %d is %q", i, value)
					}
				}
			})
		})
	}
}

func TestPublisherBoundsItsCalls(t *testing.T) {
	in, err := inputOf(t, strings.Repeat("x", maxCallBytes*2/3)+"\ny\n")
	if err != nil {
		t.Fatal(err)
	}
	topic := &log{}
	p := &publisher{topic: topic, input: in, recorder: newRecorder(), places: asTold}
	if err := p.run(t.Context(), 4, 0); err != nil {
		t.Fatal(err)
	}
	if len(topic.values) != 4 || topic.calls != 2 {
		t.Errorf("%d messages in %d calls", len(topic.values), topic.calls)
	}
}

func TestPublisherSendsAgainWhatIsCertainlyNotWritten(t *testing.T) {
	in, err := inputOf(t, "a\nb\nc\n")
	if err != nil {
		t.Fatal(err)
	}
	topic := &log{instead: []result{{refused: true, later: true}, {why: "EOF"}}}
	p := &publisher{topic: topic, input: in, recorder: newRecorder(), places: asTold}
	if err := p.run(t.Context(), 3, 0); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(topic.values, []string{"c", "a"}) {
		t.Errorf("in the topic: %q", topic.values)
	}
	if got, want := p.recorder.entered(), (entering{again: 1, uncertain: 1, why: "EOF"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestPublisherFails(t *testing.T) {
	in, err := inputOf(t, "a\n")
	if err != nil {
		t.Fatal(err)
	}
	away := errors.New("away")
	p := &publisher{topic: &log{err: away}, input: in, recorder: newRecorder(), places: asTold}
	if err := p.run(t.Context(), 1, 0); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	p.topic = &log{instead: []result{{refused: true, why: "403"}}}
	if err := p.run(t.Context(), 1, 0); !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.topic = &log{}
	if err := p.run(ctx, 1_000_000, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
