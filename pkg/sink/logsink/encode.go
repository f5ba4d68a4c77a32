// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package logsink

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// appendLine appends a message as one line, its end included.
func appendLine(dst []byte, message kafka.Message) []byte {
	dst = append(dst, `{"id":"`...)
	dst = appendEscaped(dst, message.Partition.Topic)
	dst = append(dst, '/')
	dst = appendEscaped(dst, message.Partition.ID)
	dst = append(dst, '/')
	dst = strconv.AppendInt(dst, message.Offset, 10)
	if message.Index > 0 {
		dst = append(dst, '.')
		dst = strconv.AppendInt(dst, int64(message.Index), 10)
	}
	dst = append(dst, `","topic":"`...)
	dst = appendEscaped(dst, message.Partition.Topic)
	dst = append(dst, `","partition":"`...)
	dst = appendEscaped(dst, message.Partition.ID)
	dst = append(dst, `","offset":`...)
	dst = strconv.AppendInt(dst, message.Offset, 10)
	if message.Index > 0 {
		dst = append(dst, `,"index":`...)
		dst = strconv.AppendInt(dst, int64(message.Index), 10)
	}
	if !message.Timestamp.IsZero() {
		dst = append(dst, `,"timestamp":`...)
		dst = strconv.AppendInt(dst, message.Timestamp.UnixMilli(), 10)
	}
	dst = append(dst, ',')
	dst = appendBytes(dst, "key", message.Key)
	dst = append(dst, ',')
	dst = appendBytes(dst, "value", message.Value)
	dst = appendHeaders(dst, message.Headers)
	return append(dst, '}', '\n')
}

func appendHeaders(dst []byte, headers []kafka.Header) []byte {
	if len(headers) == 0 {
		return dst
	}
	dst = append(dst, `,"headers":[`...)
	for i, header := range headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		dst = appendText(dst, "key", header.Key)
		dst = append(dst, ',')
		dst = appendBytes(dst, "value", header.Value)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendBytes appends a member; nil is null.
func appendBytes(dst []byte, name string, value []byte) []byte {
	if value == nil {
		dst = append(dst, '"')
		dst = append(dst, name...)
		return append(dst, `":null`...)
	}
	if !utf8.Valid(value) {
		return appendBase64(dst, name, value)
	}
	return appendMember(dst, name, value)
}

func appendText(dst []byte, name, value string) []byte {
	if !utf8.ValidString(value) {
		return appendBase64(dst, name, []byte(value))
	}
	return appendMember(dst, name, value)
}

func appendBase64(dst []byte, name string, value []byte) []byte {
	dst = append(dst, '"')
	dst = append(dst, name...)
	dst = append(dst, `Base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, value)
	return append(dst, '"')
}

func appendMember[T string | []byte](dst []byte, name string, value T) []byte {
	dst = append(dst, '"')
	dst = append(dst, name...)
	dst = append(dst, `":"`...)
	dst = appendEscaped(dst, value)
	return append(dst, '"')
}

const lowerHex = "0123456789abcdef"

// appendEscaped appends the inside of a JSON string (RFC 8259 §7). Runs that need no escape are copied whole.
func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))])); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		dst = appendEscape(dst, c)
		i += size
		from = i
	}
	return append(dst, s[from:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch {
	case c == '"', c == '\\':
		return append(dst, '\\', c)
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\t':
		return append(dst, '\\', 't')
	case c >= utf8.RuneSelf:
		return append(dst, `\ufffd`...)
	}
	return append(dst, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
}
