// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"fmt"
	"time"
)

// promise is one thing that must hold of every history.
type promise struct {
	name string
	// kept gives an error that says where the promise is broken first.
	kept func(History, profile) error
}

// promises are the invariants of the design, and what they rest upon.
func promises() []promise {
	return []promise{
		{"one at a time", oneAtATime},
		{"fence", fenced},
		{"no lost update", noLostUpdate},
		{"acknowledged", acknowledged},
		{"order", ordered},
		{"once", once},
		{"recovery", recovered},
		{"liveness", settledInTheEnd},
	}
}

// check gives the first broken promise.
func check(history History, p profile) error {
	for _, promise := range promises() {
		if err := promise.kept(history, p); err != nil {
			return fmt.Errorf("%s: %w", promise.name, err)
		}
	}
	return nil
}

// Broken says where a promise is broken.
type Broken struct {
	At time.Duration
	// What is seen then.
	What string
}

// Error implements error.
func (b *Broken) Error() string { return fmt.Sprintf("at %.4f s: %s", b.At.Seconds(), b.What) }

func broken(entry Entry, format string, args ...any) error {
	return &Broken{At: entry.At, What: fmt.Sprintf(format, args...)}
}

// settledInTheEnd: once all trouble is over, everything is delivered and committed.
func settledInTheEnd(history History, _ profile) error {
	if len(history) == 0 {
		return errors.New("nothing happened")
	}
	last := history[len(history)-1]
	if end, ok := last.What.(settled); !ok || !end.Everything {
		return broken(last, "it does not come to rest: %s", end.Why)
	}
	return nil
}
