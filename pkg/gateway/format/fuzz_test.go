// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/gateway/format"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const most = 1 << 12

// judge fails if an error is no Fault of a status that blames the request, or a message is beyond the limits.
func judge(t *testing.T, err error, messages ...kafka.Message) {
	t.Helper()
	if err != nil {
		fault, ok := errors.AsType[*format.Fault](err)
		if !ok || fault.Status < 400 || fault.Status > 431 || fault.Detail == "" || len(fault.Detail) > 1000 {
			t.Fatalf("no fault of the request's: %#v", err)
		}
		return
	}
	for _, m := range messages {
		size := len(m.Key)
		for _, h := range m.Headers {
			size += len(h.Key) + len(h.Value)
		}
		if len(m.Headers) > format.MaxHeaders || size > format.MaxHeaderBytes {
			t.Fatalf("%d headers, %d bytes", len(m.Headers), size)
		}
		if id := m.Partition.ID; id != "" && !format.ValidPartition(id) {
			t.Fatalf("partition %q", id)
		}
		if ms := m.Timestamp.UnixMilli(); !m.Timestamp.IsZero() && (ms < 0 || m.Timestamp.UTC().Year() > 9999) {
			t.Fatalf("timestamp %s", m.Timestamp)
		}
	}
}

// headerOf makes headers of lines "name: value".
func headerOf(text string) http.Header {
	header := http.Header{}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
	return header
}

func FuzzHeaders(f *testing.F) {
	f.Add("Samsa-Key: a%20b\nSamsa-Partition: 1-3\nSamsa-Timestamp: 2026-01-02T03:04:05Z\n"+
		"Samsa-Header-A: %00\nSamsa-Header: a=b, c!", []byte("x"))
	f.Add("Samsa-Key-Base64: AAE=\nSamsa-Tombstone: true\nSamsa-Offset: 1\nSamsa-Partition: x", []byte(nil))
	f.Add("Ce-Specversion: 1.0\nCe-Id: \"a\\\"b\"\n"+
		"Ce-Source: %e2%82%ac\nCe-Type: t\nCe-Partitionkey: k\nContent-Type: a/b; c=d", []byte("x"))
	f.Fuzz(func(t *testing.T, text string, body []byte) {
		header := headerOf(text)
		media, err := format.OfMessage(header)
		judge(t, err)
		_, err = format.OfRecords(header)
		judge(t, err)
		fields, err := format.ReadFields(header)
		judge(t, err, fields.Message)
		if err != nil || media != format.EventBinary {
			return
		}
		m, err := format.ReadEvent(header, fields, body, true)
		judge(t, err, m)
		structured, err := format.ReadEvent(header, fields, body, false)
		judge(t, err, structured)
		if err == nil && !json.Valid(structured.Value) {
			t.Fatalf("an event that is no JSON: %q", structured.Value)
		}
		if err == nil {
			// What is written for brokers without headers is an event that is read here.
			again, err := format.ReadStructured(format.Fields{}, structured.Value, false)
			if err != nil || !bytes.Equal(again.Value, structured.Value) {
				t.Fatalf("%q: %v", structured.Value, err)
			}
		}
	})
}

func FuzzEvents(f *testing.F) {
	const event = `{"specversion":"1.0","id":"1","source":"s","type":"t",` +
		`"time":"2026-01-02T03:04:05Z","a":-1,"b":true,"data":[{}]}`
	f.Add([]byte(event))
	f.Add([]byte("[" + event + "," + event + "]"))
	f.Add([]byte(`[{"specversion":"1.0","id":"1","source":"s","type":"t","partitionkey":"k","data_base64":"AA=="}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := format.ReadStructured(format.Fields{}, body, true)
		judge(t, err, m)
		if err == nil && !bytes.Equal(m.Value, bytes.TrimSpace(body)) {
			t.Fatalf("%q became %q", body, m.Value)
		}
		messages, err := format.ReadBatch(format.Fields{}, body, true, 3)
		judge(t, err, messages...)
		if err == nil && (len(messages) == 0 || len(messages) > 3) {
			t.Fatalf("%d messages", len(messages))
		}
	})
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"records":[{"key":"a","value":"AAE=","partition":3,"timestamp":7,`+
		`"headers":[{"key":"h","value":"YQ=="}]}]}`), "")
	f.Add([]byte(`{"key_schema":null,"records":[{"value":{"a":[1.0e5,"\u00e9"]}},{}]}`), "1-3")
	f.Fuzz(func(t *testing.T, body []byte, partition string) {
		if !format.ValidPartition(partition) {
			partition = ""
		}
		for _, media := range []format.Media{format.RecordsJSON, format.RecordsBinary, format.RecordsText} {
			messages, err := format.ReadRecords(media, body, partition, 3)
			judge(t, err, messages...)
			if err != nil {
				continue
			}
			for _, m := range messages {
				if media == format.RecordsJSON && (m.Value != nil && !json.Valid(m.Value) || m.Key != nil && !json.Valid(m.Key)) {
					t.Fatalf("%q is no JSON", m.Value)
				}
			}
			if !json.Valid(body) {
				t.Fatalf("%q was read", body)
			}
		}
	})
}

func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"key":"a","value":"b","partition":"1-3","timestamp":7,` +
		`"headers":[{"key":"h","value":"x"},{"key":"i","valueBase64":"AA=="}]}`))
	f.Add([]byte(`{"keyBase64":"AA==","valueJSON":{"a":1}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := new(format.LineReader).Read(line)
		if err != nil {
			judge(t, err)
			return
		}
		judge(t, nil, *m)
		if !json.Valid(line) {
			t.Fatalf("%q was read", line)
		}
	})
}

// However a stream is cut into pieces, the same messages come out of it.
func FuzzCut(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01a\x00\x00\x00\x00"), uint8(3))
	f.Add([]byte("a\r\nb\n\nc"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		for _, cut := range []format.Cutter{format.CutFrame, format.CutLine} {
			whole, wholeErr := cutAll(t, cut, data, len(data))
			pieces, piecesErr := cutAll(t, cut, data, int(piece)+1)
			if !bytes.Equal(whole, pieces) || (wholeErr == nil) != (piecesErr == nil) {
				t.Fatalf("%q at once (%v), %q in pieces of %d (%v)", whole, wholeErr, pieces, piece+1, piecesErr)
			}
		}
	})
}

// cutAll cuts a stream that comes in pieces; each message has its length before it in what it gives.
func cutAll(t *testing.T, cut format.Cutter, data []byte, piece int) (all []byte, err error) {
	t.Helper()
	there := 0
	for from := 0; ; {
		ended := there == len(data)
		message, taken, need, err := cut(data[from:there], ended, most)
		switch {
		case err != nil:
			judge(t, err)
			return all, err
		case len(message) > most || taken < len(message) || need > most+4:
			t.Fatalf("message of %d, taken %d, need %d", len(message), taken, need)
		case taken > 0:
			from += taken
			all = append(binary.BigEndian.AppendUint32(all, uint32(len(message))), message...) //nolint:gosec // below most
		case ended:
			return all, nil
		default:
			there = min(len(data), there+piece)
		}
	}
}
