// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// measured is a producer whose messages are counted.
type measured struct {
	producer settling
	metrics  *Metrics
	// timings are used again: one for each message would be garbage by the thousand.
	timings sync.Pool
}

// settling is a producer that says later what became of messages.
type settling interface {
	handling.Producer
	handling.Settler
}

func newMeasured(producer settling, metrics *Metrics) *measured {
	m := &measured{producer: producer, metrics: metrics}
	m.timings.New = func() any {
		t := &timing{of: m}
		t.finish = t.done
		return t
	}
	return m
}

// Produce implements the handler's Producer.
func (m *measured) Produce(ctx context.Context, message kafka.Message, done func(client.Produced, error)) {
	m.producer.Produce(ctx, message, m.timed(done))
}

// ProduceSettled implements the handler's Settler.
func (m *measured) ProduceSettled(
	ctx context.Context, message kafka.Message, done, settled func(client.Produced, error),
) {
	m.producer.ProduceSettled(ctx, message, m.timed(done), settled)
}

// timed is done, and counts.
func (m *measured) timed(done func(client.Produced, error)) func(client.Produced, error) {
	t := m.timings.Get().(*timing) //nolint:forcetypeassert // nothing else is in it
	t.begin, t.next = time.Now(), done
	return t.finish
}

// timing is one message's. finish is done, bound once.
type timing struct {
	of     *measured
	begin  time.Time
	next   func(client.Produced, error)
	finish func(client.Produced, error)
}

func (t *timing) done(produced client.Produced, err error) {
	took, next := time.Since(t.begin), t.next
	t.next = nil
	t.of.timings.Put(t)
	t.of.metrics.outcome(took, produced, err)
	next(produced, err)
}
