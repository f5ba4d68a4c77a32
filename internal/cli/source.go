// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// source gives messages one by one, and io.EOF behind the last one. What it gave belongs to the caller.
type source interface {
	next() ([]byte, error)
}

// arrived are messages that are there already: the command line's.
type arrived struct {
	values []string
	limit  int
	given  int
}

func (s *arrived) next() ([]byte, error) {
	if s.given == len(s.values) {
		return nil, io.EOF
	}
	value := s.values[s.given]
	s.given++
	if len(value) > s.limit {
		return nil, tooLong(fmt.Sprintf("message %d of the command line", s.given), int64(len(value)), s.limit)
	}
	return []byte(value), nil
}

// files are messages that are whole files.
type files struct {
	names []string
	limit int
}

func (s *files) next() ([]byte, error) {
	if len(s.names) == 0 {
		return nil, io.EOF
	}
	name := s.names[0]
	s.names = s.names[1:]
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// One byte more than may be there tells a file that is too long, whatever its size is said to be: a pipe has none.
	value, err := io.ReadAll(io.LimitReader(file, int64(s.limit)+1))
	switch {
	case err != nil:
		return nil, err
	case len(value) > s.limit:
		return nil, fmt.Errorf("file %s is longer than %d bytes, the most that a message may have (--max-message-bytes)",
			name, s.limit)
	}
	return value, nil
}

// lines are messages that end with a newline, which is no part of them, or with the input. A carriage return is a byte
// as any other, and an empty line an empty message.
type lines struct {
	in    *bufio.Reader
	limit int
	read  int
}

func newLines(in io.Reader, limit int) *lines { return &lines{in: bufio.NewReader(in), limit: limit} }

func (s *lines) next() ([]byte, error) {
	line := []byte{}
	for {
		part, err := s.in.ReadSlice('\n')
		ended := err == nil
		if ended {
			part = part[:len(part)-1]
		}
		if len(line)+len(part) > s.limit {
			return nil, fmt.Errorf("line %d is longer than %d bytes, the most that a message may have (--max-message-bytes)",
				s.read+1, s.limit)
		}
		line = append(line, part...)
		switch {
		case ended, errors.Is(err, io.EOF) && len(line) > 0:
			s.read++
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull):
		default:
			return nil, err
		}
	}
}

// lengthBytes are in front of each frame: how many follow, big-endian.
const lengthBytes = 4

// frames are messages behind their length, so that they may hold anything.
type frames struct {
	in    io.Reader
	limit int
	read  int
	at    int64
}

func newFrames(in io.Reader, limit int) *frames {
	return &frames{in: bufio.NewReader(in), limit: limit}
}

func (s *frames) next() ([]byte, error) {
	var header [lengthBytes]byte
	switch n, err := io.ReadFull(s.in, header[:]); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, s.bad("the input ends after %d of the %d bytes of its length", n, lengthBytes)
	case err != nil:
		return nil, err // io.EOF: there is no other frame
	}
	length := int64(binary.BigEndian.Uint32(header[:]))
	if length > int64(s.limit) {
		return nil, tooLong(s.name(), length, s.limit)
	}
	// What was announced may not come: the memory grows with what does.
	value := bytes.NewBuffer([]byte{})
	switch n, err := io.CopyN(value, s.in, length); {
	case errors.Is(err, io.EOF):
		return nil, s.bad("the input ends after %d of its %d bytes", n, length)
	case err != nil:
		return nil, err
	}
	s.read++
	s.at += lengthBytes + length
	return value.Bytes(), nil
}

// name says which frame comes next, and where its length is.
func (s *frames) name() string { return fmt.Sprintf("frame %d (at byte %d)", s.read+1, s.at) }

func (s *frames) bad(format string, args ...any) error {
	return fmt.Errorf("%s: %s; frames are 4 bytes of length, big-endian, and so many bytes",
		s.name(), fmt.Sprintf(format, args...))
}

func tooLong(what string, length int64, limit int) error {
	return fmt.Errorf("%s has %d bytes; the most that a message may have is %d (--max-message-bytes)", what, length, limit)
}
