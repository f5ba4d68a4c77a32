// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// appendTimeout bounds one attempt at one partition: three times what a leader's move takes a healthy cluster (about 2
// s), after which another partition is the better bet.
const appendTimeout = 6 * time.Second

// Published says where messages went.
type Published struct {
	Partition kafka.Partition
	// Offset is the position of the first message, -1 where the brokers do not tell: those of Kafka 0.7 do not.
	Offset int64
}

// producer writes. Its transport is made with the first write.
type producer struct {
	open func(ctx context.Context) (*brokers, error)

	// mu protects what follows. It is never held while waiting for brokers.
	mu      sync.Mutex
	brokers *brokers
	closed  bool
}

func (p *producer) transport(ctx context.Context) (kafka.Transport, error) {
	p.mu.Lock()
	known := p.brokers
	p.mu.Unlock()
	if known != nil && !known.outdated() {
		return known.Transport, nil
	}
	opened, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	return p.keep(opened)
}

// keep keeps the first transport of those that several callers may have opened at once.
func (p *producer) keep(opened *brokers) (kafka.Transport, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		opened.close()
		return nil, ErrClosed
	case p.brokers != nil && !p.brokers.outdated():
		opened.close()
	case p.brokers != nil:
		p.brokers.close()
		p.brokers = opened
	default:
		p.brokers = opened
	}
	return p.brokers.Transport, nil
}

func (p *producer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.brokers != nil {
		p.brokers.close()
		p.brokers = nil
	}
}

// publish tries the partitions in turn until one takes the messages.
func (p *producer) publish(
	ctx context.Context, order []kafka.Partition, messages []kafka.Message,
) (Published, error) {
	transport, err := p.transport(ctx)
	if err != nil {
		return Published{}, fmt.Errorf("publish: %w", err)
	}
	var failures []error
	for _, partition := range order {
		offset, err := p.append(ctx, transport, partition, messages)
		if err == nil {
			return Published{Partition: partition, Offset: offset}, nil
		}
		failures = append(failures, err)
		if errors.Is(err, kafka.ErrUnfit) { // of the tries before it is no less unknown what they wrote
			return Published{}, fmt.Errorf("publish: %w", errors.Join(failures...))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return Published{}, fmt.Errorf("publish: no partition took the messages: %w", errors.Join(failures...))
}

func (p *producer) append(
	ctx context.Context, transport kafka.Transport, partition kafka.Partition, messages []kafka.Message,
) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	return transport.Append(ctx, partition, messages)
}
