// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
)

// errNotLive says that a broker has no registration, so that nobody knows where it is.
var errNotLive = errors.New("the broker is not registered as live")

// brokers are the live brokers and where they are. Safe for concurrent use.
type brokers struct {
	// mu guards what follows.
	mu   sync.Mutex
	live map[string]string
	// changed is closed at the next change, and another one made.
	changed chan struct{}
}

func newBrokers(live map[string]string) (*brokers, error) {
	if len(live) == 0 {
		return nil, errors.New("no brokers: at least one is needed to begin with")
	}
	b := &brokers{live: map[string]string{}, changed: make(chan struct{})}
	if err := b.set(live); err != nil {
		return nil, err
	}
	return b, nil
}

// set replaces the brokers. None at all change nothing.
func (b *brokers) set(live map[string]string) error {
	for id, address := range live {
		host, port, err := net.SplitHostPort(address)
		if err != nil || host == "" || port == "" {
			return fmt.Errorf("broker %s: address %q is not host:port", id, address)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(live) == 0 || maps.Equal(live, b.live) {
		return nil
	}
	b.live = maps.Clone(live)
	close(b.changed)
	b.changed = make(chan struct{})
	return nil
}

// address says where a broker is.
func (b *brokers) address(id string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if address, ok := b.live[id]; ok {
		return address, nil
	}
	return "", fmt.Errorf("broker %s: %w", id, errNotLive)
}

// changes is closed when a broker comes, goes or moves.
func (b *brokers) changes() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// ids are those of all live brokers, sorted.
func (b *brokers) ids() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.live))
}
