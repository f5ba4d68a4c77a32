// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// attemptsPerBroker is how often a call of Publish asks the same broker of Kafka 0.7: a second time, since one that
// has come back shows first by a connection that is dead.
const attemptsPerBroker = 2

// writable are the partitions that messages may be written to, by number, at least one. In Kafka 0.7 a topic need not
// exist, and grows onto a broker by being written to: spread says that partition 0 of any live broker will do.
func (t *Topic) writable(ctx context.Context, dialect layout.Dialect, spread bool) ([]kafka.Partition, error) {
	if err := layout.CheckTopic(t.name); err != nil {
		return nil, fmt.Errorf("topic: the name %w", err)
	}
	partitions, err := t.Partitions(ctx)
	if dialect != layout.Kafka07 {
		if err == nil && len(partitions) == 0 {
			err = fmt.Errorf("topic %s has no partitions: %w", t.name, ErrNoTopic)
		}
		return partitions, err
	}
	if err != nil && !errors.Is(err, ErrNoTopic) {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	if err := t.cluster.directory.wait(bounded); err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	live, _ := t.cluster.directory.reachable()
	if len(live) == 0 { // gone since
		return nil, fmt.Errorf("publish: %w", ErrNoBrokers)
	}
	return writable07(t.name, partitions, live, spread), nil
}

// writable07 are the registered partitions of live brokers, and partition 0 of the live brokers that have none: of
// those if it may be spread, or there are no others.
func writable07(topic string, registered []kafka.Partition, live map[string]Broker, spread bool) []kafka.Partition {
	var writable []kafka.Partition
	has := map[string]bool{}
	for _, partition := range registered {
		broker, _ := split07(partition)
		if _, lives := live[broker]; lives {
			has[broker] = true
			writable = append(writable, partition)
		}
	}
	if spread || len(writable) == 0 {
		for id := range live {
			if !has[id] {
				writable = append(writable, kafka.Partition{Topic: topic, ID: id + "-0"})
			}
		}
	}
	slices.SortFunc(writable, compare07)
	return writable
}

// split07 gives the broker and the number of a partition of Kafka 0.7.
func split07(partition kafka.Partition) (broker, number string) {
	broker, number, _ = strings.Cut(partition.ID, "-")
	return broker, number
}

// compare07 is the order in which Kafka 0.7's own producer counts partitions: by broker, then by number, as numbers.
// Groups share them out in the order of their names.
func compare07(a, b kafka.Partition) int {
	brokerA, numberA := split07(a)
	brokerB, numberB := split07(b)
	return cmp.Or(compareNumbers(brokerA, brokerB), compareNumbers(numberA, numberB))
}

// compareNumbers puts 2 before 10: ids are numbers, and shorter ones are smaller.
func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// brokersInTurn is what to try of an order: the first partition of each broker, then a second one, if it has one.
// What one partition of a broker does not take, another one does not take either.
func brokersInTurn(order []kafka.Partition) []kafka.Partition {
	var brokers []string
	of := map[string][]kafka.Partition{}
	for _, partition := range order {
		broker, _ := split07(partition)
		if of[broker] == nil {
			brokers = append(brokers, broker)
		}
		of[broker] = append(of[broker], partition)
	}
	turns := make([]kafka.Partition, 0, len(brokers)*attemptsPerBroker)
	for round := range attemptsPerBroker {
		for _, broker := range brokers {
			turns = append(turns, of[broker][round%len(of[broker])])
		}
	}
	return turns
}
