// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"

	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// brokers is a transport that follows the cluster's brokers until it is closed.
type brokers struct {
	kafka.Transport
	directory directory
	set       func(addresses []string)
}

// openTransport makes a transport to the brokers, waiting for them to be known. Which kind is decided by what they
// registered: for now there is one, for Kafka 0.8 and newer.
func (c *Cluster) openTransport(ctx context.Context) (*brokers, error) {
	if err := c.directory.wait(ctx); err != nil {
		return nil, err
	}
	transport, err := wire.Open(wire.Config{
		Brokers: addresses(c.directory.brokers()), TLS: c.config.BrokerTLS, Dial: c.config.Dial,
		Logger: c.logger,
	})
	if err != nil {
		return nil, fmt.Errorf("open transport: %w", err)
	}
	opened := &brokers{Transport: transport, directory: c.directory, set: func(addresses []string) {
		if err := transport.SetBrokers(addresses); err != nil {
			c.logger.Warn("Broker addresses refused", "reason", err)
		}
	}}
	c.directory.mu.Lock()
	c.directory.followers[opened] = struct{}{}
	latest := addresses(c.directory.live) // they may have changed since the transport was made
	c.directory.mu.Unlock()
	opened.set(latest)
	return opened, nil
}

func (b *brokers) close() {
	b.directory.mu.Lock()
	delete(b.directory.followers, b)
	b.directory.mu.Unlock()
	b.Close()
}
