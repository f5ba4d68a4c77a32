// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const segmentSuffix = ".kafka"

// segmentName is a segment's file: where it starts, in 20 digits.
func segmentName(start int64) string { return fmt.Sprintf("%020d%s", start, segmentSuffix) }

// segment is one file of a partition's log. Bytes that were once in data never change, so that slices of it may leave
// the lock of the log.
type segment struct {
	start    int64
	data     []byte
	flushed  int // up to where data can be read
	modified time.Time
	// first is when the first bytes came; zero while there are none, and after a start of the broker.
	first time.Time
	file  *os.File // nil in memory
}

func newSegment(dir string, start int64, now time.Time) (*segment, error) {
	s := &segment{start: start, modified: now}
	if dir == "" {
		return s, nil
	}
	file, err := os.Create(filepath.Join(dir, segmentName(start)))
	if err != nil {
		return nil, fmt.Errorf("new segment: %w", err)
	}
	s.file = file
	return s, nil
}

func (s *segment) append(set []byte, now time.Time) error {
	if len(set) == 0 {
		return nil
	}
	if s.file != nil {
		if _, err := s.file.Write(set); err != nil {
			return fmt.Errorf("write segment: %w", err)
		}
	}
	s.data = append(s.data, set...)
	s.modified = now
	if s.first.IsZero() {
		s.first = now
	}
	return nil
}

// end is the position behind what can be read.
func (s *segment) end() int64 { return s.start + int64(s.flushed) }

// contains reports whether a read at the position is served from this segment.
func (s *segment) contains(position int64) bool {
	return position == s.start || position > s.start && position < s.end()
}

// remove deletes the segment.
func (s *segment) remove() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}

func (s *segment) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}
