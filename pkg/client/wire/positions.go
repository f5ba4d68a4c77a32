// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// The words for places in Kafka's ListOffsets request; other values are times in milliseconds.
const (
	listLatest   = -1
	listEarliest = -2
)

// Who asks: a consumer, who may know what all replicas in sync have, or Kafka's own tool that looks at replicas, who
// may know all.
const (
	listConsumer = -1
	listDebugger = -2
)

// errNoAnswer says that a broker left a partition out of its answer.
var errNoAnswer = errors.New("the broker's answer does not mention it")

// Positions implements kafka.Transport. A place by time is resolved by brokers from Kafka 0.10.1 on; older ones know
// times only by the file, and give a position at or before the place. Safe for concurrent use.
func (t *Transport) Positions(
	ctx context.Context, partitions []kafka.Partition, place kafka.Place,
) (map[kafka.Partition]int64, error) {
	if place.IsWritten() {
		return t.written(ctx, partitions)
	}
	at := int64(listEarliest)
	if place.IsLatest() {
		at = listLatest
	}
	since, byTime := place.Time()
	if byTime {
		at = max(since.UnixMilli(), 0)
	}
	asked := newListing(partitions)
	t.list(ctx, asked, at)
	if byTime {
		t.fillByTime(ctx, asked)
	}
	return asked.found, asked.err()
}

// fillByTime resolves what has no message at or after the time: such a place is the end, or with old brokers the start.
func (t *Transport) fillByTime(ctx context.Context, asked *listing) {
	for _, instead := range []struct {
		at         int64
		partitions []kafka.Partition
	}{{listLatest, asked.beyond}, {listEarliest, asked.before}} {
		if len(instead.partitions) == 0 {
			continue
		}
		rest := newListing(instead.partitions)
		t.list(ctx, rest, instead.at)
		for partition, position := range rest.found {
			asked.found[partition] = position
			delete(asked.open, partition)
		}
		maps.Copy(asked.open, rest.open)
	}
}

// written resolves kafka.Written. What not all replicas have yet a broker tells only to one that it takes for a
// replica, and then it does so whether it leads or not: so it has to show that it does, as it tells consumers, before
// and after.
func (t *Transport) written(ctx context.Context, partitions []kafka.Partition) (map[kafka.Partition]int64, error) {
	var asked *listing
	found := make(map[kafka.Partition]int64, len(partitions))
	for _, hidden := range []bool{false, true, false} {
		asked = newListing(partitions)
		asked.hidden = hidden
		t.list(ctx, asked, listLatest)
		if err := asked.err(); err != nil {
			return nil, err
		}
		for partition, position := range asked.found {
			found[partition] = max(found[partition], position)
		}
	}
	return found, nil
}

// listing is a question for positions with what is known of the answer.
type listing struct {
	// hidden asks for what consumers cannot read yet, too.
	hidden bool
	found  map[kafka.Partition]int64
	// open are partitions not resolved, and why.
	open map[kafka.Partition]error
	// beyond have no message at or after the time, before have none at or before it (brokers before 0.10.1).
	beyond, before []kafka.Partition
}

func newListing(partitions []kafka.Partition) *listing {
	l := &listing{
		found: make(map[kafka.Partition]int64, len(partitions)),
		open:  make(map[kafka.Partition]error),
	}
	for _, partition := range partitions {
		l.open[partition] = errNoAnswer
	}
	return l
}

// numbers are the partitions still to be asked for: with the first try all, later those whose failure may pass.
func (l *listing) numbers(try int) numbers {
	open := make(numbers, len(l.open))
	for partition, before := range l.open {
		if try > 1 && !passes(before) {
			continue
		}
		c, err := newCursor(partition, 0)
		if err != nil {
			l.open[partition] = err
			continue
		}
		open[partition] = c.number
	}
	return open
}

// mayPass says whether another try is worth while.
func (l *listing) mayPass() bool {
	for _, err := range l.open {
		if passes(err) {
			return true
		}
	}
	return false
}

// read takes one broker's answer.
func (l *listing) read(answer *kmsg.ListOffsetsResponse, at int64) {
	for i := range answer.Topics {
		for j := range answer.Topics[i].Partitions {
			p := &answer.Topics[i].Partitions[j]
			partition := kafka.Partition{Topic: answer.Topics[i].Topic, ID: strconv.Itoa(int(p.Partition))}
			if _, isOpen := l.open[partition]; isOpen {
				l.readPartition(partition, p, answer.Version, at)
			}
		}
	}
}

func (l *listing) readPartition(
	partition kafka.Partition, p *kmsg.ListOffsetsResponseTopicPartition, version int16, at int64,
) {
	offset := p.Offset
	if version == 0 {
		offset = -1
		if len(p.OldStyleOffsets) > 0 {
			offset = p.OldStyleOffsets[0]
		}
	}
	err := kerr.ErrorForCode(p.ErrorCode)
	switch {
	case err != nil:
		l.open[partition] = err
	case offset >= 0:
		l.found[partition] = offset
		delete(l.open, partition)
	case at < 0:
		l.open[partition] = fmt.Errorf("the broker gave %d as a position", offset)
	case version == 0:
		l.before = append(l.before, partition)
	default:
		l.beyond = append(l.beyond, partition)
	}
}

// failAll notes why a part of the question was not answered.
func (l *listing) failAll(partitions numbers, err error) {
	for partition := range partitions {
		if _, isOpen := l.open[partition]; isOpen {
			l.open[partition] = err
		}
	}
}

// err names the partitions not resolved; those with the same error share a line.
func (l *listing) err() error {
	return byPartition(l.open)
}
