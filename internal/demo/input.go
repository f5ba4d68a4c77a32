// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// maxLine is what fits into a message under Kafka's default message.max.bytes of 1,048,588, which counts the batch's
// own bytes too (61 for its header, some 20 for the record's).
const maxLine = 1_000_000

// defaultInputs are tried in this order: the first is in the repository, the others are on any machine.
var defaultInputs = []string{"go.sum", "/etc/services", "/etc/passwd"}

// input gives the lines of a file, again from the top when they are through.
type input struct {
	name   string
	file   *os.File
	reader *bufio.Reader
	// line counts from 1; lines is what the file has, 0 until it is through for the first time.
	line, lines int
}

// openInput opens a file of lines; an empty name takes the first default that there is.
func openInput(name string) (*input, error) {
	if name == "" {
		name = findInput()
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	in := &input{name: name, file: file, reader: bufio.NewReaderSize(file, maxLine+1)}
	if _, err := in.reader.Peek(1); err != nil {
		_ = file.Close()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("input: %s is empty; give a file with lines", name)
		}
		return nil, fmt.Errorf("input: %w", err)
	}
	return in, nil
}

func findInput() string {
	for _, name := range defaultInputs {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return name
		}
	}
	return defaultInputs[len(defaultInputs)-1] // opening it says what is wrong
}

// next gives the next line, without its end.
func (in *input) next() ([]byte, error) {
	raw, err := in.reader.ReadSlice('\n')
	line := bytes.TrimSuffix(raw, []byte("\n"))
	in.line++
	switch {
	case errors.Is(err, io.EOF) && len(raw) == 0:
		return in.again()
	case errors.Is(err, bufio.ErrBufferFull), len(line) > maxLine:
		return nil, fmt.Errorf("input: line %d of %s is longer than %d bytes; shorten it or choose another file",
			in.line, in.name, maxLine)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("input: line %d: %w", in.line, err)
	}
	return slices.Clone(line), nil
}

func (in *input) again() ([]byte, error) {
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("input: %s cannot be read again: %w", in.name, err)
	}
	in.reader.Reset(in.file)
	in.lines, in.line = in.line-1, 0
	if in.lines == 0 {
		return nil, fmt.Errorf("input: %s became empty", in.name)
	}
	return in.next()
}

func (in *input) close() { _ = in.file.Close() }
