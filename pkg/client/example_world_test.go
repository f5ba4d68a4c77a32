// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// kafkaWith is a Kafka 0.7 of two brokers for an example, in this process, with topics of two partitions on each.
func kafkaWith(topics ...string) (ctx context.Context, zookeeper string, stop func()) {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // examples have no context of their own
	config := world.Config{Era: world.Era07, Tick: tick, Brokers: 2, Topics: map[string]int32{}}
	for _, topic := range topics {
		config.Topics[topic] = 4
	}
	w, err := world.Start(ctx, config)
	check(err)
	return ctx, w.Connect(), func() {
		cancel()
		check(w.Close())
	}
}

// check ends an example that cannot go on.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
