// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fidelity are scenarios about single messages: what one client writes, the other reads to the byte.
func fidelity() []scenario {
	return []scenario{
		{"publish, and read by another client", 1, always, publishes},
		{"keys: text, binary, empty, none", 1, since08(always, "messages have keys since 0.8"), keys},
		{"values: binary, of 0 bytes, null", 1, always, nullValues},
		{"headers: binary, repeated, empty", 1, since("0.11", "messages have headers since 0.11"), headers},
		{"timestamps", 1, since("0.10", "messages have timestamps since 0.10"), timestamps},
		{"gzip, read", 1, always, codec(gzipped)},
		{"snappy, read", 1, always, codec(snappied)},
		{"lz4, read", 1, lz4Possible, codec(lz4ed)},
		{"zstd, read", 1, since("2.1", "brokers know zstd since 2.1"), codec(zstded)},
		{"gzip and snappy, published", 1, always, publishesCompressed},
		{"the largest message, and one that is larger", 1, always, largest},
	}
}

func lz4Possible(c column) string {
	if c.release.Before("0.8.2") {
		return "brokers know lz4 since 0.8.2"
	}
	return since("0.10",
		"until 0.9 the checksum in lz4's frames was not lz4's; the writing client has none that is wrong")(c)
}

func publishes(ctx context.Context, b *bench) error {
	topic, err := b.topic(ctx, "", 3, nil)
	if err != nil {
		return err
	}
	return b.publishAndCompare(ctx, topic, 1000)
}

func publishesCompressed(ctx context.Context, b *bench) error {
	for _, codec := range []string{"gzip", "snappy"} {
		topic, err := b.topic(ctx, "."+codec, 3, nil)
		if err != nil {
			return err
		}
		if err := b.publishAndCompare(ctx, topic, 500, "--compression", codec); err != nil {
			return fmt.Errorf("%s: %w", codec, err)
		}
	}
	return nil
}

// publishAndCompare has the client publish, the first message of 0 bytes and the second binary, and reads it all back.
func (b *bench) publishAndCompare(ctx context.Context, topic string, count int, flags ...string) error {
	sent := [][]byte{{}, {0, 255, 254, '\n', 0}}
	for i := len(sent); i < count; i++ {
		sent = append(sent, fmt.Appendf(nil, "message %d", i))
	}
	answer, err := b.client.publish(ctx, topic, sent, flags...)
	if err != nil {
		return err
	}
	if answer.code != 0 || answer.Acknowledged != count {
		return fmt.Errorf("%d of %d messages are acknowledged, exit code %d: %s",
			answer.Acknowledged, count, answer.code, answer.said)
	}
	records, err := b.readAll(ctx, topic, count)
	if err != nil {
		return err
	}
	var got [][]byte
	for _, r := range records {
		got = append(got, r.Value)
	}
	slices.SortFunc(sent, bytes.Compare)
	slices.SortFunc(got, bytes.Compare)
	if !slices.EqualFunc(sent, got, bytes.Equal) {
		return fmt.Errorf("%d messages were published, and another client reads %d that are not the same",
			len(sent), len(got))
	}
	return nil
}

// consumeAndCompare writes records with the reference client and has the client consume them in a group.
func (b *bench) consumeAndCompare(ctx context.Context, records []*kgo.Record, with compression) ([]message, error) {
	if err := b.servers.write(ctx, records, with); err != nil {
		return nil, err
	}
	got, err := b.consume(ctx, records[0].Topic, b.name, len(records))
	if err != nil {
		return nil, err
	}
	return got, b.compare(records, got)
}

// consume has a member of a group print so many messages, commit and leave.
func (b *bench) consume(ctx context.Context, topic, group string, count int) ([]message, error) {
	m, err := b.client.subscribe(ctx, topic, group)
	if err != nil {
		return nil, err
	}
	err = m.await(ctx, fmt.Sprintf("message %d", count), func(all []message) bool { return len(all) >= count })
	return m.all(), errors.Join(err, m.stop(ctx))
}

// compare holds what was consumed against what was written: each once, in the order of its partition, keys and values
// to the byte, null as null.
func (b *bench) compare(records []*kgo.Record, got []message) error {
	byPartition := map[string][]message{}
	for _, m := range got {
		at := m.Topic + "/" + m.Partition
		byPartition[at] = append(byPartition[at], m)
	}
	for _, r := range records {
		at := r.Topic + "/" + b.servers.partition(r.Topic, r.Partition)
		id := fmt.Sprintf("%s/%d", at, r.Offset)
		if len(byPartition[at]) == 0 {
			return fmt.Errorf("%s did not come", id)
		}
		m := byPartition[at][0]
		byPartition[at] = byPartition[at][1:]
		switch {
		case m.Offset != r.Offset:
			return fmt.Errorf("%s came where %s was to come", m.id(), id)
		case !same(m.key(), r.Key):
			return fmt.Errorf("%s has the key %q, and was written with %q", id, m.key(), r.Key)
		case !same(m.value(), r.Value):
			return fmt.Errorf("%s has a value of %d bytes, and was written with %d", id, len(m.value()), len(r.Value))
		}
	}
	if len(got) != len(records) {
		return fmt.Errorf("%d messages came, and %d were written", len(got), len(records))
	}
	return nil
}

