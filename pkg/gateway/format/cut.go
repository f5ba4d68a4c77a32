// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
)

// Cutter cuts the next message off the beginning of a stream. It gives the message and how many bytes it took with its
// frame; 0 bytes if more of the stream is needed, and then, if known, how many in all. ended says that nothing more
// comes. most is the longest message that is taken.
type Cutter func(data []byte, ended bool, most int) (message []byte, taken, need int, err error)

// lengthBytes is how long a length is.
const lengthBytes = 4

// CutFrame cuts a message that has its length before it: 4 bytes, big-endian, unsigned.
func CutFrame(data []byte, ended bool, most int) (message []byte, taken, need int, err error) {
	if len(data) < lengthBytes {
		if ended && len(data) > 0 {
			return nil, 0, 0, malformed("the stream ends within the length of a message")
		}
		return nil, 0, lengthBytes, nil
	}
	length := int64(binary.BigEndian.Uint32(data))
	if length > int64(most) {
		return nil, 0, 0, &Fault{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf(
			"a message of %d bytes: at most %d are taken (or what was sent does not have 4 bytes of length before each message)",
			length, most)}
	}
	end := lengthBytes + int(length)
	if len(data) < end {
		if ended {
			return nil, 0, 0, malformed("the stream ends within a message: %d of %d bytes came", len(data)-lengthBytes, length)
		}
		return nil, 0, end, nil
	}
	return data[lengthBytes:end:end], end, 0, nil
}

// CutLine cuts a line, without its end (LF, or CR LF). The last one needs none. An empty line comes out empty.
func CutLine(data []byte, ended bool, most int) (message []byte, taken, need int, err error) {
	end := bytes.IndexByte(data, '\n')
	line := data
	switch {
	case end >= 0:
		line, taken = data[:end:end], end+1
	case ended:
		taken = len(data)
	case len(data) <= most+1: // a CR may be among it
		return nil, 0, 0, nil
	}
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(line) > most {
		return nil, 0, 0, &Fault{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf(
			"a line of %d bytes or more: at most %d are taken", len(line), most)}
	}
	return line, taken, 0, nil
}
