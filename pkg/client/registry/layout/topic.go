// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// DecodeTopic reads the registration of a topic of Kafka 0.8 or later, whose keys of "partitions" are the partitions.
// They come sorted. Replicas are the brokers' concern: whom to ask for a partition, its leader tells by the brokers'
// own protocol. A topic of Kafka 0.7 has no data: see DecodeTopic07.
func DecodeTopic(topic string, data []byte) ([]kafka.Partition, error) {
	if len(data) == 0 {
		return nil, errors.New("the node is empty: a topic of Kafka 0.7, which its brokers' nodes below it tell")
	}
	var node struct {
		Partitions map[string][]int32 `json:"partitions"`
	}
	if err := decodeJSON(data, &node); err != nil {
		return nil, err
	}
	if len(node.Partitions) == 0 {
		return nil, errors.New("no partitions in it")
	}
	partitions := make([]kafka.Partition, 0, len(node.Partitions))
	for id := range node.Partitions {
		number, err := strconv.ParseInt(id, 10, 32)
		if err != nil || number < 0 || strconv.FormatInt(number, 10) != id {
			return nil, fmt.Errorf("partition %s is not a number between 0 and %d", quote([]byte(id)), math.MaxInt32)
		}
		partitions = append(partitions, kafka.Partition{Topic: topic, ID: id})
	}
	slices.SortFunc(partitions, kafka.Partition.Compare)
	return partitions, nil
}

// ParseOffset reads a committed position: decimal digits, which may have white space around them. Anything else is an
// error, and so is -1: tools of Kafka use it for "none", and no consumer may guess whether that means the start, the
// end or a mistake.
func ParseOffset(data []byte) (int64, error) {
	text := string(bytes.TrimSpace(data[:min(len(data), maxNode)]))
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, notAnOffset(data)
		}
	}
	offset, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, notAnOffset(data)
	}
	return offset, nil
}

func notAnOffset(data []byte) error {
	return fmt.Errorf("%s is not a position: set the node to a decimal number, "+
		"or delete it to start at the earliest message", quote(data))
}
