// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// The headers of a request, in the form that http.Header has as keys.
const (
	prefix          = "Samsa-"
	headerKey       = "Samsa-Key"
	headerKeyBase64 = "Samsa-Key-Base64"
	headerPartition = "Samsa-Partition"
	headerTimestamp = "Samsa-Timestamp"
	headerList      = "Samsa-Header"
	headerNamed     = "Samsa-Header-"
	headerTombstone = "Samsa-Tombstone"
	headerOffset    = "Samsa-Offset"
)

// Fields is what the headers of a request say of its message, or of all messages of its stream.
type Fields struct {
	Message kafka.Message
	// Tombstone says that the value is null.
	Tombstone bool
}

// ReadFields reads the headers that begin with Samsa-.
func ReadFields(header http.Header) (Fields, error) {
	r := fieldReader{header: header}
	for name, lines := range header {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if strings.HasPrefix(name, headerNamed) {
			r.named = append(r.named, name)
			continue
		}
		if err := r.field(name, lines); err != nil {
			return Fields{}, err
		}
	}
	err := r.headers()
	return r.fields, err
}

type fieldReader struct {
	header http.Header
	fields Fields
	// named are the names that begin with Samsa-Header-.
	named []string
}

func (r *fieldReader) field(name string, lines []string) (err error) {
	if name == headerList {
		return nil // after all others, see headers
	}
	if len(lines) != 1 {
		return malformed("header %s: it came %d times, it must come once", name, len(lines))
	}
	line, m := lines[0], &r.fields.Message
	switch name {
	case headerKey, headerKeyBase64:
		return r.key(name, line)
	case headerPartition:
		if len(r.header[headerOffset]) > 0 {
			return nil // where the message comes from
		}
		if m.Partition.ID = line; !validPartition(line) {
			return malformed("header %s: %q is no partition: want a number, or 1-3 in Kafka 0.7", name, cut(line))
		}
	case headerTimestamp:
		m.Timestamp, err = timestamp(line)
		return err
	case headerTombstone:
		if r.fields.Tombstone = line == "true"; !r.fields.Tombstone {
			return malformed("header %s: %q is not true; leave it out for a value", name, cut(line))
		}
	case headerOffset, "Samsa-Topic", "Samsa-Index", "Samsa-Group", "Samsa-Claim":
		// Where a ConsumerGroup has the message from.
	default:
		return malformed("header %s: there is none of this name: want Samsa-Key, Samsa-Key-Base64, Samsa-Partition, "+
			"Samsa-Timestamp, Samsa-Tombstone, Samsa-Header or Samsa-Header-NAME", cut(name))
	}
	return nil
}

func (r *fieldReader) key(name, line string) (err error) {
	m := &r.fields.Message
	if m.Key != nil {
		return malformed("header %s: there is a key already: send %s or %s", name, headerKey, headerKeyBase64)
	}
	if name == headerKey {
		if m.Key, err = unescape(line); err != nil {
			return malformed("header %s: %v", name, err)
		}
		return nil
	}
	if m.Key, err = decodeBase64(line); err != nil {
		return malformed("header %s: %v", name, err)
	}
	return nil
}

// headers adds the message's headers: those whose order is told first, then the others by name.
func (r *fieldReader) headers() error {
	m := &r.fields.Message
	for _, line := range r.header[headerList] {
		var err error
		if m.Headers, err = appendList(m.Headers, line); err != nil {
			return err
		}
	}
	slices.Sort(r.named)
	for _, name := range r.named {
		for _, line := range r.header[name] {
			value, err := unescape(line)
			if err != nil {
				return malformed("header %s: %v", cut(name), err)
			}
			key := strings.ToLower(name[len(headerNamed):])
			if key == "" {
				return malformed("header %s: a name must follow", name)
			}
			m.Headers = append(m.Headers, kafka.Header{Key: key, Value: value})
		}
	}
	return checkHeaders(m, excess)
}

// checkHeaders keeps the limits; fault makes the error.
func checkHeaders(m *kafka.Message, fault func(format string, values ...any) error) error {
	if len(m.Headers) > MaxHeaders {
		return fault("the message has %d headers: at most %d are taken", len(m.Headers), MaxHeaders)
	}
	if size := headerBytes(m); size > MaxHeaderBytes {
		return fault("key and headers of the message have %d bytes: at most %d are taken", size, MaxHeaderBytes)
	}
	return nil
}

// appendList reads a line of Samsa-Header: name=value, name!
func appendList(headers []kafka.Header, line string) ([]kafka.Header, error) {
	for element := range strings.SplitSeq(line, ",") {
		element = strings.Trim(element, " \t")
		if element == "" {
			continue // RFC 9110 §5.6.1.2: empty elements of a list mean nothing.
		}
		end := strings.IndexAny(element, "=!")
		if end < 0 || element[end] == '!' && end != len(element)-1 {
			return nil, malformed("header %s: %q is neither name=value nor name!", headerList, cut(element))
		}
		name, err := unescape(element[:end])
		if err != nil {
			return nil, malformed("header %s: %q: %v", headerList, cut(element), err)
		}
		header := kafka.Header{Key: string(name)}
		if element[end] == '=' {
			if header.Value, err = unescape(element[end+1:]); err != nil {
				return nil, malformed("header %s: %q: %v", headerList, cut(element), err)
			}
		}
		headers = append(headers, header)
	}
	return headers, nil
}

func timestamp(line string) (time.Time, error) {
	if n, err := strconv.ParseInt(line, 10, 64); err == nil {
		if t, ok := milliseconds(n); ok {
			return t, nil
		}
	} else if t, err := time.Parse(time.RFC3339Nano, line); err == nil {
		if t, ok := milliseconds(t.UnixMilli()); ok {
			return t, nil
		}
	}
	return time.Time{}, malformed("header %s: %q is neither milliseconds since 1970 nor RFC 3339, up to the year 9999",
		headerTimestamp, cut(line))
}

// decodeBase64 takes base64 with padding and nothing else: the library's own passes over line breaks.
func decodeBase64[T string | []byte](text T) ([]byte, error) {
	if strings.ContainsAny(string(text), "\r\n") {
		return nil, malformed("a line break is no base64")
	}
	data, err := base64.StdEncoding.Strict().AppendDecode([]byte{}, []byte(text))
	if err != nil {
		return nil, malformed("it is not base64 (RFC 4648 §4, with padding): %v", err)
	}
	return data, nil
}

// cut keeps what strangers sent from filling an answer.
func cut(text string) string {
	const most = 64
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
