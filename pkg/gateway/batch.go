// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// batch collects the outcomes of the messages of one request.
type batch struct {
	mu      sync.Mutex
	results []result
	open    int
	over    bool
	// decided is closed when every outcome is there.
	decided chan struct{}
}

func newBatch(n int) *batch {
	b := &batch{results: make([]result, n), open: n, decided: make(chan struct{})}
	for i := range b.results {
		b.results[i].err = errUndecided
	}
	return b
}

// take takes the outcome of message i; what comes after the end changes nothing any more.
func (b *batch) take(i int, outcome result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	b.results[i] = outcome
	if b.open--; b.open == 0 {
		close(b.decided)
	}
}

// end gives the results as far as they are known.
func (b *batch) end() []result {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	return b.results
}

// again is a message whose key is underway, or was: the outcome is that of another request.
type again struct {
	i     int
	entry *window.Entry
}

// all publishes messages in their order and waits for all outcomes. key gives the Idempotency-Key of each.
func (x *exchange) all(messages []kafka.Message, key func(i int) string) []result {
	b := newBatch(len(messages))
	var others []again
	for i := range messages {
		take := func(produced client.Produced, err error) { b.take(i, result{produced, err}) }
		if key == nil {
			x.h.config.Producer.Produce(x.r.Context(), messages[i], take)
			continue
		}
		entry, first, err := x.begin(&messages[i], key(i))
		switch {
		case err != nil:
			take(client.Produced{}, err)
		case first:
			x.produce(messages[i], entry, take)
		default:
			others = append(others, again{i, entry})
		}
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), x.h.config.RequestTimeout)
	defer cancel()
	for _, other := range others {
		if outcome, err := other.entry.Wait(ctx); err == nil {
			b.take(other.i, remembered(x.h.config.Topic, outcome))
		}
	}
	select {
	case <-b.decided:
	case <-ctx.Done():
	}
	return b.end()
}

// begin finds the entry of a message's key. Whoever is first publishes the message, which then bears the key.
func (x *exchange) begin(message *kafka.Message, key string) (entry *window.Entry, first bool, err error) {
	if turn := x.h.config.Turn; turn != nil {
		if err := turn(x.key); err != nil {
			return nil, false, err
		}
	}
	id := window.Identify(x.h.config.Scope, x.caller.Name, key, content(message)...)
	entry, first, err = x.h.config.Window.Begin(id)
	if errors.Is(err, window.ErrFull) {
		err = &windowFull{after: x.h.config.Window.RetryAfter()}
	}
	if first && !x.h.config.NoHeaders {
		message.Headers = append(slices.Clip(message.Headers),
			kafka.Header{Key: window.HeaderName, Value: []byte(id.Header(x.h.config.Now()))})
	}
	return entry, first, err
}

// produce publishes a message, and tells its entry what became of it. Of a message of which that is unknown the entry
// is told when it is settled: until then, who sends it again waits.
func (x *exchange) produce(message kafka.Message, entry *window.Entry, take func(client.Produced, error)) {
	finish := func(produced client.Produced, err error) {
		outcome := result{produced, err}
		entry.Finish(outcome.outcome())
	}
	settler, settles := x.h.config.Producer.(Settler)
	if !settles {
		x.h.config.Producer.Produce(x.r.Context(), message, func(produced client.Produced, err error) {
			finish(produced, err)
			take(produced, err)
		})
		return
	}
	settler.ProduceSettled(x.r.Context(), message, func(produced client.Produced, err error) {
		if err == nil || isRefused(err) {
			finish(produced, err)
		}
		take(produced, err)
	}, finish)
}

// windowFull is window.ErrFull, and when there is room again.
type windowFull struct{ after time.Duration }

func (*windowFull) Error() string { return window.ErrFull.Error() }

// content is all that makes a message.
func content(m *kafka.Message) [][]byte {
	parts := make([][]byte, 0, 5+2*len(m.Headers))
	null := []byte{nullness(m.Key)<<1 | nullness(m.Value)}
	var at []byte
	if !m.Timestamp.IsZero() {
		at = strconv.AppendInt(nil, m.Timestamp.UnixMilli(), 10)
	}
	parts = append(parts, null, m.Key, m.Value, []byte(m.Partition.ID), at)
	for i := range m.Headers {
		parts = append(parts, []byte(m.Headers[i].Key), append([]byte{nullness(m.Headers[i].Value)}, m.Headers[i].Value...))
	}
	return parts
}

func nullness(b []byte) byte {
	if b == nil {
		return 1
	}
	return 0
}
