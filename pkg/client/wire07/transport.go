// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"errors"
	"sync"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// errClosed is the end of everything underway when the transport is closed.
var errClosed = errors.New("the transport is closed")

// Transport implements kafka.Transport for Kafka 0.7. Fetching, asking for positions and appending have connections of
// their own, so that none waits for another's answers.
type Transport struct {
	config  Config
	brokers *brokers
	appends *appends
	*fetcher

	// life ends with Close, and with it every connection.
	life    context.Context //nolint:containedctx // the transport's own, for what outlasts a call
	end     context.CancelCauseFunc
	running sync.WaitGroup

	// mu guards closed, so that nothing begins to run once Close waits.
	mu     sync.Mutex
	closed bool
}

// Open makes a transport. It connects to nobody yet: brokers that cannot be reached are told by Poll, Ping and the
// calls that need one.
func Open(config Config) (*Transport, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	brokers, err := newBrokers(config.Brokers)
	if err != nil {
		return nil, err
	}
	t := &Transport{config: config, brokers: brokers}
	t.life, t.end = context.WithCancelCause(context.Background())
	t.fetcher = newFetcher(t)
	t.appends = newAppends(t)
	return t, nil
}

// SetBrokers replaces the live brokers, ids to addresses host:port. Partitions of a broker that is missing report an
// error and go on when it is back, wherever that is. An empty map changes nothing: better the old addresses than none.
// Safe for concurrent use.
func (t *Transport) SetBrokers(live map[string]string) error {
	if err := t.brokers.set(live); err != nil {
		return err
	}
	t.moved()
	return nil
}

// Append implements kafka.Transport. Safe for concurrent use.
func (t *Transport) Append(
	ctx context.Context, partition kafka.Partition, messages []kafka.Message,
) (int64, error) {
	return t.appends.append(ctx, partition, messages)
}

// spawn runs a task that Close ends, by its context, and waits for. It reports false where the transport is closed
// already, and then the task does not run.
func (t *Transport) spawn(task func(ctx context.Context)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.running.Go(func() { task(t.life) })
	return true
}

// bind gives ctx an end with the transport's life too. The function returned must be called.
func (t *Transport) bind(ctx context.Context) (context.Context, func()) {
	bound, end := context.WithCancelCause(ctx)
	stop := context.AfterFunc(t.life, func() { end(errClosed) })
	return bound, func() {
		stop()
		end(nil)
	}
}

// Close implements kafka.Transport. Appends underway fail. Safe for concurrent use, and to be called again.
func (t *Transport) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.end(errClosed)
	t.running.Wait()
}
