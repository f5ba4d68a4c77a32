// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const length = 5 * time.Minute

// clock is moved by the test.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func identify(key, content string) window.ID {
	return window.Identify("shop", "ann", key, []byte(content))
}

// model is what a window promises, as plainly as it can be said: for each key, what was sent and what came of it.
type model struct {
	content string
	entry   *window.Entry
	outcome window.Outcome
	ends    time.Time
}

// Random sequences of everything that can happen, against the model: within the window a message is sent once, whoever
// comes again gets the same outcome, another message never gets it, and memory is bounded.
func TestWindowKeepsItsPromise(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 7))
		time0 := &clock{time.Unix(1_000_000, 0)}
		const most = 20
		w := window.New(window.Config{Length: length, MaxBytes: most * 200, Now: time0.now})
		known := map[string]*model{}
		for step := range 500 {
			for key, m := range known {
				if !m.ends.IsZero() && !time0.at.Before(m.ends) {
					delete(known, key)
				}
			}
			key, content := fmt.Sprint(random.IntN(40)), fmt.Sprint(random.IntN(10)/9)
			m := known[key]
			switch random.IntN(4) {
			case 0:
				time0.at = time0.at.Add(time.Duration(random.IntN(60)) * time.Second)
			case 1, 2:
				entry, first, err := w.Begin(identify(key, content))
				switch {
				case m == nil && len(known) >= most:
					want(t, err, window.ErrFull, seed, step)
				case m == nil:
					want(t, err, nil, seed, step)
					if !first {
						t.Fatalf("seed %d step %d: nobody has sent %s", seed, step, key)
					}
					known[key] = &model{content: content, entry: entry}
				case m.content != content:
					want(t, err, window.ErrReused, seed, step)
				default:
					want(t, err, nil, seed, step)
					if first {
						t.Fatalf("seed %d step %d: %s is sent twice", seed, step, key)
					}
					if !m.ends.IsZero() {
						same(t, entry, m.outcome)
					}
				}
			case 3:
				if m == nil || !m.ends.IsZero() {
					continue
				}
				m.outcome = window.Outcome{State: window.State(random.IntN(4) + 1), Offset: int64(step)}
				m.entry.Finish(m.outcome)
				m.entry.Finish(window.Outcome{}) // changes nothing
				same(t, m.entry, m.outcome)
				m.ends = time0.at.Add(length)
				if m.outcome.State == window.Refused {
					delete(known, key)
				}
			}
			if w.Len() > most {
				t.Fatalf("seed %d step %d: %d keys", seed, step, w.Len())
			}
		}
	}
}

func want(t *testing.T, got, wanted error, seed uint64, step int) {
	t.Helper()
	if !errors.Is(got, wanted) {
		t.Fatalf("seed %d step %d: got %v, want %v", seed, step, got, wanted)
	}
}

func same(t *testing.T, entry *window.Entry, wanted window.Outcome) {
	t.Helper()
	if got, err := entry.Wait(t.Context()); err != nil || got != wanted {
		t.Fatalf("got %+v, %v, want %+v", got, err, wanted)
	}
}

func TestThoseWhoComeMeanwhileWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := window.New(window.Config{Length: length})
		sent := 0
		written := window.Outcome{State: window.Written, Partition: "3", Offset: 42}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				got, err := w.Do(t.Context(), identify("k", "v"), func() window.Outcome {
					sent++                  // the window lets only one in
					time.Sleep(time.Second) //nolint:forbidigo // in a bubble: all others come meanwhile
					return written
				})
				if err != nil || got != written {
					t.Errorf("got %+v, %v", got, err)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := w.Do(ctx, identify("k", "v"), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		all.Wait()
		if sent != 1 {
			t.Errorf("sent %d times", sent)
		}
	})
}

