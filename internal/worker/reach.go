// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

const (
	// probeAfter is how long nothing is delivered before the sink is probed: one connection in 10 s is nothing to a sink,
	// and whoever declares a sink that is not there learns of it before the first message does.
	probeAfter = 10 * time.Second
	// probeAgain is the same while the sink cannot be reached, so that this heals well within 10 s also where the next
	// attempt is half a minute away.
	probeAgain = 5 * time.Second
)

// prober is a sink that can tell whether it could be reached, without a message.
type prober interface {
	Host() string
	Probe(ctx context.Context) error
}

// reach knows whether the sink can be reached: from every attempt at it, and from probes while there are none.
type reach struct {
	sink prober
	host string
	// last is when an attempt or a probe ended, in Unix nanoseconds; 0 before the first.
	last atomic.Int64
	// failure is why nobody could be talked to, the last time; nil if somebody could.
	failure atomic.Pointer[httpsink.Error]
}

func newReach(sink prober) *reach { return &reach{sink: sink, host: sink.Host()} }

// attempted takes what an attempt came to: err is nil if it succeeded. It is called for every message, so it writes
// nothing but the time while nothing changes.
func (r *reach) attempted(at time.Time, err error) {
	r.last.Store(at.UnixNano())
	r.note(err)
}

func (r *reach) note(err error) {
	failed := (*httpsink.Error)(nil)
	if err != nil && errors.As(err, &failed) && !failed.Unreachable() {
		failed = nil // somebody was there, and said no
	}
	if failed != r.failure.Load() {
		r.failure.Store(failed)
	}
}

// err says why the sink cannot be reached, in words that stay the same; nil if it can.
func (r *reach) err() error {
	if failed := r.failure.Load(); failed != nil {
		return errors.New(failed.Reason())
	}
	return nil
}

// run probes until ctx ends, whenever there was no attempt for a while: at first at once.
func (r *reach) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if time.Now().Before(r.due()) {
			r.rest(timer)
			continue
		}
		err := r.sink.Probe(ctx)
		if ctx.Err() != nil {
			return
		}
		r.attempted(time.Now(), err)
		r.rest(timer)
	}
}

// rest sets the timer to when a probe is due, or is due earlier if an attempt fails meanwhile.
func (r *reach) rest(timer *time.Timer) { timer.Reset(min(time.Until(r.due()), probeAgain)) }

// due is when the next probe is, unless there is an attempt before.
func (r *reach) due() time.Time {
	last := r.last.Load()
	switch {
	case last == 0:
		return time.Time{}
	case r.failure.Load() != nil:
		return time.Unix(0, last).Add(probeAgain)
	}
	return time.Unix(0, last).Add(probeAfter)
}