// same tells null from empty.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func keys(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	var records []*kgo.Record
	for _, key := range [][]byte{[]byte("text"), {0, 255, 1}, {}, nil, []byte("日本")} {
		records = append(records, &kgo.Record{Topic: topic, Key: key, Value: []byte("value")})
	}
	_, err = b.consumeAndCompare(ctx, records, uncompressed)
	return err
}

func nullValues(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	var records []*kgo.Record
	for _, value := range [][]byte{[]byte("text"), {0, 255, 1}, {}, nil, []byte("line\nline\r\x00")} {
		record := &kgo.Record{Topic: topic, Key: []byte("key"), Value: value}
		if b.kind == embedded07 {
			if record.Key = nil; value == nil {
				b.note("a value is never null there")
				continue
			}
		}
		records = append(records, record)
	}
	_, err = b.consumeAndCompare(ctx, records, uncompressed)
	return err
}

func headers(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	all := []kgo.RecordHeader{
		{Key: "text", Value: []byte("value")}, {Key: "binary", Value: []byte{0, 255, 1}},
		{Key: "again", Value: []byte("1")}, {Key: "again", Value: []byte("2")},
		{Key: "empty", Value: []byte{}}, {Key: "null"}, {Key: "", Value: []byte("no key")},
	}
	got, err := b.consumeAndCompare(ctx, []*kgo.Record{{Topic: topic, Value: []byte("x"), Headers: all}},
		uncompressed)
	if err != nil {
		return err
	}
	if len(got[0].Headers) != len(all) {
		return fmt.Errorf("%d headers came, and %d were written", len(got[0].Headers), len(all))
	}
	for i, h := range got[0].Headers {
		if value := text(h.Value, h.ValueBase64); h.Key != all[i].Key || !same(value, all[i].Value) {
			return fmt.Errorf("header %d is %q=%q, and was written as %q=%q", i, h.Key, value, all[i].Key, all[i].Value)
		}
	}
	return nil
}

func timestamps(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	// Near enough for every broker's limit on how far a timestamp may be off.
	times := []time.Time{time.Now().Add(-time.Hour).Truncate(time.Millisecond), time.Now().Truncate(time.Millisecond)}
	var records []*kgo.Record
	for _, at := range times {
		records = append(records, &kgo.Record{Topic: topic, Value: []byte("x"), Timestamp: at})
	}
	got, err := b.consumeAndCompare(ctx, records, uncompressed)
	if err != nil {
		return err
	}
	slices.SortFunc(got, func(a, b message) int { return cmp.Compare(a.Offset, b.Offset) })
	for i, m := range got {
		if m.Timestamp == nil {
			return fmt.Errorf("%s has no timestamp", m.id())
		}
		if at, err := time.Parse(time.RFC3339Nano, *m.Timestamp); err != nil || !at.Equal(times[i]) {
			return fmt.Errorf("%s has the timestamp %s, and was written with %s", m.id(), *m.Timestamp, times[i])
		}
	}
	return nil
}

// codec writes batches with one codec, of which the last has one message.
func codec(with compression) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		topic, err := b.topic(ctx, "", 2, nil)
		if err != nil {
			return err
		}
		records := append(values(topic, 0, 0, 300), values(topic, 1, 0, 301)...)
		_, err = b.consumeAndCompare(ctx, records, with)
		return err
	}
}

// brokerLargest is message.max.bytes where nobody changed it: 1,000,000 bytes and 12 until 2.x, 1 MiB and 12 since.
const brokerLargest = 1_000_012

func largest(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	// What a message has around its value takes less than 100 bytes in every format.
	value := bytes.Repeat([]byte("0123456789abcdef"), brokerLargest/16-7)
	answer, err := b.client.publish(ctx, topic, [][]byte{value}, "--max-message-bytes", "2000000")
	if err != nil {
		return err
	}
	if answer.code != 0 {
		return fmt.Errorf("a message of %d bytes: exit code %d: %s", len(value), answer.code, answer.said)
	}
	tooLarge := bytes.Repeat([]byte("x"), 1<<20+1024)
	flags := []string{"--max-message-bytes", "2000000"}
	if b.kind == embedded07 {
		b.note("the client refuses the larger one by itself: the broker would drop it without a word")
		flags = nil
	}
	answer, err = b.client.publish(ctx, topic, [][]byte{tooLarge}, flags...)
	if err != nil {
		return err
	}
	if answer.code != 1 {
		return fmt.Errorf("a message of %d bytes: exit code %d, not 1: %s", len(tooLarge), answer.code, answer.said)
	}
	got, err := b.consume(ctx, topic, b.name, 1)
	if err != nil {
		return err
	}
	if !bytes.Equal(got[0].value(), value) {
		return fmt.Errorf("a message of %d bytes came back with %d", len(value), len(got[0].value()))
	}
	return nil
}
