// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What the Kafka binding of CloudEvents calls things (kafka-protocol-binding §3.1, §3.2).
const (
	recordContentType = "content-type"
	recordAttribute   = "ce_"
	recordSpecVersion = "ce_specversion"
)

// The structured and the batched modes have these content types: application/cloudevents+json,
// application/cloudevents-batch+json.
const mediaTypeEvents = "application/cloudevents"

var specVersion = []string{"1.0"}

// addEvent adds the attributes of the CloudEvent that the message is, or becomes.
func (e *encoder) addEvent(a *attempt, message kafka.Message) {
	contentType, found := lookup(message.Headers, recordContentType)
	found = found && len(contentType) > 0 && validValue(contentType)
	if found {
		a.header[headerContentType] = []string{string(contentType)}
		if len(message.Value) > 0 && isEvents(contentType) {
			return // The value holds whole events, attributes and all.
		}
	}
	foreign := isEvent(message.Headers)
	if foreign {
		a.passEvent(message.Headers)
	} else {
		e.makeEvent(a, message)
	}
	if message.Value == nil || foreign && !found {
		// No data has no type; and of a foreign event that does not say, we know no better.
		delete(a.header, headerContentType)
	}
}

func isEvents(contentType []byte) bool {
	return len(contentType) >= len(mediaTypeEvents) &&
		bytes.EqualFold(contentType[:len(mediaTypeEvents)], []byte(mediaTypeEvents))
}

// isEvent reports whether a record's headers are a valid CloudEvent in binary mode. One that is not becomes the
// data of an event, as any other record does: half an event would be refused by every receiver.
func isEvent(headers []kafka.Header) bool {
	version, found := lookup(headers, recordSpecVersion)
	if !found || !bytes.HasPrefix(version, []byte("1.")) {
		return false
	}
	for _, required := range []string{"ce_id", "ce_source", "ce_type"} {
		if value, _ := lookup(headers, required); len(value) == 0 {
			return false
		}
	}
	for _, header := range headers {
		name, isAttribute := strings.CutPrefix(header.Key, recordAttribute)
		if isAttribute && !(validAttribute(name) && validText(header.Value)) {
			return false
		}
	}
	return true
}

// validAttribute: lower-case letters and digits; datacontenttype travels as Content-Type and as nothing else.
func validAttribute(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && name != "datacontenttype" && name != "data"
}

// passEvent hands on the attributes of an event. Of one that repeats, the last counts, as it does where Knative
// reads it.
func (a *attempt) passEvent(headers []kafka.Header) {
	for _, header := range headers {
		name, isAttribute := strings.CutPrefix(header.Key, recordAttribute)
		if !isAttribute {
			continue
		}
		from := len(a.text)
		a.text = appendEscaped(a.text, header.Value, inText)
		a.add("Ce-"+strings.ToUpper(name[:1])+name[1:], from)
	}
}

// makeEvent makes an event whose data is the message's value.
func (e *encoder) makeEvent(a *attempt, message kafka.Message) {
	a.header["Ce-Specversion"] = specVersion
	a.header["Ce-Type"] = e.eventType
	a.addID("Ce-Id", "", message)
	e.addSource(a, message.Partition)
	a.addSubject(message)
	a.addTime(message.Timestamp)
	if len(message.Key) > 0 && validText(message.Key) {
		from := len(a.text)
		a.text = appendEscaped(a.text, message.Key, inText)
		a.add("Ce-Partitionkey", from)
	}
}

// addSource adds prefix/topic#partition, a URI reference, in the encoding of headers: names of topics and
// partitions are legal in a URI as they are, and what is not becomes %25XX.
func (e *encoder) addSource(a *attempt, partition kafka.Partition) {
	uri := make([]byte, 0, 128)
	uri = append(uri, e.source...)
	uri = append(uri, '/')
	uri = appendSegment(uri, partition.Topic)
	uri = append(uri, '#')
	uri = appendSegment(uri, partition.ID)
	from := len(a.text)
	a.text = appendEscaped(a.text, uri, inText)
	a.add("Ce-Source", from)
}

// appendSegment escapes what is not unreserved in a URI (RFC 3986 §2.3).
func appendSegment(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

func (a *attempt) addSubject(message kafka.Message) {
	from := len(a.text)
	a.text = append(a.text, "partition:"...)
	a.text = appendEscaped(a.text, message.Partition.ID, inText)
	a.text = append(a.text, '#')
	a.text = strconv.AppendInt(a.text, message.Offset, 10)
	a.add("Ce-Subject", from)
}

// addTime adds the timestamp, unless there is none or RFC 3339, whose years have four digits, cannot write it.
func (a *attempt) addTime(timestamp time.Time) {
	timestamp = timestamp.UTC()
	if timestamp.IsZero() || timestamp.Year() < 0 || timestamp.Year() > 9999 {
		return
	}
	from := len(a.text)
	a.text = timestamp.AppendFormat(a.text, "2006-01-02T15:04:05.000Z")
	a.add("Ce-Time", from)
}

// lookup finds the last header of a name.
func lookup(headers []kafka.Header, name string) ([]byte, bool) {
	for _, header := range slices.Backward(headers) {
		if header.Key == name {
			return header.Value, true
		}
	}
	return nil, false
}
