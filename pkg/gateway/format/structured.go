// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/samsa-dev/samsa/pkg/gateway/strictjson"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// ReadStructured reads an event in structured mode. The message's value is the event as it came: the binding of Kafka
// has the same mode, and what is not taken apart loses nothing. With headers false it has no content type either.
func ReadStructured(fields Fields, body []byte, headers bool) (kafka.Message, error) {
	s, err := strictjson.New(body)
	if err != nil {
		return kafka.Message{}, inJSON("the body", err)
	}
	m, err := structured(s, fields, headers)
	if err == nil {
		err = s.End()
	}
	return m, inJSON("the body", err)
}

// ReadBatch reads an array of events, each of which becomes a message in structured mode.
func ReadBatch(fields Fields, body []byte, headers bool, most int) ([]kafka.Message, error) {
	s, err := strictjson.New(body)
	if err != nil {
		return nil, inJSON("the body", err)
	}
	var messages []kafka.Message
	err = s.Array(func(i int) error {
		if i >= most {
			return tooMany(most)
		}
		m, err := structured(s, fields, headers)
		if err != nil {
			return at(fmt.Sprintf("event %d", i), err)
		}
		messages = append(messages, m)
		return nil
	})
	if err == nil {
		err = s.End()
	}
	if err == nil && len(messages) == 0 {
		err = unfit("the batch has no events")
	}
	return messages, inJSON("the body", err)
}

func tooMany(most int) error {
	return &Fault{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf(
		"there are more than %d messages, the most that a batch may have: send several, or a stream", most)}
}

// at says where in a batch the fault is.
func at(where string, err error) error {
	err = inJSON(where, err)
	if fault, ok := err.(*Fault); ok && !strings.HasPrefix(fault.Detail, where) { //nolint:errorlint // it is made here
		return &Fault{Status: fault.Status, Detail: where + ": " + fault.Detail}
	}
	return err
}

func structured(s *strictjson.Scanner, fields Fields, headers bool) (kafka.Message, error) {
	if fields.Tombstone {
		return kafka.Message{}, malformed("header %s: an event in JSON is a value", headerTombstone)
	}
	from := s.At()
	event := eventReader{scanner: s}
	if err := s.Object(event.field); err != nil {
		return kafka.Message{}, err
	}
	if err := checkAttributes(event.attributes, unfit); err != nil {
		return kafka.Message{}, err
	}
	m := fields.Message
	m.Value = s.Since(from)
	takeKey(&m, event.attributes)
	if headers {
		m.Headers = append(slices.Clip(m.Headers), kafka.Header{Key: recordContentType, Value: []byte(TypeEvent)})
	}
	err := checkHeaders(&m, unfit)
	return m, err
}

// eventReader reads the members of an event in JSON.
type eventReader struct {
	scanner    *strictjson.Scanner
	attributes []attribute
	data       bool
}

func (r *eventReader) field(name string) error {
	switch name {
	case "data", "data_base64":
		return r.readData(name)
	}
	if !validName(name) {
		return unfit("attribute %q: a name has lower-case letters and digits only", cut(name))
	}
	if slices.ContainsFunc(r.attributes, func(a attribute) bool { return a.name == name }) {
		return unfit("attribute %s: it came twice", name)
	}
	if len(r.attributes) == MaxHeaders {
		return unfit("the event has more than %d attributes", MaxHeaders)
	}
	value, found, err := r.value(name)
	if found {
		r.attributes = append(r.attributes, attribute{name, value})
	}
	return err
}

// value reads an attribute's: text, true or false, or an integer of 32 bits (§2.2 of the JSON format); null is none.
func (r *eventReader) value(name string) (text string, found bool, err error) {
	s := r.scanner
	kind := s.Kind()
	if isStandard(name) && kind != strictjson.Null {
		kind = strictjson.String
	}
	switch kind {
	case strictjson.Null:
		_, err = s.Null()
		return "", false, err
	case strictjson.Bool:
		b, err := s.Bool()
		return strconv.FormatBool(b), true, err
	case strictjson.Number:
		n, err := s.Int()
		if err == nil && (n < math.MinInt32 || n > math.MaxInt32) {
			err = unfit("attribute %s: an integer has at most 32 bits", name)
		}
		return strconv.FormatInt(n, 10), true, err
	default:
		data, err := s.Text()
		return string(data), true, err
	}
}

// isStandard reports whether CloudEvents itself defines the attribute; all of those are text.
func isStandard(name string) bool {
	switch name {
	case attributeVersion, "id", "source", "type", "subject", "dataschema", attributeTime, attributeType:
		return true
	}
	return false
}

func (r *eventReader) readData(name string) error {
	if r.data {
		return unfit("%s: the event has data already", name)
	}
	r.data = true
	if name == "data" {
		_, err := r.scanner.Raw()
		return err
	}
	if null, err := r.scanner.Null(); null || err != nil {
		return err
	}
	text, err := r.scanner.Text()
	if err != nil {
		return err
	}
	if _, err := decodeBase64(text); err != nil {
		return unfit("data_base64: %v", err)
	}
	return nil
}

// appendEvent writes an event in JSON (§3 of the JSON format): for brokers that store no headers.
func appendEvent(dst []byte, attributes []attribute, contentType string, data []byte) []byte {
	dst = append(dst, '{')
	for _, a := range attributes {
		dst = append(appendName(dst, a.name), ':')
		dst = append(appendText(dst, a.value), ',')
	}
	if contentType != "" {
		dst = append(append(dst, `"datacontenttype":`...), appendText(nil, contentType)...)
		dst = append(dst, ',')
	}
	dst = appendData(dst, contentType, data)
	return append(dst, '}')
}

func appendData(dst []byte, contentType string, data []byte) []byte {
	kind, _, _ := mime.ParseMediaType(contentType) // one that is malformed is no JSON
	isJSON := kind == "application/json" || strings.HasSuffix(kind, "+json")
	switch {
	case data == nil:
		return append(dst, `"data":null`...)
	case isJSON && json.Valid(data):
		return append(append(dst, `"data":`...), data...)
	case strings.HasPrefix(kind, "text/") && utf8.Valid(data):
		return appendText(append(dst, `"data":`...), string(data))
	}
	dst = append(dst, `"data_base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, data)
	return append(dst, '"')
}

func appendName(dst []byte, name string) []byte {
	return append(append(append(dst, '"'), name...), '"')
}

// appendText appends a string of JSON.
func appendText(dst []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil { // it never is: a string is always JSON
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}
