// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"fmt"
	"slices"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// Stored are the messages that a partition has from a position on, out of the broker's memory: visible or not. The
// position must be that of a message, or the end.
func (c *Cluster) Stored(partition kafka.Partition, from int64) (kafka.Messages, error) {
	broker, number, err := c.find(partition)
	if err != nil {
		return nil, err
	}
	var stored kafka.Messages
	for _, segment := range broker.Segments(partition.Topic, number) {
		end := segment.Start + int64(len(segment.Data))
		if end <= from {
			continue
		}
		begin := max(from, segment.Start)
		var it protocol.Iterator
		for it.Reset(segment.Data[begin-segment.Start:], begin); it.Next(); {
			m := it.Message()
			stored = append(stored, kafka.Message{
				Partition: partition, Offset: m.Offset, Index: m.Index, Next: m.Next, Value: slices.Clone(m.Payload),
			})
		}
		if err := it.Err(); err != nil {
			return stored, fmt.Errorf("%s: %w", partition, err)
		}
	}
	return stored, nil
}
