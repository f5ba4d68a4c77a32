// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
)

// held counts the bytes of bodies that are in memory.
type held struct {
	bytes atomic.Int64
	most  int64
}

func (h *held) take(n int64) bool {
	if h.bytes.Add(n) > h.most {
		h.bytes.Add(-n)
		return false
	}
	return true
}

func (h *held) give(n int64) { h.bytes.Add(-n) }

// firstRead is what a body may take before any of it is there. A length that is only claimed costs no more than this:
// 10,000 callers that claim 1 MiB and send nothing hold 40 MB, not 10 GB.
const firstRead = 4 << 10

// body is what was read of a request, and what was taken for it.
type body struct {
	data  []byte
	taken int64
}

// readBody reads the whole body, in memory that grows as it comes. give back what it took.
func (x *exchange) readBody() (body, *problem) {
	var b body
	length, most := x.r.ContentLength, x.h.config.MaxBodyBytes
	if length > most {
		return b, tooLong(most)
	}
	if length == 0 {
		b.data = []byte{} // null is another value
		return b, nil
	}
	size := length
	if length < 0 || length > firstRead {
		size = min(firstRead, most+1)
	}
	for {
		if !x.h.held.take(size) {
			return b, full()
		}
		b.taken += size
		larger := make([]byte, len(b.data), len(b.data)+int(size))
		copy(larger, b.data)
		b.data = larger
		ended, err := b.fill(x.r.Body, length)
		switch {
		case err != nil:
			return b, cutOff(err)
		case int64(len(b.data)) > most:
			return b, tooLong(most)
		case ended:
			x.bytes = int64(len(b.data))
			return b, nil
		}
		// Doubled, so that reading costs no more than twice the copying; one byte more than allowed tells what is too long.
		size = min(int64(len(b.data)), most+1-int64(len(b.data)))
		if length > 0 {
			size = min(size, length-int64(len(b.data)))
		}
	}
}

// fill reads until the memory is used up or the body ends.
func (b *body) fill(from io.Reader, length int64) (ended bool, err error) {
	for len(b.data) < cap(b.data) {
		n, err := from.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return length >= 0 && int64(len(b.data)) == length, nil
}

func tooLong(most int64) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, kind: "too-large", title: "Too large", hangUp: true,
		detail: fmt.Sprintf("the body has more than %d bytes: send a stream, or a reference to where the value is", most)}
}

func full() *problem {
	p := busy("as many bodies are being read as there is memory for")
	p.hangUp = true
	return &p
}

// cutOff explains why the rest of a body does not come.
func cutOff(err error) *problem {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &problem{status: http.StatusRequestTimeout, kind: "too-slow", title: "Body too slow", hangUp: true,
			detail: "the body did not come in time"}
	}
	return &problem{status: http.StatusBadRequest, kind: "cut-off", title: "Body cut off", hangUp: true,
		detail: "the body ends early, or its framing is broken"}
}
