// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"bytes"
	"context"
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

// input gives the first lines of a file, again from the top when they are through.
type input struct {
	name   string
	file   *os.File
	reader *bufio.Reader
	// line counts from 1; lines is how many there are, or how many of them are used.
	line, lines int
}

// openInput opens a file of lines, of which the first most are used, and reads these through once: a line that cannot
// be published is better told before anything is started. An empty name takes the first default that there is.
func openInput(ctx context.Context, name string, most int) (*input, error) {
	if name == "" {
		name = findInput()
	}
	// Looked at before it is opened: opening a pipe waits until somebody writes.
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("input: %w; give the path of a file with lines", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("input: %s is no regular file, and it is read more than once; give a file with lines", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("input: %w; give a file that you may read", err)
	}
	in := &input{name: name, file: file, reader: bufio.NewReaderSize(file, maxLine+1)}
	if err := in.check(ctx, most); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// check reads the lines that are used, counts them and goes back to the top.
func (in *input) check(ctx context.Context, most int) error {
	for in.line < most {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted while reading %s: %w", in.name, context.Cause(ctx))
		}
		if _, err := in.read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	if in.line == 0 {
		return fmt.Errorf("input: %s is empty; give a file with lines", in.name)
	}
	in.lines = in.line
	return in.rewind()
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
	if in.line == in.lines {
		if err := in.rewind(); err != nil {
			return nil, err
		}
	}
	line, err := in.read()
	if errors.Is(err, io.EOF) && in.line > 0 { // it became shorter meanwhile
		in.lines = in.line
		return in.next()
	}
	if err != nil {
		return nil, err
	}
	return slices.Clone(line), nil
}

// read gives the next line of the file, which is valid until the one after it. The error is io.EOF at the end.
func (in *input) read() ([]byte, error) {
	raw, err := in.reader.ReadSlice('\n')
	line := bytes.TrimSuffix(raw, []byte("\n"))
	switch {
	case errors.Is(err, io.EOF) && len(raw) == 0:
		return nil, fmt.Errorf("input: %s: %w", in.name, err)
	case errors.Is(err, bufio.ErrBufferFull), len(line) > maxLine:
		return nil, fmt.Errorf("input: line %d of %s is longer than %s bytes, the most that fits into a message; "+
			"shorten it (fold -b -w %d) or choose another file", in.line+1, in.name, number(maxLine), maxLine)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("input: line %d: %w", in.line+1, err)
	}
	in.line++
	return line, nil
}

func (in *input) rewind() error {
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("input: %s cannot be read again: %w", in.name, err)
	}
	in.reader.Reset(in.file)
	in.line = 0
	return nil
}

func (in *input) close() { _ = in.file.Close() }