func TestASendThatPanicsIsUnknown(t *testing.T) {
	w := window.New(window.Config{Length: length})
	func() {
		defer func() { _ = recover() }()
		_, _ = w.Do(t.Context(), identify("k", "v"), func() window.Outcome { panic("a defect") })
	}()
	got, err := w.Do(t.Context(), identify("k", "v"), nil)
	if err != nil || got.State != window.Unknown {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCallersShareNoKeys(t *testing.T) {
	w := window.New(window.Config{Length: length})
	for _, caller := range []string{"", "ann", "bob"} {
		if _, first, err := w.Begin(window.Identify("shop", caller, "k")); !first || err != nil {
			t.Errorf("%q: %v, %v", caller, first, err)
		}
	}
	if window.Identify("", "a", "bc") == window.Identify("", "ab", "c") ||
		window.Identify("a", "b", "c") == window.Identify("", "ab", "c") {
		t.Error("a+bc is not ab+c")
	}
}

func TestHeaders(t *testing.T) {
	id, at := window.Identify("shop", "ann", "k", []byte("v")), time.UnixMilli(1_700_000_000_123)
	value := id.Header(at)
	if got, when, ok := window.ParseHeader(value); !ok || got != id || !when.Equal(at) {
		t.Errorf("%q is read as %v, %s, %v", value, got, when, ok)
	}
	for _, bad := range []string{"", ".", "..", value + "x", value[1:], "!" + value[1:], value + ".1", value + value} {
		if _, _, ok := window.ParseHeader(bad); ok {
			t.Errorf("%q is read", bad)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(window.Identify("shop", "ann", "k").Header(time.Unix(1, 0)))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, value string) {
		id, at, ok := window.ParseHeader(value)
		if !ok {
			return
		}
		if again, when, ok := window.ParseHeader(id.Header(at)); !ok || again != id || !when.Equal(at) {
			t.Errorf("%q", value)
		}
	})
}

func TestAWindowIsRebuiltFromMessages(t *testing.T) {
	time0 := &clock{time.Unix(1_000_000, 0)}
	const slack = time.Minute
	w := window.New(window.Config{Length: length, Slack: slack, MaxBytes: 3 * 200, Now: time0.now})
	unknown, _, err := w.Begin(identify("unknown", ""))
	if err != nil {
		t.Fatal(err)
	}
	unknown.Finish(window.Outcome{State: window.Unknown})
	message := func(key string, age time.Duration) *kafka.Message {
		return &kafka.Message{
			Partition: kafka.Partition{Topic: "orders", ID: "2"}, Offset: 7, Timestamp: time.Unix(5, 0),
			Headers: []kafka.Header{
				{Key: "other", Value: []byte("x")}, {Key: window.HeaderName, Value: []byte("garbage")},
				// Of another gateway's, by which the message came here: the last is this one's.
				{Key: window.HeaderName, Value: []byte(identify("elsewhere", "").Header(time0.at))},
				{Key: window.HeaderName, Value: []byte(identify(key, "").Header(time0.at.Add(-age)))},
			},
		}
	}
	for _, step := range []struct {
		message     *kafka.Message
		found, full bool
	}{
		{&kafka.Message{}, false, false},
		{message("old", length+slack+time.Second), false, false},
		{message("unknown", 0), true, false},
		{message("young", time.Minute), true, false},
		{message("begun long before its answer", length+slack-time.Second), true, false},
		{message("one too many", time.Minute), true, true},
	} {
		if found, full := w.LoadMessage(step.message); found != step.found || full != step.full {
			t.Errorf("%s: found %v, full %v", step.message.Headers, found, full)
		}
	}
	written := window.Outcome{State: window.Written, Partition: "2", Offset: 7, Timestamp: time.Unix(5, 0)}
	for _, key := range []string{"unknown", "young"} {
		if got, err := w.Do(t.Context(), identify(key, ""), nil); err != nil || got != written {
			t.Errorf("%s: %+v, %v", key, got, err)
		}
	}
	if found, _, _ := w.Begin(identify("elsewhere", "")); found != nil {
		t.Error("the key of another topic is known")
	}
	if after := w.RetryAfter(); after != length {
		t.Errorf("come back in %s", after)
	}
	time0.at = time0.at.Add(length)
	if w.Len() != 0 {
		t.Errorf("%d keys are left", w.Len())
	}
}
