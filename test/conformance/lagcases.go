// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/realzk"
)

// lagCases are what a lag has to be right in besides what was simply not consumed. A position that retention has
// removed and a compacted log are in history.
func lagCases() []scenario {
	return []scenario{
		{"lag behind the markers of transactions", 1, since("0.11", "there are transactions since 0.11"), lagOfMarkers},
		{"lag of partitions that are new to a group", 1, always, lagOfNew},
		{"lag of a position beyond the end", 1, always, lagBeyond},
	}
}

// lagOfMarkers: all was consumed, and what is behind it in the log are markers alone (partition 0), or messages of an
// aborted transaction as well (partition 1). Nothing is to come: once the group has seen that, the lag is 0.
func lagOfMarkers(ctx context.Context, b *bench) error {
	topic, err := b.topic(ctx, "", 2, nil)
	if err != nil {
		return err
	}
	if err := b.transact(ctx, kgo.TryCommit, append(values(topic, 0, 0, 5), values(topic, 1, 0, 5)...)); err != nil {
		return err
	}
	if err := b.transact(ctx, kgo.TryAbort, values(topic, 1, 5, 5)); err != nil {
		return err
	}
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return err
	}
	err = m.await(ctx, "message 10", func(all []message) bool { return len(all) >= 10 })
	if err == nil {
		err = b.awaitNoLag(ctx, topic)
	}
	if err := errors.Join(err, m.stop(ctx)); err != nil {
		return err
	}
	return b.checkLags(ctx, topic, map[int32]int64{0: 0, 1: 0})
}

// awaitNoLag waits until the group has nothing to come, for as long as a client may take between two commits.
func (b *bench) awaitNoLag(ctx context.Context, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		rows, err := b.client.offsets(ctx, topic, b.name)
		if err != nil {
			return err
		}
		left := ""
		for _, row := range rows {
			if row.Lag == nil || *row.Lag != 0 {
				left = fmt.Sprintf("partition %s has no message more, and the client says that the lag is %s",
					row.Partition, show(row.Lag))
			}
		}
		if left == "" {
			return nil
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("%s: %w", left, err)
		}
	}
}

// transact writes records in one transaction.
func (b *bench) transact(ctx context.Context, end kgo.TransactionEndTry, records []*kgo.Record) error {
	client, err := b.servers.reference(kgo.TransactionalID(b.name), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	return client.EndTransaction(ctx, end)
}

// lagOfNew: partitions that came when the group was not there have no position, and all that they have is to come.
func lagOfNew(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	if err := b.write(ctx, values(topic, 0, 0, 10)); err != nil {
		return err
	}
	if _, err := b.consume(ctx, topic, b.name, 10); err != nil {
		return err
	}
	if err := b.servers.grow(ctx, topic, 3); err != nil {
		return err
	}
	more := values(topic, 1, 0, 4)
	if err := b.write(ctx, more); err != nil {
		return err
	}
	return b.checkLags(ctx, topic, map[int32]int64{0: 0, 1: b.spans(more), 2: 0})
}

// lagBeyond: a position that the log does not reach, as after a disk was lost. What is to come is unknown, or nothing;
// less than nothing it cannot be.
func lagBeyond(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	if err := b.write(ctx, values(topic, 0, 0, 10)); err != nil {
		return err
	}
	if _, err := b.consume(ctx, topic, b.name, 10); err != nil {
		return err
	}
	beyond := b.spans(values(topic, 0, 0, 10)) + 1000
	if err := b.commit(ctx, topic, 0, beyond); err != nil {
		return fmt.Errorf("set the group's position: %w", err)
	}
	rows, err := b.client.offsets(ctx, topic, b.name)
	if err != nil {
		return err
	}
	row := rows[b.servers.partition(topic, 0)]
	if row.Committed == nil || *row.Committed != beyond || row.End == nil || *row.End != beyond-1000 {
		return fmt.Errorf("the position is %d, the end %d; the client says %s and %s",
			beyond, beyond-1000, show(row.Committed), show(row.End))
	}
	if row.Lag != nil && *row.Lag != 0 {
		return fmt.Errorf("the position is %d, the end %d, and the client says that the lag is %d",
			beyond, beyond-1000, *row.Lag)
	}
	said, err := b.toolLag(ctx, topic)
	if err != nil {
		return err
	}
	if lag, there := said["0"]; there {
		b.note("the client says that the lag is %s, Kafka's tool %d", show(row.Lag), lag)
	}
	return nil
}

// checkLags holds what the client says against what is to come, and against what Kafka's tool says.
func (b *bench) checkLags(ctx context.Context, topic string, want map[int32]int64) error {
	rows, err := b.client.offsets(ctx, topic, b.name)
	if err != nil {
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(want)) {
		partition := b.servers.partition(topic, number)
		if lag := rows[partition].Lag; lag == nil || *lag != want[number] {
			return fmt.Errorf("partition %s lags by %d (position %s, end %s); the client says %s", partition, want[number],
				show(rows[partition].Committed), show(rows[partition].End), show(lag))
		}
	}
	said, err := b.toolLag(ctx, topic)
	if err != nil || said == nil {
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(want)) {
		partition := strconv.Itoa(int(number))
		if lag, there := said[partition]; !there {
			b.note("Kafka's tool tells no lag of partition %s", partition)
		} else if lag != want[number] {
			b.note("partition %s: Kafka's tool says %d, and %d messages are to come", partition, lag, want[number])
		}
	}
	return nil
}

// commit sets the position of the scenario's group, which has no members, past the client.
func (b *bench) commit(ctx context.Context, topic string, number int32, position int64) error {
	if b.way == wayZooKeeper {
		at := fmt.Sprintf("/consumers/%s/offsets/%s/%s", b.name, topic, b.servers.partition(topic, number))
		return realzk.Set(ctx, b.client.where[1], at, strconv.AppendInt(nil, position, 10))
	}
	client, err := b.servers.reference()
	if err != nil {
		return err
	}
	defer client.Close()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, number, position, -1)
	answers, err := kadm.NewClient(client).CommitOffsets(ctx, b.name, offsets)
	return errors.Join(err, answers.Error())
}
