// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// place is where a partition is: on which broker, and which of its numbers.
type place struct {
	broker string
	number int32
}

// placeOf reads a partition's name. The error says what is wrong with it, or with its topic's.
func placeOf(partition kafka.Partition) (place, error) {
	broker, digits, found := strings.Cut(partition.ID, "-")
	number, err := strconv.ParseInt(digits, 10, 32)
	if !found || broker == "" || err != nil || number < 0 || strconv.FormatInt(number, 10) != digits {
		return place{}, fmt.Errorf("%s: partition id %q is not <broker>-<number>", partition, partition.ID)
	}
	if err := protocol.CheckTopic(partition.Topic); err != nil {
		return place{}, fmt.Errorf("%s: %w", partition, err)
	}
	return place{broker: broker, number: int32(number)}, nil
}
