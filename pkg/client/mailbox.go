// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import "sync"

// mailbox hands values from many goroutines to one. Sending never blocks, so that no cycle of goroutines can wait for
// itself; what bounds it is that every event answers a command, and commands are never made twice at once.
type mailbox[T any] struct {
	// mu protects pending.
	mu      sync.Mutex
	pending []T
	// mail holds a token while there may be something pending.
	mail chan struct{}
}

func newMailbox[T any]() *mailbox[T] { return &mailbox[T]{mail: make(chan struct{}, 1)} }

func (m *mailbox[T]) send(value T) {
	m.mu.Lock()
	m.pending = append(m.pending, value)
	m.mu.Unlock()
	select {
	case m.mail <- struct{}{}:
	default:
	}
}

// take returns everything sent since the last take, in order. spare's memory is used for what comes next.
func (m *mailbox[T]) take(spare []T) []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.pending
	clear(spare)
	m.pending = spare[:0]
	return taken
}
