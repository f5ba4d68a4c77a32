// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// The headers of a request, in the form that http.Header has as keys.
const (
	headerTopic          = "Samsa-Topic"
	headerPartition      = "Samsa-Partition"
	headerOffset         = "Samsa-Offset"
	headerIndex          = "Samsa-Index"
	headerTimestamp      = "Samsa-Timestamp"
	headerKey            = "Samsa-Key"
	headerHeader         = "Samsa-Header"
	headerTombstone      = "Samsa-Tombstone"
	headerGroup          = "Samsa-Group"
	headerClaim          = "Samsa-Claim"
	headerIdempotencyKey = "Idempotency-Key"
	headerContentType    = "Content-Type"
	headerAuthorization  = "Authorization"
)

// yes is the value of a header that only says that it is there.
var yes = []string{"true"}

// encoder turns messages into headers. It is immutable.
type encoder struct {
	format      Format
	static      http.Header
	contentType []string
	// keyPrefix begins the Idempotency-Key.
	keyPrefix string
	// untimed leaves timestamps out.
	untimed bool
	// source is the beginning of the attribute source; eventType the attribute type, encoded.
	source    string
	eventType []string
}

func newEncoder(config Config, target *url.URL) encoder {
	e := encoder{
		format:      config.Format,
		static:      http.Header{"User-Agent": {"samsa"}},
		contentType: []string{config.ContentType},
		keyPrefix:   config.KeyPrefix,
		untimed:     config.OmitTimestamp,
		source:      config.CloudEvents.Source,
		eventType:   []string{string(appendEscaped(nil, config.CloudEvents.Type, inText))},
	}
	for name, value := range config.Headers {
		e.static.Set(name, value)
	}
	if target.User != nil {
		request := http.Request{Header: e.static}
		password, _ := target.User.Password()
		request.SetBasicAuth(target.User.Username(), password)
	}
	return e
}

// encode fills the attempt's header.
func (e *encoder) encode(a *attempt, claim sink.Claim, message kafka.Message) {
	maps.Copy(a.header, e.static)
	a.header[headerContentType] = e.contentType
	if message.Value == nil {
		a.header[headerTombstone] = yes
	}
	if e.untimed {
		message.Timestamp = time.Time{}
	}
	a.addMetadata(claim, message, e.keyPrefix)
	if e.format == CloudEventsBinary {
		e.addEvent(a, message)
	}
	a.setFields()
}

// addMetadata adds what Decode reads.
func (a *attempt) addMetadata(claim sink.Claim, message kafka.Message, keyPrefix string) {
	a.addText(headerTopic, message.Partition.Topic)
	a.addText(headerPartition, message.Partition.ID)
	a.addNumber(headerOffset, message.Offset)
	if message.Index > 0 {
		a.addNumber(headerIndex, int64(message.Index))
	}
	a.addID(headerIdempotencyKey, keyPrefix, message)
	if !message.Timestamp.IsZero() {
		a.addNumber(headerTimestamp, message.Timestamp.UnixMilli())
	}
	if message.Key != nil {
		from := len(a.text)
		a.text = appendEscaped(a.text, message.Key, inText)
		a.add(headerKey, from)
	}
	if len(message.Headers) > 0 {
		from := len(a.text)
		a.text = appendHeaders(a.text, message.Headers)
		a.add(headerHeader, from)
	}
	a.addText(headerGroup, claim.Group)
	a.addNumber(headerClaim, claim.Token)
}

// appendHeaders writes the record's headers as the value of Samsa-Header.
func appendHeaders(dst []byte, headers []kafka.Header) []byte {
	for i, header := range headers {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendEscaped(dst, header.Key, inList)
		if header.Value == nil {
			dst = append(dst, '!')
			continue
		}
		dst = append(dst, '=')
		dst = appendEscaped(dst, header.Value, inList)
	}
	return dst
}

// addID is Message.ID without its allocation, behind a prefix.
func (a *attempt) addID(name, prefix string, message kafka.Message) {
	from := len(a.text)
	a.text = append(a.text, prefix...)
	a.text = appendEscaped(a.text, message.Partition.Topic, inText)
	a.text = append(a.text, '/')
	a.text = appendEscaped(a.text, message.Partition.ID, inText)
	a.text = append(a.text, '/')
	a.text = strconv.AppendInt(a.text, message.Offset, 10)
	if message.Index > 0 {
		a.text = append(a.text, '.')
		a.text = strconv.AppendInt(a.text, int64(message.Index), 10)
	}
	a.add(name, from)
}

func (a *attempt) addText(name, value string) {
	from := len(a.text)
	a.text = appendEscaped(a.text, value, inText)
	a.add(name, from)
}

func (a *attempt) addNumber(name string, value int64) {
	from := len(a.text)
	a.text = strconv.AppendInt(a.text, value, 10)
	a.add(name, from)
}

// add makes what was appended to text since from the value of a header.
func (a *attempt) add(name string, from int) {
	a.fields = append(a.fields, field{name: name, from: from, to: len(a.text)})
}

// setFields makes one string of all values, and of that string the header's lines.
func (a *attempt) setFields() {
	text := string(a.text)
	for _, f := range a.fields {
		a.set(f.name, text[f.from:f.to])
	}
}

func (a *attempt) set(name, value string) {
	n := len(a.lines)
	// Where this grows, earlier headers keep the old array.
	a.lines = append(a.lines, value)
	a.header[name] = a.lines[n : n+1 : n+1]
}
