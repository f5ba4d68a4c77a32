// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"sync"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Positions implements kafka.Transport. Brokers are asked side by side, each over a connection made for it, so that one
// that hangs hides no other's answer for longer than ctx allows, or the 5 s that an answer may take.
//
// Kafka 0.7 knows times only by the file: when a segment of the log was last written to. The position since a time is
// the start of the first segment that was written to since then: messages from before may come, a segment's worth at
// most, and none from then on is missing, as far as the broker's clock and its files' times are right. Safe for
// concurrent use.
func (t *Transport) Positions(
	ctx context.Context, partitions []kafka.Partition, at kafka.Place,
) (map[kafka.Partition]int64, error) {
	ctx, release := t.bind(ctx)
	defer release()
	failures := make(map[kafka.Partition]error)
	surveys := make(map[string]*survey)
	for _, partition := range partitions {
		where, err := placeOf(partition)
		if err != nil {
			failures[partition] = err
			continue
		}
		if surveys[where.broker] == nil {
			surveys[where.broker] = &survey{at: at}
		}
		s := surveys[where.broker]
		s.subjects = append(s.subjects, &subject{partition: partition, number: where.number})
	}
	var asking sync.WaitGroup
	for broker, s := range surveys {
		asking.Go(func() { s.err = s.run(ctx, t, broker) })
	}
	asking.Wait()
	found := make(map[kafka.Partition]int64, len(partitions))
	for _, s := range surveys {
		s.collect(found, failures)
	}
	return found, byPartition(failures)
}
