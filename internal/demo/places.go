// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// acknowledged are messages of one partition, with their offsets where the brokers tell.
type acknowledged struct {
	partition kafka.Partition
	offsets   []int64
	values    [][]byte
}

// places says where messages are that were acknowledged. It is safe for concurrent use.
type places func(acknowledged) ([]ledger.Place, error)

// placesIn finds out as the world's Kafka allows. Whoever publishes must be the only one.
func placesIn(w *world.World) places {
	if w.Kafka07 == nil {
		return asTold
	}
	return (&logs{
		stored: w.Kafka07.Stored, behind: map[kafka.Partition]int64{}, open: map[kafka.Partition]kafka.Messages{},
	}).find
}

// asTold is for Kafka as it is today.
func asTold(a acknowledged) ([]ledger.Place, error) {
	list := make([]ledger.Place, len(a.values))
	for i, offset := range a.offsets {
		if offset < 0 {
			return nil, fmt.Errorf("%s: acknowledged without an offset", a.partition)
		}
		list[i].Offset = offset
	}
	return list, nil
}

// logs is for Kafka 0.7, whose brokers do not tell where they put messages: it looks into their logs. So it notices if
// something was acknowledged and is not there. What else is there, of a call that failed, say, stays out of the books:
// delivered, it was never published.
type logs struct {
	stored func(partition kafka.Partition, from int64) (kafka.Messages, error)

	// mu protects what follows.
	mu sync.Mutex
	// behind is the position behind what is known of a partition, and open what of that nobody was told of yet.
	behind map[kafka.Partition]int64
	open   map[kafka.Partition]kafka.Messages
}

// errNotStored says that an acknowledgement was false.
var errNotStored = errors.New("acknowledged, and not what the broker has stored")

func (l *logs) find(a acknowledged) ([]ledger.Place, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stored, err := l.stored(a.partition, l.behind[a.partition])
	if err != nil {
		return nil, err
	}
	open := slices.Concat(l.open[a.partition], stored)
	if len(stored) > 0 {
		l.behind[a.partition] = stored[len(stored)-1].Next
	}
	list := make([]ledger.Place, len(a.values))
	for i, value := range a.values {
		at := slices.IndexFunc(open, func(m kafka.Message) bool { return bytes.Equal(m.Value, value) })
		if at < 0 {
			return nil, fmt.Errorf("%s: %w: message %d of %d", a.partition, errNotStored, i+1, len(a.values))
		}
		list[i] = ledger.PlaceOf(open[at])
		open = slices.Delete(open, at, at+1)
	}
	l.open[a.partition] = open
	return list, nil
}

// inTopic counts the messages that are in a topic.
func inTopic(w *world.World, partitions []kafka.Partition) (count int, err error) {
	for _, partition := range partitions {
		if w.Kafka07 == nil {
			count += int(max(0, w.Brokers().End(partition))) // nothing is ever removed here
			continue
		}
		stored, failure := w.Kafka07.Stored(partition, 0)
		count, err = count+len(stored), errors.Join(err, failure)
	}
	return count, err
}
