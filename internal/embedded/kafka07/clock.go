// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import "time"

// Clock is the time a broker lives by: flushes, retention, times of segments, late answers. Its methods are safe for
// concurrent use. The embedded ZooKeeper's clocks are such clocks.
type Clock interface {
	// Now is the time.
	Now() time.Time
	// At returns a channel that is closed once Now has reached t. stop releases what At took; the channel may then stay
	// open for ever.
	At(t time.Time) (reached <-chan struct{}, stop func())
}

// systemClock is the clock of the machine.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) At(t time.Time) (<-chan struct{}, func()) {
	reached := make(chan struct{})
	timer := time.AfterFunc(time.Until(t), func() { close(reached) })
	return reached, func() { timer.Stop() }
}

// every calls do each interval until done is closed.
func every(clock Clock, interval time.Duration, done <-chan struct{}, do func()) {
	for next := clock.Now().Add(interval); ; next = next.Add(interval) {
		reached, stop := clock.At(next)
		select {
		case <-reached:
			do()
		case <-done:
			stop()
			return
		}
	}
}
