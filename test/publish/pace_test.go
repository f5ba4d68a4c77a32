// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// pace lets callers begin no more messages than the script allows for a step, so that there are some for each, and
// counts what became of them.
type pace struct {
	limiter *rate.Limiter

	// mu guards what follows.
	mu      sync.Mutex
	begun   int
	allowed int
	// more is closed when more are allowed.
	more chan struct{}

	// decided are messages that will not be sent again; the others are attempts, those without success failed.
	decided, taken, refused, unknown, failed atomic.Int64
}

// shareTime is how long the messages of a step take at least: what a leader's move takes here, where brokers
// notice within 3 s.
const shareTime = 3 * time.Second

// slowest is for runs of few messages.
const slowest = 400

func newPace(share int) *pace {
	perSecond := max(slowest, float64(share)/shareTime.Seconds())
	return &pace{limiter: rate.NewLimiter(rate.Limit(perSecond), max(batchSize, streamSize)), more: make(chan struct{})}
}

// allow lets n more messages begin.
func (p *pace) allow(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed += n
	close(p.more)
	p.more = make(chan struct{})
}

// begin waits for n messages' turn.
func (p *pace) begin(ctx context.Context, n int) error {
	for {
		p.mu.Lock()
		if p.begun < p.allowed {
			p.begun += n
			p.mu.Unlock()
			return p.limiter.WaitN(ctx, n)
		}
		more := p.more
		p.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// await looks until a number has grown to what is wanted.
func (*pace) await(ctx context.Context, number *atomic.Int64, wanted int64) error {
	const look = 10 * time.Millisecond
	tick := time.NewTicker(look)
	defer tick.Stop()
	for number.Load() < wanted {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// phase is what the script has made of the world for a while.
type phase struct {
	name  string
	begin time.Time
}

// gap is a time in which no message without a key was taken.
type gap struct{ begin, end time.Time }

// gaps notes when messages were taken.
type gaps struct {
	mu     sync.Mutex
	last   time.Time
	gaps   []gap
	phases []phase
}

// leastGap is what is no gap, but how long a broker takes at work.
const leastGap = 50 * time.Millisecond

// note says that a message was taken now.
func (g *gaps) note() {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.last.IsZero() && now.Sub(g.last) > leastGap {
		g.gaps = append(g.gaps, gap{g.last, now})
	}
	g.last = now
}

// enter begins a phase.
func (g *gaps) enter(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.phases = append(g.phases, phase{name, time.Now()})
}

// longest is the longest part of a gap within each phase, in their order.
func (g *gaps) longest() (names []string, gaps []time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, p := range g.phases {
		end := time.Now()
		if i+1 < len(g.phases) {
			end = g.phases[i+1].begin
		}
		longest := time.Duration(0)
		for _, gap := range g.gaps {
			begin, stop := gap.begin, gap.end
			if begin.Before(p.begin) {
				begin = p.begin
			}
			if stop.After(end) {
				stop = end
			}
			longest = max(longest, stop.Sub(begin))
		}
		names, gaps = append(names, p.name), append(gaps, longest)
	}
	return names, gaps
}
