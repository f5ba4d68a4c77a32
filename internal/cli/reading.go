// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// errEnough ends reading once as many messages were delivered as were asked for.
var errEnough = errors.New("enough")

// reading reads partitions without a group: nothing is claimed or committed.
type reading struct {
	cluster cluster
	deliver func(kafka.Message) error
	warn    func(error)
	count   int
}

// run reads a topic until ctx ends, or enough was delivered. Finding the place to begin may take as long as within
// says.
func (r *reading) run(ctx context.Context, topic string, from begin, within time.Duration) error {
	transport, start, err := r.find(ctx, topic, from, within)
	if err != nil {
		return err
	}
	transport.Add(start)
	for ctx.Err() == nil {
		for _, fetch := range transport.Poll(ctx) {
			if err := r.take(fetch); err != nil {
				if errors.Is(err, errEnough) {
					return nil
				}
				return err
			}
			if fetch.Stopped {
				return fmt.Errorf("%s: %w", fetch.Partition, fetch.Err)
			}
		}
	}
	return nil
}

// find gives the positions to begin at.
func (r *reading) find(
	ctx context.Context, topic string, from begin, within time.Duration,
) (kafka.Transport, positions, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	partitions, err := r.cluster.partitions(ctx, topic)
	if err != nil {
		return nil, nil, err
	}
	if len(partitions) == 0 {
		return nil, nil, fmt.Errorf("topic %s has no partitions: none of its brokers lives", topic)
	}
	transport, err := r.cluster.transport(ctx)
	if err != nil {
		return nil, nil, err
	}
	if from.place == nil {
		start, err := from.in(topic, partitions)
		return transport, start, err
	}
	start, err := transport.Positions(ctx, partitions, *from.place)
	return transport, start, err
}

// take delivers what came of one partition. A position that is not in the log is where the reading ends: what to do
// about it, whoever gave it has to say.
func (r *reading) take(fetch kafka.Fetch) error {
	defer fetch.Batch.Release() // what was delivered is written
	for i := range fetch.Batch.Len() {
		if err := r.deliver(fetch.Batch.Message(i)); err != nil {
			return err
		}
		if r.count--; r.count == 0 {
			return errEnough
		}
	}
	outside := (*kafka.OutOfRange)(nil)
	switch {
	case errors.As(fetch.Err, &outside):
		return outside
	case fetch.Err != nil:
		r.warn(fmt.Errorf("%s: %w", fetch.Partition, fetch.Err))
	}
	return nil
}
