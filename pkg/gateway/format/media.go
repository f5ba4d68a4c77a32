// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// Media is how the body of a request is to be read.
type Media uint8

// The kinds of bodies.
const (
	// Raw: the body is the value.
	Raw Media = iota
	// EventBinary: the body is an event's data, its attributes are headers.
	EventBinary
	// EventStructured: the body is an event in JSON.
	EventStructured
	// EventBatch: the body is an array of events in JSON.
	EventBatch
	// Lines: each line is a message in JSON.
	Lines
	// Frames: each value has its length before it, 4 bytes big-endian.
	Frames
	// RecordsJSON, RecordsBinary and RecordsText: the bodies of Kafka REST Proxy v2 and Strimzi's bridge, whose keys and
	// values are any JSON, base64, or text.
	RecordsJSON
	RecordsBinary
	RecordsText
)

// Media types.
const (
	TypeEvent         = "application/cloudevents+json"
	TypeEventBatch    = "application/cloudevents-batch+json"
	TypeLines         = "application/x-ndjson"
	TypeFrames        = "application/vnd.samsa.frames"
	TypeRecordsJSON   = "application/vnd.kafka.json.v2+json"
	TypeRecordsBinary = "application/vnd.kafka.binary.v2+json"
	TypeRecordsText   = "application/vnd.kafka.text.v2+json"
)

// OfMessage says how to read a body that is posted to the binding itself.
func OfMessage(header http.Header) (Media, error) {
	kind, err := mediaType(header)
	if err != nil {
		return 0, err
	}
	switch kind {
	case TypeEvent:
		return EventStructured, nil
	case TypeEventBatch:
		return EventBatch, nil
	case TypeLines, "application/ndjson", "application/jsonl":
		return Lines, nil
	case TypeFrames:
		return Frames, nil
	}
	switch {
	case strings.HasPrefix(kind, "application/cloudevents"):
		return 0, unread(kind, "events are read in JSON: "+TypeEvent+" or "+TypeEventBatch)
	case strings.HasPrefix(kind, "application/vnd.kafka."):
		return 0, unread(kind, "post it to /topics/TOPIC")
	case strings.HasPrefix(kind, "multipart/"):
		return 0, unread(kind, "post the value itself")
	case len(header["Ce-Specversion"]) > 0 || len(header["Ce-Id"]) > 0:
		return EventBinary, nil
	}
	return Raw, nil
}

// OfRecords says how to read a body that is posted to a topic by its name.
func OfRecords(header http.Header) (Media, error) {
	kind, err := mediaType(header)
	if err != nil {
		return 0, err
	}
	switch kind {
	case TypeRecordsJSON:
		return RecordsJSON, nil
	case TypeRecordsBinary:
		return RecordsBinary, nil
	case TypeRecordsText:
		return RecordsText, nil
	case "":
		kind = "none"
	}
	return 0, unread(kind, "want "+TypeRecordsJSON+", "+TypeRecordsBinary+" or "+TypeRecordsText+
		"; schemas (avro, protobuf, jsonschema) are not known here")
}

// mediaType is the Content-Type without its parameters, in lower case; empty if there is none.
func mediaType(header http.Header) (string, error) {
	for _, encoding := range header["Content-Encoding"] {
		if !strings.EqualFold(encoding, "identity") {
			return "", unread("Content-Encoding: "+cut(encoding), "send the body as it is")
		}
	}
	lines := header["Content-Type"]
	if len(lines) == 0 {
		return "", nil
	}
	if len(lines) > 1 {
		return "", unread(fmt.Sprint(len(lines), " headers Content-Type"), "send one")
	}
	// The usual ones need no parsing.
	switch lines[0] {
	case "", TypeEvent, TypeLines, TypeFrames, TypeRecordsJSON, "application/octet-stream", "application/json":
		return lines[0], nil
	}
	kind, _, err := mime.ParseMediaType(lines[0])
	if err != nil {
		return "", unread(fmt.Sprintf("Content-Type %q", cut(lines[0])), "it is malformed: "+err.Error())
	}
	if !strings.Contains(kind, "/") { // which the parser does not ask for
		return "", unread(fmt.Sprintf("Content-Type %q", cut(lines[0])), "it is malformed: no subtype")
	}
	return kind, nil
}

func unread(what, advice string) error {
	return &Fault{Status: http.StatusUnsupportedMediaType, Detail: what + ": " + advice}
}
