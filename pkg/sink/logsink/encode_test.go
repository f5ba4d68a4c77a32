// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package logsink

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink/sinktest"
)

type line struct {
	ID        string  `json:"id"`
	Topic     string  `json:"topic"`
	Partition string  `json:"partition"`
	Offset    int64   `json:"offset"`
	Index     int32   `json:"index"`
	Timestamp *int64  `json:"timestamp"`
	Key       *string `json:"key"`
	KeyB64    []byte  `json:"keyBase64"`
	Value     *string `json:"value"`
	ValueB64  []byte  `json:"valueBase64"`
	Headers   []struct {
		Key      *string `json:"key"`
		KeyB64   []byte  `json:"keyBase64"`
		Value    *string `json:"value"`
		ValueB64 []byte  `json:"valueBase64"`
	} `json:"headers"`
}

func either(text *string, raw []byte) []byte {
	if text != nil {
		return []byte(*text)
	}
	return raw
}

// decode reads a line with encoding/json, strictly: it is the reader that is not ours.
func decode(t testing.TB, text []byte) kafka.Message {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var l line
	if err := decoder.Decode(&l); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	message := kafka.Message{
		Partition: kafka.Partition{Topic: l.Topic, ID: l.Partition}, Offset: l.Offset, Index: l.Index,
		Key: either(l.Key, l.KeyB64), Value: either(l.Value, l.ValueB64),
	}
	if l.Timestamp != nil {
		message.Timestamp = time.UnixMilli(*l.Timestamp)
	}
	for _, h := range l.Headers {
		message.Headers = append(message.Headers,
			kafka.Header{Key: string(either(h.Key, h.KeyB64)), Value: either(h.Value, h.ValueB64)})
	}
	if l.ID != message.ID() {
		t.Fatalf("id is %q, want %q", l.ID, message.ID())
	}
	return message
}

func TestAppendLine(t *testing.T) {
	message := kafka.Message{
		Partition: kafka.Partition{Topic: "orders", ID: "1-3"}, Offset: 42, Index: 2, Timestamp: time.UnixMilli(1700),
		Key: []byte{0xff}, Value: []byte("a\"\\\n\x01ü"),
		Headers: []kafka.Header{{Key: "k", Value: []byte{}}, {Key: "k"}},
	}
	const want = `{"id":"orders/1-3/42.2","topic":"orders","partition":"1-3","offset":42,"index":2,"timestamp":1700,` +
		`"keyBase64":"/w==","value":"a\"\\\n\u0001ü","headers":[{"key":"k","value":""},{"key":"k","value":null}]}` + "\n"
	if got := string(appendLine(nil, message)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	const bare = `{"id":"t/0/0","topic":"t","partition":"0","offset":0,"key":null,"value":null}` + "\n"
	if got := string(appendLine(nil, kafka.Message{Partition: kafka.Partition{Topic: "t", ID: "0"}})); got != bare {
		t.Errorf("got  %s\nwant %s", got, bare)
	}
}

func FuzzAppendLine(f *testing.F) {
	for i, m := range sinktest.Messages(kafka.Partition{Topic: "orders", ID: "3"}, 12) {
		f.Add("orders", m.Offset, m.Index, m.Key, m.Value, "name\xff", m.Value, uint8(i), m.Timestamp.UnixMilli())
	}
	f.Add("\xff\"\\", int64(-1), int32(0), []byte("\x7f"), []byte("\u2028</script>"),
		"", []byte(nil), uint8(7), int64(1)<<62)
	f.Fuzz(func(t *testing.T, topic string, offset int64, index int32, key, value []byte,
		name string, headerValue []byte, nulls uint8, millis int64,
	) {
		message := kafka.Message{
			Partition: kafka.Partition{Topic: topic, ID: "3"}, Offset: offset, Index: index, Key: key, Value: value,
			Headers: []kafka.Header{{Key: name, Value: headerValue}, {Key: name}}, Timestamp: time.UnixMilli(millis),
		}
		if nulls&1 != 0 {
			message.Key = nil
		}
		if nulls&2 != 0 {
			message.Value = nil
		}
		if nulls&4 != 0 {
			message.Headers, message.Timestamp = nil, time.Time{}
		}
		text := appendLine(nil, message)
		if !json.Valid(text) || !utf8.Valid(text) || bytes.Count(text, newline) != 1 {
			t.Fatalf("%q is not one line of JSON", text)
		}
		message.Index = max(index, 0)
		message.Partition.Topic = string([]rune(topic)) // Bad bytes become U+FFFD, one each.
		if problem := sinktest.Difference(decode(t, text), message); problem != "" {
			t.Fatalf("%q: %s", text, problem)
		}
	})
}

func BenchmarkAppendLine(b *testing.B) {
	message := kafka.Message{
		Partition: kafka.Partition{Topic: "orders", ID: "3"}, Offset: 42, Timestamp: time.UnixMilli(1_700_000_000_000),
		Key: []byte("customer-17"), Value: bytes.Repeat([]byte("0123456789abcde\""), 64),
	}
	b.SetBytes(int64(len(message.Value)))
	b.ReportAllocs()
	var line []byte
	for b.Loop() {
		line = appendLine(line[:0], message)
	}
}
