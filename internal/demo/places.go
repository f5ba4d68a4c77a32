// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// places says where the messages of a call are that was acknowledged.
type places func(published client.Published, values [][]byte) ([]ledger.Place, error)

// placesIn finds out as the world's Kafka allows. Whoever publishes must be the only one.
func placesIn(w *world.World) places {
	if w.Kafka07 == nil {
		return consecutive
	}
	return (&logs{stored: w.Kafka07.Stored, behind: map[kafka.Partition]int64{}}).find
}

// consecutive is for Kafka as it is today, whose positions count messages.
func consecutive(published client.Published, values [][]byte) ([]ledger.Place, error) {
	list := make([]ledger.Place, len(values))
	for i := range list {
		list[i].Offset = published.Offset + int64(i)
	}
	return list, nil
}

// logs is for Kafka 0.7, whose brokers do not tell where they put messages: it looks into their logs. So it notices if
// something was acknowledged and is not there. What else is there, of a call that failed, say, stays out of the books:
// delivered, it was never published.
type logs struct {
	stored func(partition kafka.Partition, from int64) (kafka.Messages, error)
	// behind is the position behind what is known of a partition.
	behind map[kafka.Partition]int64
}

// errNotStored says that an acknowledgement was false.
var errNotStored = errors.New("acknowledged, and not what the broker has stored")

func (l *logs) find(published client.Published, values [][]byte) ([]ledger.Place, error) {
	partition := published.Partition
	stored, err := l.stored(partition, l.behind[partition])
	if err != nil {
		return nil, err
	}
	if len(stored) > 0 {
		l.behind[partition] = stored[len(stored)-1].Next
	}
	if len(stored) < len(values) {
		return nil, fmt.Errorf("%s: %w: %d messages, of %d", partition, errNotStored, len(stored), len(values))
	}
	list := make([]ledger.Place, len(values))
	for i, m := range stored[len(stored)-len(values):] {
		if !bytes.Equal(m.Value, values[i]) {
			return nil, fmt.Errorf("%s: %w: message %s is another", partition, errNotStored, m.ID())
		}
		list[i] = ledger.PlaceOf(m)
	}
	return list, nil
}
