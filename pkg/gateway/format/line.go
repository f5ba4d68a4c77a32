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
// three must be there; null is a null value. The message may share the line's memory. fields is what all lines have
// that do not say otherwise.
func (r *LineReader) Read(fields Fields, line []byte) (kafka.Message, error) {
	if r.take == nil {
		r.take = r.field
	}
	s := &r.scanning
	if err := s.Reset(line); err != nil {
		return kafka.Message{}, inJSON("the line", err)
	}
	r.record = record{scanner: s, media: Lines}
	err := s.Object(r.take)
	if err == nil {
		err = s.End()
	}
	if err == nil && r.seen&seenValue == 0 {
		err = unfit("value, valueBase64 or valueJSON must be there; null is a null value")
	}
	m := r.message
	if r.seen&seenKey == 0 {
		m.Key = fields.Message.Key
	}
	if m.Partition.ID == "" {
		m.Partition.ID = fields.Message.Partition.ID
	}
	if m.Timestamp.IsZero() {
		m.Timestamp = fields.Message.Timestamp
	}
	if len(m.Headers) == 0 {
		m.Headers = fields.Message.Headers
	} else {
		m.Headers = slices.Concat(fields.Message.Headers, m.Headers)
	}
	if err == nil {
		err = checkHeaders(&m, unfit)
	}
	return m, inJSON("the line", err)
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
