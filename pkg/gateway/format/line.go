// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"slices"

	"github.com/samsa-dev/samsa/pkg/gateway/strictjson"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// LineReader reads the lines of a stream, one after the other. Not safe for concurrent use. The zero value is ready.
type LineReader struct {
	// Defaults are what all lines have that do not say otherwise.
	Defaults kafka.Message

	record

	scanning strictjson.Scanner
	// take is field, bound once for all lines.
	take func(name string) error
}

// Read reads a line of a stream:
//
//	{"key": "text", "value": "text", "partition": 3, "timestamp": 1700000000000,
//	 "headers": [{"key": "name", "value": "text"}]}
//
// In place of key there may be keyBase64; in place of value, valueBase64 or valueJSON, which is any JSON. One of the
// three must be there; null is a null value. The message may share the line's memory, and is the reader's own: the next
// Read overwrites it.
func (r *LineReader) Read(line []byte) (*kafka.Message, error) {
	if r.take == nil {
		r.take = r.field
	}
	s := &r.scanning
	if err := s.Reset(line); err != nil {
		return nil, inJSON("the line", err)
	}
	r.record = record{scanner: s, media: Lines}
	err := s.Object(r.take)
	if err == nil {
		err = s.End()
	}
	if err == nil && r.seen&seenValue == 0 {
		err = unfit("value, valueBase64 or valueJSON must be there; null is a null value")
	}
	if err == nil {
		r.complete()
		err = checkHeaders(&r.message, unfit)
	}
	if err != nil {
		return nil, inJSON("the line", err)
	}
	return &r.message, nil
}

// Forget lets go of the line that was read last, and of its message.
func (r *LineReader) Forget() {
	r.record = record{}
	_ = r.scanning.Reset(nil) // which is no text at all
}

// complete gives the message what all lines have.
func (r *LineReader) complete() {
	m, all := &r.message, &r.Defaults
	if r.seen&seenKey == 0 {
		m.Key = all.Key
	}
	if m.Partition.ID == "" {
		m.Partition.ID = all.Partition.ID
	}
	if m.Timestamp.IsZero() {
		m.Timestamp = all.Timestamp
	}
	m.Partition.Topic = all.Partition.Topic
	if len(m.Headers) == 0 {
		m.Headers = all.Headers
	} else {
		m.Headers = slices.Concat(all.Headers, m.Headers)
	}
}

func (r *LineReader) field(name string) (err error) {
	target, bit := &r.message.Value, uint8(seenValue)
	switch name {
	case "key", "keyBase64":
		target, bit = &r.message.Key, seenKey
	case memberValue, memberValueBase64, "valueJSON":
	default:
		return r.common(name)
	}
	if r.seen&bit != 0 {
		return unfit("%s: there is one already", name)
	}
	r.seen |= bit
	if null, err := r.scanner.Null(); null || err != nil {
		return err
	}
	switch name {
	case "keyBase64", memberValueBase64:
		*target, err = r.base64(name)
	case "valueJSON":
		*target, err = r.scanner.Raw()
	default:
		*target, err = r.scanner.Text()
	}
	return err
}
