// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// ErrClosed says that a reader has been closed.
var ErrClosed = errors.New("the client to the brokers is closed")

// Reader asks the brokers of one cluster. Safe for concurrent use.
type Reader struct {
	// asking are the requests under way: franz-go shakes hands on a new connection without regard to the context of the
	// request that needs it, so they may outlast who asked.
	asking sync.WaitGroup

	// mu guards what follows.
	mu     sync.Mutex
	config wire.Config
	// client is made when it is first needed, and anew for another release.
	client *kgo.Client
	// named says that every broker can be asked for topics by name and makes none by that: from Kafka 0.11 on.
	named bool
	// told says that a broker answered once, so that it is known how they are spoken to.
	told   bool
	probed time.Time
	closed bool
}

// NewReader makes one that begins with the brokers of a configuration. It connects to nobody before it is asked.
func NewReader(config wire.Config) *Reader {
	config.Brokers = slices.Clone(config.Brokers)
	return &Reader{config: config}
}

// Config is that of a client of one's own: the brokers to begin with and how they are spoken to, as of now.
func (r *Reader) Config() wire.Config {
	r.mu.Lock()
	defer r.mu.Unlock()
	config := r.config
	config.Brokers = slices.Clone(config.Brokers)
	return config
}

// Release is how the brokers are spoken to.
func (r *Reader) Release() wire.Release {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.config.Release
}

// Follow says which brokers to begin with from now on, and how they are spoken to. No brokers change nothing: better
// the old addresses than none.
func (r *Reader) Follow(brokers []string, release wire.Release) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(brokers) == 0 || r.closed {
		return nil
	}
	if release != r.config.Release && r.client != nil { // who still asks by it asks again
		r.asking.Go(r.client.Close)
		r.client = nil
	}
	r.config.Release = release
	if slices.Equal(brokers, r.config.Brokers) {
		return nil
	}
	if r.client != nil {
		if err := r.client.UpdateSeedBrokers(brokers...); err != nil {
			return fmt.Errorf("broker addresses %q: %w", brokers, err)
		}
	}
	r.config.Brokers = slices.Clone(brokers)
	return nil
}

// Client is a client to the brokers, which follows them and is the reader's: it is closed with it, and where the
// brokers turn out to be of another release.
func (r *Reader) Client() (*kgo.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clientLocked()
}

func (r *Reader) clientLocked() (*kgo.Client, error) {
	if r.closed {
		return nil, ErrClosed
	}
	if r.client != nil {
		return r.client, nil
	}
	client, err := kgo.NewClient(wire.Options(r.config)...)
	if err != nil {
		return nil, fmt.Errorf("broker addresses %q: %w", r.config.Brokers, err)
	}
	r.client = client
	return client, nil
}

// spawn runs a task that Close waits for; false where the reader is closed.
func (r *Reader) spawn(task func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.asking.Go(task)
	return true
}

// Close ends all connections and waits for every request under way.
func (r *Reader) Close() {
	r.mu.Lock()
	client := r.client
	r.client, r.closed = nil, true
	r.mu.Unlock()
	if client != nil {
		client.Close()
	}
	r.asking.Wait()
}
