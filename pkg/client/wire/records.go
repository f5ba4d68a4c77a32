// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// records is a run of one partition as franz-go decoded it. Keys and values alias the fetch buffer, nothing is copied.
type records struct {
	partition kafka.Partition
	list      []*kgo.Record
}

// messagesOf takes the markers of transactions out. Where markers are last, skip is the position behind them; 0
// otherwise.
func messagesOf(all []*kgo.Record) (messages []*kgo.Record, skip int64) {
	if last := all[len(all)-1]; last.Attrs.IsControl() {
		skip = last.Offset + 1
	}
	return slices.DeleteFunc(all, func(r *kgo.Record) bool { return r.Attrs.IsControl() }), skip
}

// Len implements kafka.Records.
func (r *records) Len() int { return len(r.list) }

// Next implements kafka.Records. From Kafka 0.8 on, positions count messages.
func (r *records) Next(i int) int64 { return r.list[i].Offset + 1 }

// Size implements kafka.Records.
func (r *records) Size(i int) int {
	record := r.list[i]
	size := len(record.Key) + len(record.Value)
	for h := range record.Headers {
		size += len(record.Headers[h].Key) + len(record.Headers[h].Value)
	}
	return size
}

// Message implements kafka.Records.
func (r *records) Message(i int) kafka.Message {
	record := r.list[i]
	message := kafka.Message{
		Partition: r.partition,
		Offset:    record.Offset,
		Next:      record.Offset + 1,
		Key:       record.Key,
		Value:     record.Value,
	}
	// Messages from before 0.10 have no time, which franz-go gives as -1 ms.
	if record.Attrs.TimestampType() >= 0 {
		message.Timestamp = record.Timestamp
	}
	if len(record.Headers) > 0 {
		message.Headers = make([]kafka.Header, len(record.Headers))
		for h := range record.Headers {
			message.Headers[h] = kafka.Header{Key: record.Headers[h].Key, Value: record.Headers[h].Value}
		}
	}
	return message
}
