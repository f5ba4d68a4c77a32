// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// history are scenarios about logs that are not simply written on: gaps, a start that moved, a topic that is another
// one.
func history() []scenario {
	return []scenario{
		{"transactions: aborted messages do not come", 1, since("0.11", "there are transactions since 0.11"), transactions},
		{"a compacted topic with gaps", 1, since08(always, "messages have keys since 0.8: there is nothing to compact by"),
			compacted},
		{"retention removes the group's position", 1, retentionPossible, retention},
		{"a topic is deleted and made anew", 1, since08(always, "there is no way to delete a topic"), recreated},
		{"an unclean restart", 1, always, uncleanRestart},
	}
}

func retentionPossible(column) string { return "" }

func transactions(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	client, err := b.servers.reference(kgo.TransactionalID(b.name), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer client.Close()
	var kept []*kgo.Record
	for i := range 6 {
		if err := client.BeginTransaction(); err != nil {
			return err
		}
		records := values(topic, 0, i*10, 5)
		if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return err
		}
		end := kgo.TransactionEndTry(i%2 == 0)
		if err := client.EndTransaction(ctx, end); err != nil {
			return err
		}
		if end == kgo.TryCommit {
			kept = append(kept, records...)
		}
	}
	// One more behind the markers, so that what would come too much has come before it.
	last := values(topic, 0, 1000, 1)
	if err := b.write(ctx, last); err != nil {
		return err
	}
	got, err := b.consume(ctx, topic, b.name, len(kept)+1)
	if err != nil {
		return err
	}
	return b.compare(append(kept, last...), got)
}

func compacted(ctx context.Context, b *bench) error {
	config := map[string]string{"cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.01"}
	topic, err := b.topic(ctx, "", 1, config)
	if err != nil {
		return err
	}
	written := 0
	for {
		var records []*kgo.Record
		for i := range 50 {
			records = append(records, &kgo.Record{
				Topic: topic, Key: fmt.Appendf(nil, "key %d", i%7), Value: fmt.Appendf(nil, "value %d", written+i),
			})
		}
		if err := b.write(ctx, records); err != nil {
			return err
		}
		written += len(records)
		if s, ok := b.servers.(*embeddedServers); ok {
			s.world.Kafka.Fake().Compact() // it looks once an hour by itself
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("none of %d messages is cleaned away: %w", written, err)
		}
		left, err := b.readAll(ctx, topic, 1)
		if err != nil {
			return err
		}
		if len(left) < written-50 {
			return b.consumeGaps(ctx, topic, left)
		}
	}
}

// consumeGaps compares with what the reference client read: cleaning may go on, so a message that is gone by now is one
// whose key came later.
func (b *bench) consumeGaps(ctx context.Context, topic string, left []*kgo.Record) error {
	last := left[len(left)-1]
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return err
	}
	err = m.await(ctx, "the last message", func(all []message) bool {
		return len(all) > 0 && all[len(all)-1].Offset >= last.Offset
	})
	if err := errors.Join(err, m.stop(ctx)); err != nil {
		return err
	}
	if err := withoutCleaned(left, m.all()); err != nil {
		return err
	}
	rows, err := b.client.offsets(ctx, topic, b.name)
	if err != nil {
		return err
	}
	if row := rows["0"]; row.Lag == nil || *row.Lag != 0 {
		return fmt.Errorf("everything was consumed, and the lag is %v", show(row.Lag))
	}
	b.note("%d of %d positions have messages", len(left), last.Offset+1)
	return nil
}

// withoutCleaned holds what came against what was left: each message, but for those that a later one of their key may
// have taken the place of.
func withoutCleaned(left []*kgo.Record, got []message) error {
	came, later := map[int64]message{}, map[string]int64{}
	for _, m := range got {
		came[m.Offset], later[string(m.key())] = m, max(later[string(m.key())], m.Offset)
	}
	for _, r := range left {
		m, there := came[r.Offset]
		switch {
		case !there && later[string(r.Key)] <= r.Offset:
			return fmt.Errorf("%d (%s) did not come, nor a later one of its key", r.Offset, r.Key)
		case there && (!same(m.key(), r.Key) || !same(m.value(), r.Value)):
			return fmt.Errorf("%d came as %q=%q, and was written as %q=%q", r.Offset, m.key(), m.value(), r.Key, r.Value)
		}
	}
	return nil
}

// retention: a group has consumed some, then its position and what is behind it are removed.
func retention(ctx context.Context, b *bench) error {
	if b.kind == embedded07 {
		return retention07(ctx, b)
	}
	config := map[string]string{}
	byTime := b.release.Before("0.11")
	if byTime {
		config = map[string]string{"segment.bytes": "2000", "retention.bytes": "4000"}
	}
	topic, err := b.topic(ctx, "", 1, config)
	if err != nil {
		return err
	}
	if err := b.write(ctx, values(topic, 0, 0, 10)); err != nil {
		return err
	}
	if _, err := b.consume(ctx, topic, b.name, 10); err != nil {
		return err
	}
	for i := range 20 {
		if err := b.write(ctx, values(topic, 0, 10+i*10, 10)); err != nil {
			return err
		}
	}
	if !byTime {
		if err := b.deleteRecords(ctx, topic, 150); err != nil {
			return err
		}
	}
	left, err := b.awaitStart(ctx, topic, 11)
	if err != nil {
		return err
	}
	return b.goesOnAtStart(ctx, topic, left)
}

// awaitStart waits until the first messages are gone, and gives what is left.
func (b *bench) awaitStart(ctx context.Context, topic string, from int64) ([]*kgo.Record, error) {
	for {
		left, err := b.readAll(ctx, topic, 1)
		if err != nil {
			return nil, err
		}
		if left[0].Offset >= from {
			return left, nil
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("the log still begins at %d: %w", left[0].Offset, err)
		}
	}
}

