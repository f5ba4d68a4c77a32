// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// errClosedPipe says that nobody reads what is printed any more, which is how one says that it was enough.
var errClosedPipe = errors.New("the standard output is closed")

// printer writes messages, each with one write: what was written without an error has left the process, and may be
// acknowledged.
type printer struct {
	out    io.Writer
	format string
	line   bytes.Buffer
	begun  bool
}

func (p *printer) print(m kafka.Message) error {
	p.line.Reset()
	switch p.format {
	case formatJSON:
		if err := writeJSON(&p.line, newPrinted(m)); err != nil {
			return err
		}
	case formatTable:
		p.row(m)
	default:
		p.line.Write(m.Value)
		p.line.WriteByte('\n')
	}
	_, err := p.out.Write(p.line.Bytes())
	if errors.Is(err, syscall.EPIPE) {
		return errClosedPipe
	}
	return err
}

// row is a line of a table whose other lines are not known yet: so columns have a width that suits most.
func (p *printer) row(m kafka.Message) {
	const columns = "%-24s  %12s  %-16s  %s\n"
	if !p.begun {
		p.begun = true
		fmt.Fprintf(&p.line, columns, "PARTITION", "OFFSET", "KEY", "VALUE")
	}
	offset := strconv.FormatInt(m.Offset, 10)
	if m.Index > 0 {
		offset += "." + strconv.Itoa(int(m.Index))
	}
	fmt.Fprintf(&p.line, columns, m.Partition, offset, shown(m.Key), shown(m.Value))
}

// shown is a key or value in a table.
func shown(value []byte) string {
	if value == nil {
		return "-"
	}
	return harmless(string(value))
}

// harmless is text as it is, and everything else so that it does no harm to a terminal.
func harmless(text string) string {
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return strconv.Quote(text)
		}
	}
	return text
}

// printed is a message as JSON. Keys and values that are text are strings; others are null there, and in base64 under
// another name, so that nobody takes one for the other.
type printed struct {
	Topic       string          `json:"topic"`
	Partition   string          `json:"partition"`
	Offset      int64           `json:"offset"`
	Index       int32           `json:"index"`
	Timestamp   *string         `json:"timestamp"`
	Key         *string         `json:"key"`
	KeyBase64   string          `json:"keyBase64,omitempty"`
	Value       *string         `json:"value"`
	ValueBase64 string          `json:"valueBase64,omitempty"`
	Headers     []printedHeader `json:"headers"`
}

type printedHeader struct {
	Key         string  `json:"key"`
	Value       *string `json:"value"`
	ValueBase64 string  `json:"valueBase64,omitempty"`
}

func newPrinted(m kafka.Message) printed {
	p := printed{
		Topic: m.Partition.Topic, Partition: m.Partition.ID, Offset: m.Offset, Index: m.Index,
		Headers: make([]printedHeader, len(m.Headers)),
	}
	if !m.Timestamp.IsZero() {
		text := m.Timestamp.UTC().Format(time.RFC3339Nano)
		p.Timestamp = &text
	}
	p.Key, p.KeyBase64 = textOf(m.Key)
	p.Value, p.ValueBase64 = textOf(m.Value)
	for i, h := range m.Headers {
		p.Headers[i].Key = h.Key
		p.Headers[i].Value, p.Headers[i].ValueBase64 = textOf(h.Value)
	}
	return p
}

// textOf gives bytes as text if they are, and else in base64.
func textOf(b []byte) (text *string, inBase64 string) {
	switch {
	case b == nil:
		return nil, ""
	case utf8.Valid(b):
		s := string(b)
		return &s, ""
	}
	return nil, base64.StdEncoding.EncodeToString(b)
}
