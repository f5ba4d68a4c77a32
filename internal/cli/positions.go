// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// positions are where a place is in each partition; those that the brokers did not tell are missing.
type positions map[kafka.Partition]int64

// at gives one, unknown if it is missing.
func at(known positions, p kafka.Partition) number {
	if position, ok := known[p]; ok {
		return number(position)
	}
	return unknown
}

// bounds asks the brokers where logs begin and end. What they tell is there, also where the error says that it is not
// all. A log that was emptied between the two questions ends where it begins.
func bounds(ctx context.Context, c cluster, partitions []kafka.Partition) (earliest, ends positions, err error) {
	if len(partitions) == 0 {
		return nil, nil, nil
	}
	transport, err := c.transport(ctx)
	if err != nil {
		return nil, nil, err
	}
	var asking sync.WaitGroup
	var errEarliest, errEnds error
	asking.Go(func() { earliest, errEarliest = transport.Positions(ctx, partitions, kafka.Earliest()) })
	asking.Go(func() { ends, errEnds = transport.Positions(ctx, partitions, kafka.Latest()) })
	asking.Wait()
	for p, end := range ends {
		ends[p] = max(end, earliest[p])
	}
	if err := errors.Join(errEarliest, errEnds); err != nil {
		return earliest, ends, fmt.Errorf("not all positions are known: %w", err)
	}
	return earliest, ends, nil
}