// pause is between two looks at what a broker does in its own time.
func pause(ctx context.Context) error {
	const long = 300 * time.Millisecond // as the cleaner's own
	select {
	case <-time.After(long):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *bench) goesOnAtStart(ctx context.Context, topic string, left []*kgo.Record) error {
	rows, err := b.client.offsets(ctx, topic, b.name)
	if err != nil {
		return err
	}
	end := left[len(left)-1].Offset + 1
	row := rows["0"]
	if row.Committed == nil || *row.Committed != 10 || row.Earliest == nil || *row.Earliest < 11 ||
		row.End == nil || *row.End != end {
		return fmt.Errorf("the group stands at 10 and the log is %d to %d; the client says %s, %s to %s",
			left[0].Offset, end, show(row.Committed), show(row.Earliest), show(row.End))
	}
	if row.Lag == nil || *row.Lag != end-*row.Earliest {
		return fmt.Errorf("%d messages can still be consumed; the client says that the lag is %s",
			end-*row.Earliest, show(row.Lag))
	}
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return err
	}
	err = m.await(ctx, "the last message", func(all []message) bool {
		return len(all) > 0 && all[len(all)-1].Offset == end-1
	})
	if err := errors.Join(err, m.stop(ctx)); err != nil {
		return err
	}
	after, err := b.readAll(ctx, topic, 1)
	if err != nil {
		return err
	}
	if err := withoutGap(m.all(), left[0].Offset, after[0].Offset); err != nil {
		return err
	}
	if !strings.Contains(m.said(), "retention") && !strings.Contains(m.said(), "lost") {
		b.note("nothing is said of what retention removed")
	}
	return nil
}

// withoutGap: more may have been removed meanwhile, in old releases, so what comes begins between where the log began
// before and after; and then it is all, to the end.
func withoutGap(all []message, before, after int64) error {
	if first := all[0].Offset; first < before || first > after {
		return fmt.Errorf("the log began at %d, then at %d, and the first message that came is at %d", before, after, first)
	}
	for i, one := range all {
		if one.Offset != all[0].Offset+int64(i) {
			return fmt.Errorf("message %d is at %d, behind %d", i, one.Offset, all[0].Offset)
		}
	}
	return nil
}

func (b *bench) deleteRecords(ctx context.Context, topic string, before int64) error {
	client, err := b.servers.reference()
	if err != nil {
		return err
	}
	defer client.Close()
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: before})
	answer, err := kadm.NewClient(client).DeleteRecords(ctx, offsets)
	return errors.Join(err, answer.Error())
}

// recreated: the topic that a group has consumed is deleted, and one of its name is made. Its messages come, or, where
// the group's position is one of the old topic, the client says so and skips nothing.
func recreated(ctx context.Context, b *bench) error {
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
	if err := b.servers.deleteTopic(ctx, topic); err != nil {
		return err
	}
	if err := b.makeAgain(ctx, topic); err != nil {
		return err
	}
	if err := b.write(ctx, values(topic, 0, 100, 3)); err != nil {
		return err
	}
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return err
	}
	// The client may rightly refuse to guess; then it says so, and nothing comes.
	waiting, cancel := context.WithTimeout(ctx, patience)
	err = m.await(waiting, "the new topic's messages", func(all []message) bool { return len(all) >= 3 })
	cancel()
	if stopped := m.stop(ctx); stopped != nil {
		b.note("it ended with: %v", stopped)
	}
	if err == nil {
		return nil
	}
	if len(m.all()) == 0 && strings.Contains(m.said(), topic) {
		b.note("the group's position is the old topic's: the client says so and delivers nothing")
		return nil
	}
	return err
}

// patience is how long silence must last to be taken for an answer.
const patience = 15 * time.Second

// makeAgain makes a topic whose deletion was asked for: brokers need some time for that.
func (b *bench) makeAgain(ctx context.Context, topic string) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := b.newTopic(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("topic %s cannot be made again: %w", topic, err)
		}
	}
}

func uncleanRestart(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	if err := b.write(ctx, values(topic, 0, 0, 100)); err != nil {
		return err
	}
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return err
	}
	err = b.killUnder(ctx, m, topic)
	if err := errors.Join(err, m.stop(ctx)); err != nil {
		return err
	}
	return complete(m.all(), 200)
}

func (b *bench) killUnder(ctx context.Context, m *member, topic string) error {
	if err := m.await(ctx, "message 100", func(all []message) bool { return len(all) >= 100 }); err != nil {
		return err
	}
	broker := b.brokers()[0]
	if err := broker.Kill(); err != nil {
		return err
	}
	begin := time.Now()
	if err := comeBack(ctx, broker); err != nil {
		return err
	}
	up := time.Now()
	if err := b.write(ctx, values(topic, 0, 100, 100)); err != nil {
		return err
	}
	if err := m.await(ctx, "message 200", func(all []message) bool { return distinct(all) >= 200 }); err != nil {
		return err
	}
	b.note("consuming %s after the broker was back, which took %s", round(time.Since(up)), round(up.Sub(begin)))
	return nil
}

// distinct counts messages without those that came again.
func distinct(all []message) int {
	seen := map[string]bool{}
	for _, m := range all {
		seen[string(m.value())] = true
	}
	return len(seen)
}

func complete(all []message, count int) error {
	if got := distinct(all); got != count {
		return fmt.Errorf("%d different messages came, and %d were written", got, count)
	}
	return nil
}

// show is a number that may be unknown.
func show(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return strconv.FormatInt(*n, 10)
}
