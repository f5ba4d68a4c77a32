// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// groups are scenarios about members that share a topic.
func groups() []scenario {
	return []scenario{
		{"two members share a topic, one leaves", 1, always, shared},
		{"partitions are added under load", 1, always, grown},
		{"lag, as Kafka's own tools see it", 1, always, lags},
	}
}

func shared(ctx context.Context, b *bench) error {
	topic, err := b.topic(ctx, "", 4, nil)
	if err != nil {
		return err
	}
	first, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return err
	}
	second, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return errors.Join(err, first.stop(ctx))
	}
	written := 0
	// Until both have something: it takes the group some time to settle.
	err = b.writeUntil(ctx, topic, 4, &written, func() bool { return len(first.all()) > 0 && len(second.all()) > 0 })
	err = errors.Join(err, first.stop(ctx))
	before := len(second.all())
	if err == nil {
		err = b.writeUntil(ctx, topic, 4, &written, func() bool { return partitionsIn(second.all()[before:]) == 4 })
	}
	all := func() []message { return append(first.all(), second.all()...) }
	if err == nil {
		err = second.await(ctx, "every message", func([]message) bool { return distinct(all()) >= written })
	}
	if err := errors.Join(err, second.stop(ctx)); err != nil {
		return err
	}
	if again := len(all()) - written; again > 0 {
		b.note("%d messages came again when the group changed", again)
	}
	return complete(all(), written)
}

// writeUntil writes a message into each partition again and again.
func (b *bench) writeUntil(
	ctx context.Context, topic string, partitions int32, written *int, enough func() bool,
) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !enough() {
		for partition := range partitions {
			if err := b.write(ctx, values(topic, partition, *written, 1)); err != nil {
				return err
			}
			*written++
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("after %d messages the group is not where it should be: %w", *written, context.Cause(ctx))
		}
	}
	return nil
}

func partitionsIn(all []message) int {
	seen := map[string]bool{}
	for _, m := range all {
		seen[m.Partition] = true
	}
	return len(seen)
}

func grown(ctx context.Context, b *bench) error {
	topic, err := b.topic(ctx, "", 1, nil)
	if err != nil {
		return err
	}
	written := 0
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return err
	}
	err = b.writeUntil(ctx, topic, 1, &written, func() bool { return len(m.all()) > 0 })
	if err == nil {
		err = b.servers.grow(ctx, topic, 3)
	}
	begin := time.Now()
	if err == nil {
		// The first messages of the new partitions are there long before the group knows of these.
		err = b.writeUntil(ctx, topic, 3, &written, func() bool { return partitionsIn(m.all()) == 3 })
	}
	b.note("the new partitions are consumed after %s", round(time.Since(begin)))
	if err == nil {
		err = m.await(ctx, "every message", func(all []message) bool { return distinct(all) >= written })
	}
	if err := errors.Join(err, m.stop(ctx)); err != nil {
		return err
	}
	return complete(m.all(), written)
}
