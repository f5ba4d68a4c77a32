// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"math"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
)

// waiter waits for the outcome of one message at a time. One that was not decided is never used again: its outcome may
// still come.
type waiter struct {
	outcome chan result
	timer   *time.Timer
	// done is what the producer calls; bound once, since a closure a message is an allocation a message.
	done func(client.Produced, error)
}

func newWaiter() *waiter {
	w := &waiter{outcome: make(chan result, 1), timer: time.NewTimer(math.MaxInt64)}
	w.timer.Stop()
	w.done = func(produced client.Produced, err error) { w.outcome <- result{produced, err} }
	return w
}

// wait gives the outcome, or says that there is none yet.
func (w *waiter) wait(timeout time.Duration) (outcome result, decided bool) {
	select {
	case outcome = <-w.outcome:
		return outcome, true
	default:
	}
	w.timer.Reset(timeout)
	defer w.timer.Stop()
	select {
	case outcome = <-w.outcome:
		return outcome, true
	case <-w.timer.C:
		return result{err: errUndecided}, false
	}
}
