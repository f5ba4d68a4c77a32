// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Transport implements kafka.Transport for Kafka 0.8 and newer. Fetching and producing have a client of their own each,
// so that neither waits on the other's connections; the one for producing is made with the first Append.
type Transport struct {
	config Config
	client *kgo.Client // fetches, and asks for positions
	fetcher
	lookups *lookups
	running sync.WaitGroup

	// mu guards what follows.
	mu       sync.Mutex
	brokers  []string
	producer *producer // nil until the first Append
	closed   bool
}

var _ kafka.Transport = (*Transport)(nil)

// Open makes a transport. It connects to nobody yet: brokers that cannot be reached are told by Poll, Ping and the
// calls that need one.
func Open(config Config) (*Transport, error) {
	if len(config.Brokers) == 0 {
		return nil, errors.New("no brokers: at least one address host:port is needed to begin with")
	}
	if err := config.SASL.Check(); err != nil {
		return nil, err
	}
	t := &Transport{config: config.withDefaults(), brokers: slices.Clone(config.Brokers)}
	wake := newWaker()
	health := newHealth(wake)
	client, err := kgo.NewClient(append(t.config.common(t.brokers),
		kgo.WithHooks(health),
		kgo.ConsumeStartOffset(kgo.NoResetOffset()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		// What a transaction wrote that was aborted is no message.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Markers of transactions are none either, but positions move over them: see skip.
		kgo.KeepControlRecords(),
		kgo.FetchMaxBytes(t.config.FetchMaxBytes),
		kgo.FetchMaxPartitionBytes(t.config.FetchMaxPartitionBytes),
		kgo.FetchMaxWait(t.config.FetchMaxWait),
		kgo.BrokerMaxReadBytes(t.config.FetchMaxBytes+maxReadBytesAboveFetch),
		kgo.MaxDecompressBatchBytes(maxDecompressBytes),
		kgo.KeepRetryableFetchErrors(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("kafka client for fetching: %w", err)
	}
	t.client = client
	t.lookups = newLookups(t, client.Context, wake)
	t.fetcher = newFetcher(t.config, client, t.lookups, health, wake)

	// It lives as long as the client.
	t.running.Go(t.lookups.run)
	return t, nil
}

// SetBrokers replaces the addresses to begin with, for when every broker known so far has gone. An empty list changes
// nothing: better the old addresses than none. Safe for concurrent use.
func (t *Transport) SetBrokers(brokers []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(brokers) == 0 || slices.Equal(brokers, t.brokers) {
		return nil
	}
	if err := t.client.UpdateSeedBrokers(brokers...); err != nil {
		return fmt.Errorf("broker addresses %q: %w", brokers, err)
	}
	t.brokers = slices.Clone(brokers)
	if t.producer != nil {
		// The same addresses have just been accepted.
		_ = t.producer.client.UpdateSeedBrokers(brokers...)
	}
	return nil
}

// Ping reports whether any broker answers, by asking all of them at once: one that hangs hides no healthy one. The
// error says what each of them did. Safe for concurrent use.
func (t *Transport) Ping(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	brokers := append(t.client.DiscoveredBrokers(), t.client.SeedBrokers()...)
	answers := make(chan error, len(brokers))
	for _, broker := range brokers {
		t.spawn(func() {
			_, err := broker.Request(ctx, kmsg.NewPtrApiVersionsRequest())
			answers <- explain(err)
		}, func() { answers <- kgo.ErrClientClosed })
	}
	var failures []error
	for range brokers {
		var err error
		select {
		case err = <-answers:
			if err == nil {
				return nil
			}
		case <-ctx.Done():
			err = ctx.Err()
		}
		failures = append(failures, err)
	}
	return fmt.Errorf("no broker answers: %w", errors.Join(distinct(failures)...))
}

// spawn runs a task that may outlast the context it was given: franz-go shakes hands on a new connection without
// regard to it. Close waits for the task. Where the transport is closed already, otherwise runs instead.
func (t *Transport) spawn(task, otherwise func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		otherwise()
		return
	}
	t.running.Go(task)
}

// Close implements kafka.Transport. Appends underway fail.
func (t *Transport) Close() {
	t.mu.Lock()
	producer := t.producer
	closed := t.closed
	t.closed = true
	t.mu.Unlock()
	if closed {
		return
	}
	if producer != nil {
		producer.client.Close()
	}
	t.consumed.close()
	// This ends the client's context too, by which the lookups live.
	t.client.Close()
	t.running.Wait()
}
