// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// maxBatch bounds a batch of several messages: Kafka's own default of what a broker takes.
const maxBatch = wire.DefaultMaxMessageBytes

// outlet leads a producer to whatever Kafka the cluster is, which is known once its brokers are.
type outlet struct {
	topic  *Topic
	config ProducerConfig

	// opening holds a token while the way is opened.
	opening chan struct{}
	// mu guards what follows.
	mu  sync.Mutex
	way *way
}

// way is how to reach one Kafka.
type way struct {
	dispatch.Outlet
	follower *brokers
	dialect  layout.Dialect
}

func newOutlet(t *Topic, config ProducerConfig) *outlet {
	return &outlet{topic: t, config: config, opening: make(chan struct{}, 1)}
}

// Topology implements dispatch.Outlet.
func (o *outlet) Topology(ctx context.Context) (dispatch.Topology, error) {
	way, err := o.open(ctx)
	if err != nil {
		if errors.Is(err, ErrClosed) {
			err = fmt.Errorf("%w: %w", dispatch.ErrClosed, err)
		}
		return dispatch.Topology{}, err
	}
	topology, err := way.Topology(ctx)
	topology.Key = func(key []byte, n int) int { return place(way.dialect, key, n) }
	return topology, err
}

// Send implements dispatch.Outlet.
func (o *outlet) Send(ctx context.Context, broker string, batches []*dispatch.Batch) {
	o.current().Send(ctx, broker, batches)
}

// GiveUp implements dispatch.Outlet.
func (o *outlet) GiveUp(partition string) { o.current().GiveUp(partition) }

// Close implements dispatch.Outlet.
func (o *outlet) Close() {
	if way := o.current(); way != nil {
		way.close()
	}
}

// current is not nil once there was a topology.
func (o *outlet) current() *way {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.way
}

// open gives the way to the cluster as it is now.
func (o *outlet) open(ctx context.Context) (*way, error) {
	cluster := o.topic.cluster
	select {
	case o.opening <- struct{}{}:
		defer func() { <-o.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := layout.CheckTopic(o.topic.name); err != nil {
		return nil, fmt.Errorf("%w: the name %w", kafka.ErrNoTopic, err)
	}
	if known := o.current(); known != nil && !known.follower.outdated() {
		return known, nil
	}
	if err := cluster.directory.wait(ctx); err != nil {
		return nil, err
	}
	opened, err := o.make(ctx)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	before := o.way
	o.way = opened
	o.mu.Unlock()
	if before != nil {
		before.close()
	}
	return opened, nil
}

// make opens the way to brokers that are known.
func (o *outlet) make(ctx context.Context) (*way, error) {
	cluster := o.topic.cluster
	live, dialect := cluster.directory.reachable()
	release := oldest(live)
	if dialect == layout.Kafka07 {
		return o.makeAppending(ctx, dialect, nil)
	}
	config := cluster.wireConfig(addresses(live))
	config.Release = release
	writer, err := wire.NewWriter(config, wire.WriterConfig{
		Topic: o.topic.name, Acks: o.config.Acks.replicas(), Compression: o.config.Compression,
		Timeout: o.config.Timeout,
	})
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	recognizes := false
	if release == wire.Negotiated {
		if recognizes, err = writer.Negotiates(ctx); err != nil {
			writer.Close()
			return nil, err
		}
	}
	if !recognizes {
		return o.makeAppending(ctx, dialect, writer)
	}
	set := func(live map[string]Broker) error { return writer.SetBrokers(addresses(live)) }
	follower := &brokers{cluster: cluster, dialect: dialect, release: release, set: set}
	cluster.directory.keep(follower)
	return &way{Outlet: writer, follower: follower, dialect: dialect}, nil
}

// makeAppending opens the way to brokers that do not recognize what is repeated. A writer, if there is one, tells where
// partitions are.
func (o *outlet) makeAppending(ctx context.Context, dialect layout.Dialect, writer *wire.Writer) (*way, error) {
	opened, err := o.topic.cluster.openTransportWith(ctx, o.config.Compression)
	if err != nil {
		if writer != nil {
			writer.Close()
		}
		return nil, err
	}
	return &way{
		Outlet:   &appending{topic: o.topic, brokers: opened, writer: writer},
		follower: opened, dialect: dialect,
	}, nil
}

func (w *way) close() {
	w.follower.forget()
	w.Close()
}

// replicas is how the brokers call it.
func (a Acks) replicas() int16 {
	switch a {
	case AcksLeader:
		return wire.LeaderAlone
	case AcksNone:
		return wire.NoReplica
	case AcksAll:
	}
	return wire.AllReplicas
}
