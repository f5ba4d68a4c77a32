// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// MaxPartitions07 bounds the partitions of one topic of Kafka 0.7, where a node of a few bytes stands for as many as it
// says. Whoever looks at a group lists the claims on a topic in one answer, each with its length (4 bytes) and a name
// ("2147483647-32767": 16), and 32,768 of those take 640 KiB of the 1 MiB that clients of ZooKeeper take by default.
// Every partition is a directory of its broker, so real topics stay far below.
const MaxPartitions07 = 1 << 15

// ErrTooManyPartitions says that a broker's partitions are left out: with those of the other brokers they are more than
// a topic may have.
var ErrTooManyPartitions = fmt.Errorf(
	"with those of other brokers these are more than the %d partitions a topic may have", MaxPartitions07)

// halfMade is what Kafka 0.8 makes below the node of a topic, so that it is none of Kafka 0.7.
const halfMade = "partitions"

// TopicBroker is the path of a broker's registration for a topic in Kafka 0.7.
func TopicBroker(topic, broker string) string { return Topic(topic) + "/" + broker }

// BrokerOf gives the broker that has a partition of Kafka 0.7. It reports false for a partition of a later Kafka, whose
// id is a number alone.
func BrokerOf(p kafka.Partition) (broker string, ok bool) {
	broker, _, ok = strings.Cut(p.ID, "-")
	return broker, ok
}

// CheckTopic07 says why the children of a topic's node that holds no data cannot be brokers of Kafka 0.7 that have the
// topic; nil if they can.
func CheckTopic07(children []string) error {
	switch {
	case slices.Contains(children, halfMade):
		return errors.New("the node is empty, and has partitions below it: a topic of Kafka 0.8 or later, half made")
	case len(children) > MaxPartitions07:
		return fmt.Errorf("%d brokers, more than the %d partitions a topic may have", len(children), MaxPartitions07)
	}
	return nil
}

// DecodeTopic07 reads how many partitions of a topic a broker of Kafka 0.7 has, of which Partitions07 are the names.
func DecodeTopic07(broker string, data []byte) (count int, err error) {
	if id, err := strconv.ParseInt(broker, 10, 32); err != nil || id < 0 || strconv.FormatInt(id, 10) != broker {
		return 0, fmt.Errorf("broker %s is not a number between 0 and %d", quote([]byte(broker)), math.MaxInt32)
	}
	if len(data) == 0 {
		return 0, errors.New("the node is empty; want the number of partitions")
	}
	many, err := strconv.ParseUint(string(data[:min(len(data), maxNode)]), 10, 64)
	if errors.Is(err, strconv.ErrSyntax) || err == nil && many == 0 {
		return 0, fmt.Errorf("%s is not a number of partitions", quote(data))
	}
	if err != nil || many > MaxPartitions07 {
		return 0, fmt.Errorf("%s partitions, more than the %d a topic may have", quote(data), MaxPartitions07)
	}
	return int(many), nil
}

// Partitions07 appends the partitions that a broker of Kafka 0.7 has of a topic: <broker>-<number>, from 0.
func Partitions07(to []kafka.Partition, topic, broker string, count int) []kafka.Partition {
	to = slices.Grow(to, count)
	for i := range count {
		to = append(to, kafka.Partition{Topic: topic, ID: broker + "-" + strconv.Itoa(i)})
	}
	return to
}
