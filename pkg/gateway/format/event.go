// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What the Kafka binding of CloudEvents calls things (kafka-protocol-binding §3.1, §3.2), and the HTTP binding.
const (
	recordContentType = "content-type"
	recordAttribute   = "ce_"
	headerAttribute   = "Ce-"
	attributeKey      = "partitionkey"
	attributeTime     = "time"
	attributeType     = "datacontenttype"
	attributeVersion  = "specversion"
)

// attribute is one of an event, as text.
type attribute struct{ name, value string }

// ReadEvent reads an event in binary mode: attributes from the headers, the body is its data. Its key is partitionkey,
// unless a header says otherwise. With headers false (no broker before 0.11 stores any) it becomes an event in JSON.
func ReadEvent(header http.Header, fields Fields, body []byte, headers bool) (kafka.Message, error) {
	attributes, err := headerAttributes(header)
	if err != nil {
		return kafka.Message{}, err
	}
	m := fields.Message
	if m.Value = body; fields.Tombstone {
		m.Value = nil
	}
	takeKey(&m, attributes)
	contentType := header.Get("Content-Type")
	if !headers {
		m.Value = appendEvent(make([]byte, 0, 512+len(body)), attributes, contentType, m.Value)
		return m, nil
	}
	// A new list: that of fields may serve several messages.
	m.Headers = slices.Clip(m.Headers)
	if contentType != "" {
		m.Headers = append(m.Headers, kafka.Header{Key: recordContentType, Value: []byte(contentType)})
	}
	for _, a := range attributes {
		m.Headers = append(m.Headers, kafka.Header{Key: recordAttribute + a.name, Value: []byte(a.value)})
	}
	err = checkHeaders(&m, excess)
	return m, err
}

// takeKey makes partitionkey the key of a message that has none (§3.1.1 of the Kafka binding).
func takeKey(m *kafka.Message, attributes []attribute) {
	if m.Key != nil {
		return
	}
	for _, a := range attributes {
		if a.name == attributeKey {
			m.Key = []byte(a.value)
		}
	}
}

// headerAttributes reads the headers Ce-*, in the order of their names.
func headerAttributes(header http.Header) ([]attribute, error) {
	var attributes []attribute
	for name, lines := range header {
		if !strings.HasPrefix(name, headerAttribute) {
			continue
		}
		if len(lines) != 1 {
			return nil, malformed("header %s: it came %d times, it must come once", cut(name), len(lines))
		}
		value, err := unescape(unquote(lines[0]))
		if err != nil {
			return nil, malformed("header %s: %v", cut(name), err)
		}
		a := attribute{name: strings.ToLower(name[len(headerAttribute):]), value: string(value)}
		if a.name == attributeType {
			return nil, malformed("header %s: the type of the data is Content-Type", name)
		}
		attributes = append(attributes, a)
	}
	slices.SortFunc(attributes, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	return attributes, checkAttributes(attributes, malformed)
}

// unquote takes the quotes off a value, which some senders put there (§3.1.3.2 of the HTTP binding).
func unquote(value string) string {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value
	}
	var text strings.Builder
	for i := 1; i < len(value)-1; i++ {
		if value[i] == '\\' && i+1 < len(value)-1 {
			i++
		}
		text.WriteByte(value[i])
	}
	return text.String()
}

// checkAttributes says whether they make an event of CloudEvents 1.0; fault makes the error.
func checkAttributes(attributes []attribute, fault func(format string, values ...any) error) error {
	missing := []string{attributeVersion, "id", "source", "type"}
	for _, a := range attributes {
		if !validName(a.name) {
			return fault("attribute %q: a name has lower-case letters and digits only", cut(a.name))
		}
		if !validText(a.value) {
			return fault("attribute %s: it is no text, or has control characters", a.name)
		}
		if a.value == "" {
			return fault("attribute %s: it is empty; leave it out", a.name)
		}
		if err := checkAttribute(a, fault); err != nil {
			return err
		}
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == a.name })
	}
	if len(missing) > 0 {
		return fault("an event must have the attribute %s", missing[0])
	}
	return nil
}

func checkAttribute(a attribute, fault func(format string, values ...any) error) error {
	switch a.name {
	case attributeVersion:
		if a.value != "1.0" {
			return fault("attribute %s: %q is not 1.0, the only one that is read", a.name, cut(a.value))
		}
	case attributeTime:
		if _, err := time.Parse(time.RFC3339Nano, a.value); err != nil {
			return fault("attribute %s: %q is not a time of RFC 3339", a.name, cut(a.value))
		}
	case attributeType:
		if kind, _, err := mime.ParseMediaType(a.value); err != nil || !strings.Contains(kind, "/") {
			return fault("attribute %s: %q is no media type", a.name, cut(a.value))
		}
	}
	return nil
}

// maxName is the longest name of an attribute. The standard advises 20; some that are in use are longer.
const maxName = 64

// validName: lower-case letters and digits (§3.1 of CloudEvents).
func validName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && len(name) <= maxName && name != "data"
}

// validText: Unicode without control characters and noncharacters (§3.1).
func validText(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef
	})
}
