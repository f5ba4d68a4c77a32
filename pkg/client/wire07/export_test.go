// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import "time"

// WithPatience is a Config whose answers must begin within so long.
func (c Config) WithPatience(d time.Duration) Config {
	c.patience = d
	return c
}

// What bounds memory.
const (
	MaxBuffered = maxBuffered
	MaxWaiting  = maxWaiting
)

// Kept is what waits for Poll, in bytes.
func (t *Transport) Kept() int {
	t.fetcher.mu.Lock()
	defer t.fetcher.mu.Unlock()
	kept := 0
	for _, c := range t.cursors {
		kept += c.bytes
	}
	return kept
}
