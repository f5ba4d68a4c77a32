// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// appending leads a producer to brokers older than Kafka 0.11 by a transport's Append, a call for each partition at a
// time: they do not recognize what is repeated, so what may have been written is lost to it.
type appending struct {
	topic   *Topic
	brokers *brokers
	// writer tells where partitions are, except in Kafka 0.7.
	writer *wire.Writer
}

// Topology implements dispatch.Outlet.
func (a *appending) Topology(ctx context.Context) (dispatch.Topology, error) {
	if a.writer != nil {
		topology, err := a.writer.Topology(ctx)
		topology.Repeatable = false
		return topology, err
	}
	partitions, err := a.topic.writable(ctx, layout.Kafka07, true)
	if err != nil {
		return dispatch.Topology{}, err
	}
	places := make([]dispatch.Place, len(partitions))
	for i, partition := range partitions {
		broker, _ := split07(partition)
		places[i] = dispatch.Place{ID: partition.ID, Broker: broker}
	}
	return dispatch.Topology{Places: places}, nil
}

// Send implements dispatch.Outlet.
func (a *appending) Send(ctx context.Context, _ string, batches []*dispatch.Batch) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	var sending sync.WaitGroup
	for _, batch := range batches[1:] {
		sending.Go(func() { a.send(ctx, batch) })
	}
	a.send(ctx, batches[0])
	sending.Wait()
}

func (a *appending) send(ctx context.Context, batch *dispatch.Batch) {
	if !batch.Load() {
		return
	}
	messages := make([]kafka.Message, len(batch.Items))
	for i, item := range batch.Items {
		messages[i] = copied(item.Message) // Append may go on with them when nobody waits any more
	}
	batch.Loaded()
	if !batch.Begin() {
		return
	}
	offset, err := a.brokers.Append(ctx, kafka.Partition{Topic: a.topic.name, ID: batch.Partition}, messages)
	if err == nil {
		batch.Accept(offset, -1)
		return
	}
	refused, certain := errors.AsType[*kafka.Refused](err)
	switch {
	case !certain:
		batch.Judge(dispatch.Lost, err)
	case errors.Is(err, kafka.ErrUnfit), wire.RefusesContent(err):
		batch.Judge(dispatch.Unfit, unfit(refused.Err))
	default:
		batch.Judge(dispatch.Retry, refused.Err)
	}
}

// copied is a message in memory of its own.
func copied(m kafka.Message) kafka.Message {
	m.Key, m.Value = bytes.Clone(m.Key), bytes.Clone(m.Value)
	m.Headers = slices.Clone(m.Headers)
	for i := range m.Headers {
		m.Headers[i].Value = bytes.Clone(m.Headers[i].Value)
	}
	return m
}

// unfit says of an error that it is the message's fault.
func unfit(err error) error {
	if errors.Is(err, kafka.ErrUnfit) {
		return err
	}
	return errors.Join(kafka.ErrUnfit, err)
}

// GiveUp implements dispatch.Outlet: there is nothing to forget.
func (*appending) GiveUp(string) {}

// Close implements dispatch.Outlet.
func (a *appending) Close() {
	a.brokers.Close()
	if a.writer != nil {
		a.writer.Close()
	}
}
