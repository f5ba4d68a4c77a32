// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Messages makes n messages of a partition, among them every kind that sinks have been known to lose: null and
// empty keys, values and headers, bytes that are no text, repeated headers, an index, and no timestamp.
func Messages(partition kafka.Partition, n int) kafka.Messages {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	values := [][]byte{
		[]byte("hello"), nil, {}, everyByte, []byte(`{"a": "ü\n\u2028"}`),
		bytes.Repeat([]byte("0123456789"), 1000), {0xff, '\n'},
	}
	keys := [][]byte{[]byte("key"), nil, {}, everyByte, []byte("100%, \"sure\"=yes"), []byte("日本語")}
	headers := [][]kafka.Header{
		nil,
		{{Key: "trace", Value: []byte("1")}, {Key: "trace", Value: []byte("2")}, {Key: "a"}, {Key: "a", Value: []byte{}}},
		{{Key: "", Value: nil}, {Key: "", Value: []byte{}}, {Key: "not a token, =!%", Value: []byte("a=b, c!")}},
		{{Key: "\xff\x00", Value: everyByte}, {Key: "é", Value: []byte(strings.Repeat("x", 1000))}},
	}
	times := []time.Time{time.UnixMilli(1_700_000_000_123), {}, time.UnixMilli(0), time.UnixMilli(-1)}
	messages := make(kafka.Messages, n)
	for i := range messages {
		messages[i] = kafka.Message{
			Partition: partition, Offset: int64(1000 + 10*i), Next: int64(1000 + 10*(i+1)), Index: int32(i % 3),
			Key: keys[i%len(keys)], Value: values[i%len(values)], Headers: headers[i%len(headers)],
			Timestamp: times[i%len(times)],
		}
	}
	return messages
}

// Difference says in what got is not want, where nil and empty are not the same; "" if in nothing. Next is not
// compared.
func Difference(got, want kafka.Message) string {
	switch {
	case got.ID() != want.ID():
		return fmt.Sprintf("id is %q, want %q", got.ID(), want.ID())
	case got.Partition != want.Partition, got.Offset != want.Offset, got.Index != want.Index:
		return fmt.Sprintf("%v %d %d, want %v %d %d",
			got.Partition, got.Offset, got.Index, want.Partition, want.Offset, want.Index)
	case !same(got.Key, want.Key):
		return fmt.Sprintf("key is %#v, want %#v", got.Key, want.Key)
	case !same(got.Value, want.Value):
		return fmt.Sprintf("value is %#v, want %#v", got.Value, want.Value)
	case !got.Timestamp.Equal(want.Timestamp):
		return fmt.Sprintf("timestamp is %s, want %s", got.Timestamp, want.Timestamp)
	case len(got.Headers) != len(want.Headers):
		return fmt.Sprintf("%d headers, want %d", len(got.Headers), len(want.Headers))
	}
	for i := range want.Headers {
		if got.Headers[i].Key != want.Headers[i].Key || !same(got.Headers[i].Value, want.Headers[i].Value) {
			return fmt.Sprintf("header %d is %#v, want %#v", i, got.Headers[i], want.Headers[i])
		}
	}
	return ""
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
