// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"sync"

	"github.com/samsa-dev/samsa/pkg/client"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// measured is a producer whose messages are counted.
type measured struct {
	producer settling
	metrics  *Metrics
	// counts are used again: one for each message would be garbage by the thousand.
	counts sync.Pool
}

// settling is a producer that says later what became of messages.
type settling interface {
	handling.Producer
	handling.Settler
}

func newMeasured(producer settling, metrics *Metrics) *measured {
	m := &measured{producer: producer, metrics: metrics}
	m.counts.New = func() any {
		c := &count{of: m}
		c.finish = c.done
		return c
	}
	return m
}

// Produce implements the handler's Producer.
func (m *measured) Produce(ctx context.Context, message kafka.Message, done func(client.Produced, error)) {
	m.producer.Produce(ctx, message, m.counted(done))
}

// ProduceSettled implements the handler's Settler.
func (m *measured) ProduceSettled(
	ctx context.Context, message kafka.Message, done, settled func(client.Produced, error),
) {
	m.producer.ProduceSettled(ctx, message, m.counted(done), settled)
}

// counted is done, and counts.
func (m *measured) counted(done func(client.Produced, error)) func(client.Produced, error) {
	c := m.counts.Get().(*count) //nolint:forcetypeassert // nothing else is in it
	c.next = done
	return c.finish
}

// count is one message's. finish is done, bound once.
type count struct {
	of     *measured
	next   func(client.Produced, error)
	finish func(client.Produced, error)
}

func (c *count) done(produced client.Produced, err error) {
	next := c.next
	c.next = nil
	c.of.counts.Put(c)
	c.of.metrics.outcome(produced, err)
	next(produced, err)
}
