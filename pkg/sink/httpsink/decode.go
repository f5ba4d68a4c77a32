// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// Decode rebuilds the message from a request that a Sink made, of either format, and the claim under which it
// came: it is the receiver's side of this package. A value longer than maxValue bytes is refused, with at most
// that much memory taken.
//
// Message.Next does not travel and is zero: a position is the consumer's affair.
func Decode(request *http.Request, maxValue int64) (kafka.Message, sink.Claim, error) {
	d := decoder{header: request.Header}
	var message kafka.Message
	message.Partition.Topic = string(d.required(headerTopic))
	message.Partition.ID = string(d.required(headerPartition))
	message.Offset = d.number(headerOffset, math.MinInt64, math.MaxInt64)
	if d.has(headerIndex) {
		message.Index = int32(d.number(headerIndex, 1, math.MaxInt32))
	}
	if d.has(headerTimestamp) {
		message.Timestamp = time.UnixMilli(d.number(headerTimestamp, math.MinInt64, math.MaxInt64))
	}
	if d.has(headerKey) {
		message.Key = d.required(headerKey)
	}
	message.Headers = d.headers()
	claim := sink.Claim{
		Group: string(d.required(headerGroup)),
		Token: d.number(headerClaim, math.MinInt64, math.MaxInt64),
	}
	if d.err != nil {
		return kafka.Message{}, sink.Claim{}, d.err
	}
	value, err := readValue(request, maxValue)
	if err != nil {
		return kafka.Message{}, sink.Claim{}, err
	}
	if !d.has(headerTombstone) {
		message.Value = value
	} else if len(value) > 0 {
		return kafka.Message{}, sink.Claim{}, errors.New(headerTombstone + ": a null value came with a body")
	}
	return message, claim, nil
}

// readValue reads the body. The result is never nil without an error.
func readValue(request *http.Request, limit int64) ([]byte, error) {
	if request.ContentLength > limit {
		return nil, fmt.Errorf("body: %d bytes are more than %d", request.ContentLength, limit)
	}
	value := []byte{}
	if request.Body == nil {
		return value, nil
	}
	buffer := bytes.NewBuffer(value)
	if request.ContentLength > 0 {
		// One more than needed, or the buffer would double to find the end.
		buffer.Grow(int(request.ContentLength) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(request.Body, min(limit, math.MaxInt64-1)+1))
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if n > limit {
		return nil, fmt.Errorf("body: more than %d bytes", limit)
	}
	return buffer.Bytes(), nil
}

// decoder reads headers until the first error.
type decoder struct {
	header http.Header
	err    error
}

func (d *decoder) fail(name string, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("header %s: %w", name, err)
	}
}

func (d *decoder) has(name string) bool { return len(d.header[name]) > 0 }

// required gives the bytes of a header that must be there once. The result is never nil without an error.
func (d *decoder) required(name string) []byte {
	lines := d.header[name]
	if len(lines) != 1 {
		d.fail(name, fmt.Errorf("there are %d, there must be 1: is this a delivery of samsa's?", len(lines)))
		return nil
	}
	value, err := unescape(lines[0], inText)
	if err != nil {
		d.fail(name, err)
	}
	return value
}

func (d *decoder) number(name string, least, most int64) int64 {
	text := string(d.required(name))
	if d.err != nil {
		return 0
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < least || number > most {
		d.fail(name, fmt.Errorf("%q is no number from %d to %d", text, least, most))
	}
	return number
}

// headers reads the record's headers. Lines may have been joined, or blanks between elements changed, on the way.
func (d *decoder) headers() []kafka.Header {
	var headers []kafka.Header
	for _, line := range d.header[headerHeader] {
		for element := range strings.SplitSeq(line, ",") {
			element = strings.Trim(element, " \t")
			if element == "" {
				continue // RFC 9110 §5.6.1.2: empty elements of a list mean nothing.
			}
			header, err := decodeHeader(element)
			if err != nil {
				d.fail(headerHeader, err)
				return nil
			}
			headers = append(headers, header)
		}
	}
	return headers
}

func decodeHeader(element string) (kafka.Header, error) {
	end := strings.IndexAny(element, "=!")
	if end < 0 {
		return kafka.Header{}, fmt.Errorf("neither = nor ! is in %q", element)
	}
	name, err := unescape(element[:end], inList)
	if err != nil {
		return kafka.Header{}, fmt.Errorf("%q: %w", element, err)
	}
	header := kafka.Header{Key: string(name)}
	if element[end] == '!' {
		if end != len(element)-1 {
			return kafka.Header{}, fmt.Errorf("%q goes on after !, which says that the value is null", element)
		}
		return header, nil
	}
	if header.Value, err = unescape(element[end+1:], inList); err != nil {
		return kafka.Header{}, fmt.Errorf("%q: %w", element, err)
	}
	return header, nil
}
