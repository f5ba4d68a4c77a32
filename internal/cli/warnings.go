// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// warnAgain is when a warning is repeated while its cause lasts: twice a minute is a reminder and no flood.
const warnAgain = 30 * time.Second

// warnings tell on the standard error what stands in the way for now. Safe for concurrent use.
type warnings struct {
	out io.Writer
	now func() time.Time

	mu   sync.Mutex // guards told
	told map[string]time.Time
}

func newWarnings(out io.Writer, now func() time.Time) *warnings {
	return &warnings{out: out, now: now, told: map[string]time.Time{}}
}

// waitingFor warns that a topic does not exist, which may be a mistake in its name.
func waitingFor(topic string) error {
	return fmt.Errorf("topic %s does not exist yet; waiting for it", topic)
}

// warn tells it, unless it was told a moment ago: what cannot be done is tried again and again.
func (w *warnings) warn(err error) {
	text := (&Error{Err: err}).Error()
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	for other, told := range w.told {
		if now.Sub(told) >= warnAgain {
			delete(w.told, other) // or texts with numbers in them would pile up
		}
	}
	if _, recently := w.told[text]; recently {
		return
	}
	w.told[text] = now
	fmt.Fprintln(w.out, "warning:", text)
}
