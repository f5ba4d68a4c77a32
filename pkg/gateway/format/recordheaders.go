// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"github.com/samsa-dev/samsa/pkg/gateway/strictjson"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// readHeaders reads a list of {"key": "name", "value": "base64"}; in a line of a stream value is text, and base64 goes
// by the name of valueBase64.
func (r *record) readHeaders() error {
	if null, err := r.scanner.Null(); null || err != nil {
		return err
	}
	return r.scanner.Array(func(i int) error {
		if i >= MaxHeaders {
			return unfit("headers: there are more than %d", MaxHeaders)
		}
		h := recordHeader{record: r}
		if err := r.scanner.Object(h.field); err != nil {
			return err
		}
		if !h.named {
			return unfit("headers[%d]: it has no key", i)
		}
		r.message.Headers = append(r.message.Headers, h.header)
		return nil
	})
}

type recordHeader struct {
	record       *record
	header       kafka.Header
	named, value bool
}

func (h *recordHeader) field(name string) error {
	s := h.record.scanner
	if name == "key" {
		if h.named {
			return unfit("headers: key came twice")
		}
		h.named = true
		text, err := s.Text()
		h.header.Key = string(text)
		return err
	}
	inLines := h.record.media == Lines
	if name != memberValue && !(inLines && name == memberValueBase64) {
		return unfit("headers: %q: there is no member of this name", cut(name))
	}
	if h.value {
		return unfit("headers: there is a value already")
	}
	h.value = true
	return h.readValue(s, inLines && name == memberValue)
}

func (h *recordHeader) readValue(s *strictjson.Scanner, text bool) (err error) {
	if null, err := s.Null(); null || err != nil {
		return err
	}
	if text {
		h.header.Value, err = s.Text()
		return err
	}
	h.header.Value, err = h.record.base64("headers: value")
	return err
}
