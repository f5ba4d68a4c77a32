// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// View is a cluster as one of its brokers described it.
type View struct {
	// ClusterID is what it calls itself, empty before Kafka 0.10.1.
	ClusterID string
	// Brokers are the addresses host:port of the live ones, by their numbers.
	Brokers map[string]string
	// Topics are those asked for, each with what is known of it.
	Topics map[string]Topic
}

// Topic is one topic.
type Topic struct {
	// ID tells it from another of the same name, made later; zero before Kafka 2.8.
	ID [16]byte
	// Partitions are their numbers, in no order.
	Partitions []int32
	// Err is why nothing is known of it; ErrNoTopic where it does not exist.
	Err error
}

// ErrNoTopic says that a topic does not exist, as far as the broker knows that was asked.
var ErrNoTopic = errors.New("the topic does not exist")

// errEmpty says that a broker knows no broker, not even itself.
var errEmpty = errors.New("it knows of no broker yet")

// viewOf reads an answer. Topics that were asked for and are not in it do not exist.
func viewOf(answer *kmsg.MetadataResponse, asked []string) (View, error) {
	view := View{
		Brokers: make(map[string]string, len(answer.Brokers)), Topics: make(map[string]Topic, len(answer.Topics)),
	}
	if answer.ClusterID != nil {
		view.ClusterID = *answer.ClusterID
	}
	for _, broker := range answer.Brokers {
		address := net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
		view.Brokers[strconv.Itoa(int(broker.NodeID))] = address
	}
	if len(view.Brokers) == 0 { // one that has just started
		return View{}, errEmpty
	}
	for i := range answer.Topics {
		if name := answer.Topics[i].Topic; name != nil {
			view.Topics[*name] = topicOf(&answer.Topics[i])
		}
	}
	for _, name := range asked {
		if _, told := view.Topics[name]; !told {
			view.Topics[name] = Topic{Err: ErrNoTopic}
		}
	}
	return view, nil
}

func topicOf(told *kmsg.MetadataResponseTopic) Topic {
	topic := Topic{ID: told.TopicID, Partitions: make([]int32, 0, len(told.Partitions))}
	for i := range told.Partitions {
		topic.Partitions = append(topic.Partitions, told.Partitions[i].Partition)
	}
	switch err := kerr.ErrorForCode(told.ErrorCode); {
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.InvalidTopicException):
		topic.Err = ErrNoTopic
	case len(topic.Partitions) > 0: // leaders that are missing are the business of who needs them
	case err != nil:
		topic.Err = fmt.Errorf("the brokers do not tell its partitions: %w", err)
	default:
		topic.Err = ErrNoTopic
	}
	return topic
}
