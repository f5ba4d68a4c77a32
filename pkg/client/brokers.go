// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"sync"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// brokers is a transport that follows the cluster's brokers until it is closed.
type brokers struct {
	kafka.Transport
	cluster *Cluster
	// dialect is which Kafka the transport is for.
	dialect layout.Dialect
	// release is how it speaks to them.
	release wire.Release
	set     func(live map[string]Broker) error
	// following is held from asking who is live to telling the transport, or older news could come after newer.
	following sync.Mutex
}

// openTransport makes a transport to the brokers, waiting for them to be known. Which kind is decided by what they
// registered.
func (c *Cluster) openTransport(ctx context.Context) (*brokers, error) {
	return c.openTransportWith(ctx, c.config.Compression)
}

// openTransportWith is openTransport for what is written with another compression.
func (c *Cluster) openTransportWith(ctx context.Context, compression kafka.Compression) (*brokers, error) {
	if err := c.directory.wait(ctx); err != nil {
		return nil, err
	}
	live, dialect := c.directory.reachable()
	opened, err := c.transportOf(dialect, live, compression)
	if err != nil {
		return nil, fmt.Errorf("open transport: %w", err)
	}
	c.directory.keep(opened)
	return opened, nil
}

// keep tells a follower the live brokers from now on.
func (d directory) keep(follower *brokers) {
	d.mu.Lock()
	d.followers[follower] = struct{}{}
	d.mu.Unlock()
	follower.follow() // they may have changed since it was made
}

func (c *Cluster) transportOf(
	dialect layout.Dialect, live map[string]Broker, compression kafka.Compression,
) (*brokers, error) {
	if dialect == layout.Kafka07 {
		return c.transport07(live, compression)
	}
	config := c.wireConfig(addresses(live))
	config.Compression = compression
	config.Release = oldest(live)
	transport, err := wire.Open(config)
	if err != nil {
		return nil, err
	}
	set := func(live map[string]Broker) error { return transport.SetBrokers(addresses(live)) }
	return &brokers{
		Transport: transport, cluster: c, dialect: dialect, release: config.Release, set: set,
	}, nil
}

func (c *Cluster) transport07(live map[string]Broker, compression kafka.Compression) (*brokers, error) {
	transport, err := wire07.Open(wire07.Config{
		Brokers: addressesByID(live), Dial: c.config.Dial, Logger: c.logger,
		Compression: compression, MaxMessageBytes: c.config.MaxMessageBytes,
	})
	if err != nil {
		return nil, err
	}
	set := func(live map[string]Broker) error { return transport.SetBrokers(addressesByID(live)) }
	return &brokers{Transport: transport, cluster: c, dialect: layout.Kafka07, set: set}, nil
}

func addressesByID(live map[string]Broker) map[string]string {
	byID := make(map[string]string, len(live))
	for id, broker := range live {
		byID[id] = broker.Address
	}
	return byID
}

// follow tells the transport the live brokers, as of now, if it is for their kind.
func (b *brokers) follow() {
	b.following.Lock()
	defer b.following.Unlock()
	live, dialect := b.cluster.directory.reachable()
	if dialect != b.dialect || len(live) == 0 {
		return
	}
	if err := b.set(live); err != nil {
		b.cluster.logger.Warn("Broker addresses refused", "reason", err)
	}
}

// outdated says that the brokers are of another Kafka by now, so that the transport has to be made anew.
func (b *brokers) outdated() bool {
	live, dialect := b.cluster.directory.reachable()
	return dialect != b.dialect || len(live) > 0 && oldest(live) != b.release
}

func (b *brokers) close() {
	b.forget()
	b.Close()
}

// forget makes it follow the cluster no more.
func (b *brokers) forget() {
	b.cluster.directory.mu.Lock()
	delete(b.cluster.directory.followers, b)
	b.cluster.directory.mu.Unlock()
}
