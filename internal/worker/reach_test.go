// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// probed is a sink that notes when it is probed.
type probed struct {
	mu   sync.Mutex
	down error
	at   []time.Duration
	born time.Time
}

func (*probed) Host() string { return "billing" }

func (p *probed) Probe(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Since(p.born))
	return p.down
}

func (p *probed) set(down error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

func (p *probed) times() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.at)
}

// unreachable is what a probe of nobody comes to.
func unreachable(t *testing.T) error {
	t.Helper()
	s, err := httpsink.New(httpsink.Config{
		URL: "http://billing", Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Name: "billing", IsNotFound: true}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return s.Probe(t.Context())
}

// answered is an error of a sink that was there.
func answered() error { return &httpsink.Error{} }

func TestReach(t *testing.T) {
	down := unreachable(t)
	synctest.Test(t, func(t *testing.T) {
		target := &probed{born: time.Now(), down: down}
		r := newReach(target)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.run(ctx) })
		defer running.Wait()
		defer cancel()
		wait := func(d time.Duration) {
			t.Helper()
			<-time.After(d)
			synctest.Wait()
		}

		synctest.Wait()
		if err := r.err(); err == nil || err.Error() != "no such host: billing" {
			t.Errorf("at once: got %v", err)
		}
		target.set(nil)
		wait(probeAgain)
		if err := r.err(); err != nil {
			t.Errorf("after %s: %v", probeAgain, err)
		}
		// Attempts, each 6 s: no probe is needed.
		for range 3 {
			wait(6 * time.Second)
			r.attempted(time.Now(), answered())
		}
		wait(probeAfter)
		want := []time.Duration{0, 5 * time.Second, 33 * time.Second}
		if got := target.times(); !slices.Equal(got, want) {
			t.Errorf("probed at %v, want %v", got, want)
		}
		// An attempt that reaches nobody says so, and a probe heals it although no other attempt comes.
		r.attempted(time.Now(), down)
		if r.err() == nil {
			t.Error("an attempt that reached nobody says nothing")
		}
		wait(probeAgain)
		if err := r.err(); err != nil {
			t.Errorf("not healed: %v", err)
		}
	})
}

func TestReachKnowsWhoWasThere(t *testing.T) {
	down := unreachable(t)
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"delivered", nil, true},
		{"refused", answered(), true},
		{"of another kind", errors.New("x"), true},
		{"nobody", down, false},
	} {
		r := newReach(&probed{})
		r.attempted(time.Now(), down)
		r.attempted(time.Now(), c.err)
		if got := r.err() == nil; got != c.want {
			t.Errorf("%s: reachable %t", c.name, got)
		}
	}
}

func TestTally(t *testing.T) {
	p, q := kafka.Partition{Topic: "orders", ID: "0"}, kafka.Partition{Topic: "orders", ID: "1"}
	count := &tally{reach: newReach(&probed{})}
	count.metrics = NewMetrics(nil)
	count.Delivered(p, pump.Attempt{Failed: 1, Outcome: sink.Retry, Err: unreachable(t)})
	if count.reach.err() == nil {
		t.Error("a failed attempt says nothing of the sink")
	}
	count.Delivered(p, pump.Attempt{Untried: 1})
	if count.reach.err() == nil {
		t.Error("an attempt that tried nothing heals")
	}
	count.Delivered(p, pump.Attempt{Done: 2})
	if err := count.reach.err(); err != nil {
		t.Error(err)
	}
	at := time.Unix(7, 0)
	count.Jumped(p, lane.Jump{From: 10, To: 15, Lost: 5})
	count.Jumped(p, lane.Jump{At: at, From: 15, To: 3})
	lanes := []Lane{{Partition: p}, {Partition: q}}
	count.addJumps(lanes)
	if got := lanes[0]; got.LostToRetention != 5 || *got.Jump != (Jump{At: at, From: 15, To: 3}) {
		t.Errorf("%+v", got)
	}
	if got := lanes[1]; got.LostToRetention != 0 || got.Jump != nil {
		t.Errorf("%+v", got)
	}
	counters := count.counters()
	if counters.LostToRetention != 5 || counters.RecordsDelivered != 2 || counters.RecordsFailed["retry"] != 1 {
		t.Errorf("%+v", counters)
	}
}
