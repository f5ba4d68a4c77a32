// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"hash/crc32"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What is written of messages is what franz-go reads of them, and as long as was said before.
func FuzzRecordBatch(f *testing.F) {
	f.Add([]byte("key"), []byte("value"), "name", []byte("header"), int64(1_700_000_000_000), int64(1), true)
	f.Add([]byte(nil), []byte(nil), "", []byte(nil), int64(0), int64(-1<<40), false)
	f.Add([]byte(""), bytes.Repeat([]byte("v"), 70_000), "", []byte(""), int64(-1), int64(1<<40), true)
	f.Fuzz(func(t *testing.T, key, value []byte, name string, header []byte, at, later int64, compressed bool) {
		m := kafka.Message{
			Key: key, Value: value, Headers: []kafka.Header{{Key: name, Value: header}}, Timestamp: time.UnixMilli(at % 1e15),
		}
		other := m
		other.Timestamp = time.UnixMilli(at%1e15 + later%1e15)
		other.Headers = nil
		if got, want := len(appendBatch(nil, items(m), sequence{}, nil)), MessageBytes(&m); got != want {
			t.Errorf("%d bytes, and %d were announced", got, want)
		}
		var compressor kgo.Compressor
		if compressed {
			compressor, _ = kgo.DefaultCompressor(kgo.SnappyCompression())
		}
		s := sequence{producerID: producerID{7, 3}, next: 5}
		encoded := appendBatch([]byte("before"), items(m, other), s, compressor)[len("before"):]
		read(t, encoded, m, other)
		if size := encodedSize(items(m, other)); size < len(encoded) {
			t.Errorf("%d bytes, and at most %d were announced", len(encoded), size)
		}
	})
}

func items(messages ...kafka.Message) (items []*dispatch.Item) {
	for _, m := range messages {
		items = append(items, &dispatch.Item{Message: m})
	}
	return items
}

// read compares a batch with the messages that it was made of.
func read(t *testing.T, encoded []byte, messages ...kafka.Message) {
	t.Helper()
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(encoded); err != nil {
		t.Fatal(err)
	}
	if batch.ProducerID != 7 || batch.ProducerEpoch != 3 || batch.FirstSequence != 5 {
		t.Errorf("wrong sequence: %d %d %d", batch.ProducerID, batch.ProducerEpoch, batch.FirstSequence)
	}
	if batch.CRC != int32(crc32.Checksum(encoded[attributesAt:], castagnoli)) { //nolint:gosec // its bits
		t.Error("wrong checksum")
	}
	asked := &kmsg.FetchResponseTopicPartition{RecordBatches: encoded, HighWatermark: 10, LastStableOffset: 10}
	got, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: "t"}, asked, kgo.DefaultDecompressor(), nil)
	if got.Err != nil || len(got.Records) != len(messages) {
		t.Fatalf("%d records, %v", len(got.Records), got.Err)
	}
	for i, record := range got.Records {
		m := messages[i]
		if !same(record.Key, m.Key) || !same(record.Value, m.Value) || !record.Timestamp.Equal(m.Timestamp) {
			t.Errorf("record %d is %v, and was %v", i, record, m)
		}
		if len(record.Headers) != len(m.Headers) {
			t.Fatalf("record %d has %d headers, and had %d", i, len(record.Headers), len(m.Headers))
		}
		for h := range m.Headers {
			if record.Headers[h].Key != m.Headers[h].Key || !same(record.Headers[h].Value, m.Headers[h].Value) {
				t.Errorf("record %d: header %d is %v, and was %v", i, h, record.Headers[h], m.Headers[h])
			}
		}
	}
}

// same distinguishes none from empty.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
