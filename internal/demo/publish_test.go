// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// log is a topic of one partition that takes a while for each call.
type log struct {
	took   time.Duration
	values []string
	calls  int
	err    error
}

func (l *log) PublishMessages(_ context.Context, messages []kafka.Message) (client.Published, error) {
	if l.err != nil {
		return client.Published{}, l.err
	}
	<-time.After(l.took)
	l.calls++
	first := len(l.values)
	for _, message := range messages {
		l.values = append(l.values, string(message.Value))
	}
	return client.Published{Partition: kafka.Partition{Topic: lines, ID: "0"}, Offset: int64(first)}, nil
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
				p := &publisher{topic: topic, input: in, recorder: newRecorder(), places: consecutive}
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
				for i, value := range topic.values {
					if value != string("abc"[i%3]) {
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
	p := &publisher{topic: topic, input: in, recorder: newRecorder(), places: consecutive}
	if err := p.run(t.Context(), 4, 0); err != nil {
		t.Fatal(err)
	}
	if len(topic.values) != 4 || topic.calls != 2 || topic.values[3] != "y" {
		t.Errorf("%d messages in %d calls", len(topic.values), topic.calls)
	}
}

func TestPublisherFails(t *testing.T) {
	in, err := inputOf(t, "a\n")
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	p := &publisher{topic: &log{err: refused}, input: in, recorder: newRecorder(), places: consecutive}
	if err := p.run(t.Context(), 1, 0); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.topic = &log{}
	if err := p.run(ctx, 1_000_000, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
