// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

// The routes that publish, as the document has them.
const (
	pathMessage   = "/"
	pathTopic     = "/topics/{topic}"
	pathPartition = "/topics/{topic}/partitions/{partition}"
)

// Media types.
const (
	typeEvent   = "application/cloudevents+json"
	typeBatch   = "application/cloudevents-batch+json"
	typeLines   = "application/x-ndjson"
	typeFrames  = "application/vnd.samsa.frames"
	typeText    = "text/plain"
	typeProblem = "application/problem+json"
)

// message is one to publish.
type message struct {
	// id is what it is known by in the topic.
	id string
	// length makes the value longer.
	length int
	// partition and key are those that it asks for; empty: none.
	partition, key string
}

var messages atomic.Int64

// fresh is a message that nobody sent before.
func fresh() message { return message{id: fmt.Sprintf("id-%06d", messages.Add(1))} }

func (m message) of(length int) message       { m.length = length; return m }
func (m message) to(partition string) message { m.partition = partition; return m }
func (m message) keyed(key string) message    { m.key = key; return m }

// value is what is sent; it needs no escape anywhere.
func (m message) value() string { return m.id + strings.Repeat(".", m.length) }

// request is one to send.
type request struct {
	method, path string
	header       http.Header
	body         []byte
}

// kind is what is answered.
type kind int

const (
	// single: one message, which has the status of the answer.
	single kind = iota
	// batch: results of each, together.
	batch
	// stream: a line for each.
	stream
	// theirs: records, in the words of the others.
	theirs
)

// format is one way to publish.
type format struct {
	name  string
	route string
	media string
	kind  kind
	// make gives the request for messages, of which a single one takes the first.
	make func(f *format, topic, partition string, messages []message) request
	// stored is what the topic has of a value then. headers says that brokers store headers.
	stored func(m message, headers bool) string
}

// several is how many messages a request holds.
func (f *format) several() int {
	if f.kind == single {
		return 1
	}
	return 3
}

// header begins the headers of a request.
func (f *format) header() http.Header {
	header := http.Header{}
	if f.media != "" {
		header.Set("Content-Type", f.media)
	}
	return header
}

func plain(m message, _ bool) string { return m.value() }

func quoted(m message, _ bool) string { return text(m.value()) }

func text(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // of strings and maps of them
	}
	return string(data)
}

// formats are all that are read.
func formats() []*format {
	all := []*format{
		{name: "a raw body", media: "application/octet-stream", make: makeRaw, stored: plain},
		{name: "an event in binary mode", media: typeText, make: makeEvent, stored: storedEvent},
		{name: "an event in structured mode", media: typeEvent, make: makeStructured, stored: storedStructured},
		{name: "a batch of events", media: typeBatch, kind: batch, make: makeEventBatch, stored: storedStructured},
		{name: "a stream of lines", media: typeLines, kind: stream, make: makeLines, stored: plain},
		{name: "a stream of frames", media: typeFrames, kind: stream, make: makeFrames, stored: plain},
	}
	for _, f := range all {
		f.route = pathMessage
	}
	for _, route := range []string{pathTopic, pathPartition} {
		for _, words := range []struct {
			name   string
			value  func(message) string
			stored func(message, bool) string
		}{
			{"json", func(m message) string { return text(m.value()) }, quoted},
			{"binary", func(m message) string { return text(base64.StdEncoding.EncodeToString([]byte(m.value()))) }, plain},
			{"text", func(m message) string { return text(m.value()) }, plain},
		} {
			f := &format{
				name: words.name + " records to a topic", route: route, kind: theirs, stored: words.stored,
				media: "application/vnd.kafka." + words.name + ".v2+json",
			}
			if route == pathPartition {
				f.name = words.name + " records to a partition"
			}
			f.make = func(f *format, topic, partition string, messages []message) request {
				return makeRecords(f, topic, partition, messages, words.name, words.value)
			}
			all = append(all, f)
		}
	}
	return all
}

// common are the headers of POST / that say what the body does not.
func common(f *format, m message) request {
	r := request{method: http.MethodPost, path: "/", header: f.header()}
	if m.partition != "" {
		r.header.Set("Samsa-Partition", m.partition)
	}
	if m.key != "" {
		r.header.Set("Samsa-Key", m.key)
	}
	return r
}

func makeRaw(f *format, _, _ string, messages []message) request {
	r := common(f, messages[0])
	r.body = []byte(messages[0].value())
	return r
}

func makeEvent(f *format, _, _ string, messages []message) request {
	r := makeRaw(f, "", "", messages)
	for name, value := range map[string]string{"specversion": "1.0", "source": "test", "type": "made"} {
		r.header.Set("Ce-"+name, value)
	}
	r.header.Set("Ce-Id", messages[0].id)
	return r
}

// storedEvent: without headers an event is stored as JSON.
func storedEvent(m message, headers bool) string {
	if headers {
		return m.value()
	}
	return fmt.Sprintf(`{"id":%q,"source":"test","specversion":"1.0","type":"made","datacontenttype":%q,"data":%q}`,
		m.id, typeText, m.value())
}

func event(m message) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"test","type":"made","data":%q}`, m.id, m.value())
}

func storedStructured(m message, _ bool) string { return event(m) }

func makeStructured(f *format, _, _ string, messages []message) request {
	r := common(f, messages[0])
	r.body = []byte(event(messages[0]))
	return r
}

func makeEventBatch(f *format, _, _ string, messages []message) request {
	r := common(f, messages[0])
	events := make([]string, len(messages))
	for i, m := range messages {
		events[i] = event(m)
	}
	r.body = []byte("[" + strings.Join(events, ",") + "]")
	return r
}

func makeLines(f *format, _, _ string, messages []message) request {
	r := request{method: http.MethodPost, path: "/", header: f.header()}
	for _, m := range messages {
		line := map[string]any{"value": m.value()}
		if m.partition != "" {
			line["partition"] = m.partition
		}
		if m.key != "" {
			line["key"] = m.key
		}
		r.body = append(r.body, text(line)+"\n"...)
	}
	return r
}

func makeFrames(f *format, _, _ string, messages []message) request {
	r := common(f, messages[0])
	for _, m := range messages {
		r.body = binary.BigEndian.AppendUint32(r.body, uint32(len(m.value())))
		r.body = append(r.body, m.value()...)
	}
	return r
}

func makeRecords(
	f *format, topic, partition string, messages []message, words string, value func(message) string,
) request {
	r := request{method: http.MethodPost, path: "/topics/" + topic, header: f.header()}
	if f.route == pathPartition {
		r.path += "/partitions/" + partition
		if asked := messages[0].partition; asked != "" {
			r.path = "/topics/" + topic + "/partitions/" + asked
		}
	}
	records := make([]string, len(messages))
	for i, m := range messages {
		records[i] = `{"value":` + value(m)
		if m.partition != "" && f.route == pathTopic {
			records[i] += `,"partition":` + text(m.partition)
		}
		if m.key != "" {
			key := text(m.key)
			if words == "binary" {
				key = text(base64.StdEncoding.EncodeToString([]byte(m.key)))
			}
			records[i] += `,"key":` + key
		}
		records[i] += "}"
	}
	r.body = []byte(`{"records":[` + strings.Join(records, ",") + "]}")
	return r
}
