// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// cluster is what the commands need of a Kafka cluster, however it is known.
type cluster interface {
	// brokers are the live ones, by number.
	brokers(ctx context.Context) ([]broker, error)
	// topics are the names of all topics that are not Kafka's own, sorted.
	topics(ctx context.Context) ([]string, error)
	// partitions are those of a topic, in order. That the topic does not exist is an error.
	partitions(ctx context.Context, topic string) ([]kafka.Partition, error)
	// groups are all consumer groups, by name.
	groups(ctx context.Context) ([]groupSummary, error)
	// group is one of them, with the partitions of the topics; of all topics that it has to do with where there are none.
	// That there is no such group is an error.
	group(ctx context.Context, name string, topics []string) (groupView, error)
	// transport reads partitions and finds positions. It is the cluster's, and closed with it.
	transport(ctx context.Context) (kafka.Transport, error)
	// publisher writes to a topic.
	publisher(topic string, choice partitioning) publisher
	// subscribe joins a group and delivers its messages until ctx ends, or enough were delivered; then it commits and
	// leaves.
	subscribe(ctx context.Context, s subscription) error
	close() error
}

// publisher writes messages: those of one call to one partition, in order.
type publisher interface {
	publish(ctx context.Context, messages []kafka.Message) (kafka.Partition, error)
}

// subscription is what subscribe is asked for.
type subscription struct {
	group  string
	topics []string
	// start is where a group that never was begins.
	start kafka.Place
	// count ends it after so many messages; 0 does not.
	count int
	// deliver takes a message. It counts as acknowledged if that returns nil; otherwise the subscription ends.
	deliver func(kafka.Message) error
	// warn is told of what stands in the way of a partition, or of all, for now.
	warn func(error)
}

// The units of positions.
const (
	unitMessages = "messages"
	unitBytes    = "bytes"
)

// The kinds of Kafka, as brokers say it.
const (
	kafka07     = "0.7"
	kafkaModern = "0.8+"
)

type broker struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Kafka   string `json:"kafka"`
}

type groupSummary struct {
	Name    string `json:"name"`
	Members number `json:"members"`
}

type groupView struct {
	Name       string           `json:"name"`
	Members    []groupMember    `json:"members"`
	Partitions []groupPartition `json:"partitions"`
	// Missing are topics that do not exist.
	Missing []string `json:"missing"`
	// Problems are what cannot be read or understood.
	Problems []string `json:"problems"`
}

type groupMember struct {
	ID string `json:"id"`
	// Name is what stays the same when the member is started again.
	Name   string   `json:"name"`
	State  string   `json:"state"`
	Topics []string `json:"topics"`
}

type groupPartition struct {
	Topic     string `json:"topic"`
	ID        string `json:"partition"`
	Owner     string `json:"owner"`
	Committed number `json:"committed"`
	Earliest  number `json:"earliest"`
	End       number `json:"end"`
	Lag       number `json:"lag"`
	Unit      string `json:"unit"`
}

// lag is from the committed position to the end; from the start where that is later, or nothing is committed.
func lag(committed, earliest, end number) number {
	if earliest < 0 || end < 0 {
		return unknown
	}
	return max(end-max(committed, earliest), 0)
}

// unitOf gives the unit of the brokers' positions.
func unitOf(brokers []broker) string {
	for _, b := range brokers {
		if b.Kafka == kafka07 {
			return unitBytes
		}
	}
	return unitMessages
}
