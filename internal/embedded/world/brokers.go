// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"strconv"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Brokers are what all kinds of Kafka can do. Partitions have the names that the product gives them.
type Brokers interface {
	// Addrs are the brokers' addresses, host:port, by id. They stay the same over StopBroker and StartBroker.
	Addrs() []string
	// CreateTopic creates a topic and returns when it is registered.
	CreateTopic(ctx context.Context, topic string, partitions int32) error
	// StopBroker ends a broker cleanly: it is no longer registered. StartBroker brings it back with all it had.
	StopBroker(id int32) error
	StartBroker(ctx context.Context, id int32) error
	// FreezeBroker makes a broker hang, which stays registered, until ThawBroker.
	FreezeBroker(id int32) error
	ThawBroker(id int32) error
	// Partitions are the names of a topic's partitions in the order of their numbers, whether their brokers live or not.
	Partitions(topic string) []string
	// End is the position behind the last message of a partition that can be read, by the brokers' own books; -1 if there
	// is no such partition.
	End(partition kafka.Partition) int64
	// Close ends all of it, and waits.
	Close()
}

// modern is a cluster of Kafka as it is today.
type modern struct{ *embedkafka.Cluster }

// Partitions implements Brokers.
func (m modern) Partitions(topic string) []string {
	names := make([]string, len(m.Fake().PartitionInfos(topic)))
	for number := range names { // they count from 0, without gaps
		names[number] = strconv.Itoa(number)
	}
	return names
}

// End implements Brokers.
func (m modern) End(partition kafka.Partition) int64 {
	for _, info := range m.Fake().PartitionInfos(partition.Topic) {
		if strconv.Itoa(int(info.Partition)) == partition.ID {
			return info.HighWatermark
		}
	}
	return -1
}
