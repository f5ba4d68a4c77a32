// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// cutOff is an outlet whose one broker cannot be reached any more, so that nobody knows what it has. A request lasts
// until it is let go if it hangs.
type cutOff struct {
	hangs bool

	mu sync.Mutex
	// sent is when the last request left.
	sent time.Time
}

func (*cutOff) Topology(context.Context) (dispatch.Topology, error) {
	return dispatch.Topology{Places: []dispatch.Place{{ID: "0", Broker: "1"}}, Repeatable: true}, nil
}

func (c *cutOff) Send(ctx context.Context, _ string, batches []*dispatch.Batch) {
	c.mu.Lock()
	c.sent = time.Now()
	c.mu.Unlock()
	for _, batch := range batches {
		if !batch.Unheard && !batch.Load() {
			continue
		}
		batch.Loaded()
		batch.Begin()
		batch.Judge(dispatch.Unheard, errLost)
	}
	if c.hangs {
		<-ctx.Done()
	}
}

func (*cutOff) GiveUp(string) {}
func (*cutOff) Close()        {}

// last is when the last request was underway.
func (c *cutOff) last() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// doubted puts an item that came just now, and gives the channel on which it is settled.
func doubted(t *testing.T, d *dispatch.Dispatcher) <-chan error {
	t.Helper()
	settled, now := make(chan error, 1), time.Now()
	d.Put(&dispatch.Item{
		Message: kafka.Message{Value: []byte("x")}, Context: t.Context(), Since: now, Deadline: now.Add(patience), Size: 100,
		Sender:  sender(func(dispatch.Outcome, error) {}),
		Settled: func(_ dispatch.Outcome, err error) { settled <- err },
	})
	return settled
}

// Whoever takes over from this producer waits for as long as a message may take, and then writes it again.
func TestNothingIsRepeatedBeyondItsTimeOnceDoubtsAreGivenUp(t *testing.T) {
	for name, when := range map[string]time.Duration{
		"at once": time.Second, "when its outcome is unknown already": patience + settling/2,
	} {
		for _, hangs := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					outlet := &cutOff{hangs: hangs}
					d := dispatch.New(dispatch.Config{Outlet: outlet, MaxBuffered: 1 << 20, BatchBytes: 1 << 10, Settle: settling})
					defer d.Close()
					begin := time.Now()
					settled := doubted(t, d)
					sleep(when)
					d.GiveUpDoubts()
					unknownSoon(t, settled)
					end := begin.Add(max(when, patience) + time.Second)
					if time.Now().After(end) {
						t.Errorf("underway until %s", time.Since(begin))
					}
					sleep(settling)
					if outlet.last().After(end) {
						t.Errorf("repeated after %s", outlet.last().Sub(begin))
					}
				})
			})
		}
	}
}

// A batch is written as a whole: one message that has time left must not take another one with it that has not.
func TestAMessageIsNotRepeatedBeyondItsTimeForTheSakeOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outlet := &cutOff{}
		d := dispatch.New(dispatch.Config{
			Outlet: outlet, MaxBuffered: 1 << 20, BatchBytes: 1 << 10, Settle: settling, Linger: patience / 2,
		})
		defer d.Close()
		begin := time.Now()
		first := doubted(t, d)
		sleep(patience / 3)
		d.GiveUpDoubts()
		second := doubted(t, d) // which is sent with the first
		unknownSoon(t, first)
		unknownSoon(t, second)
		if took := time.Since(begin); took > patience+time.Second {
			t.Errorf("underway until %s", took)
		}
	})
}

// What comes afterwards is repeated as ever.
func TestDoubtsThatComeLaterAreSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outlet := &deaf{}
		d := dispatch.New(dispatch.Config{Outlet: outlet, MaxBuffered: 1 << 20, BatchBytes: 1 << 10, Settle: settling})
		defer d.Close()
		d.GiveUpDoubts()
		sleep(time.Second)
		settled := doubted(t, d)
		sleep(patience + settling/2)
		outlet.hears.Store(true)
		if err := <-settled; err != nil {
			t.Error(err)
		}
	})
}

// unknownSoon waits until an item is settled, for longer than any should be underway.
func unknownSoon(t *testing.T, settled <-chan error) {
	t.Helper()
	select {
	case err := <-settled:
		if err == nil {
			t.Error("nobody said that it was written")
		}
	case <-time.After(patience + 2*settling):
		t.Error("it is not settled")
	}
}

// sleep is of the bubble's clock.
func sleep(length time.Duration) { <-time.After(length) }
