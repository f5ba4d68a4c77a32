// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// loadLogs reads a broker's directory: one directory for each partition, called topic-partition.
func loadLogs(config Config, into *logs) error {
	if config.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(config.Dir, 0o755); err != nil {
		return fmt.Errorf("log directory: %w", err)
	}
	entries, err := os.ReadDir(config.Dir)
	if err != nil {
		return fmt.Errorf("log directory: %w", err)
	}
	for _, entry := range entries {
		dash := strings.LastIndexByte(entry.Name(), '-')
		partition, err := strconv.ParseInt(entry.Name()[dash+1:], 10, 32)
		if !entry.IsDir() || dash < 1 || err != nil {
			return fmt.Errorf("log directory: %s is not topic-partition; remove it", entry.Name())
		}
		dir := filepath.Join(config.Dir, entry.Name())
		segments, err := loadSegments(dir)
		if err != nil {
			return err
		}
		l, err := newLog(config, dir, entry.Name()[:dash], int32(partition), segments)
		if err != nil {
			return err
		}
		into.put(l)
	}
	return nil
}

func loadSegments(dir string) ([]*segment, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	if err != nil {
		return nil, fmt.Errorf("segments of %s: %w", dir, err)
	}
	segments := make([]*segment, 0, len(names))
	for _, name := range names {
		s, err := loadSegment(name)
		if err != nil {
			return nil, err
		}
		segments = append(segments, s)
	}
	slices.SortFunc(segments, func(a, b *segment) int { return cmp.Compare(a.start, b.start) })
	for i := 1; i < len(segments); i++ {
		if segments[i-1].end() != segments[i].start {
			return nil, fmt.Errorf("segments of %s: one ends at %d, the next starts at %d",
				dir, segments[i-1].end(), segments[i].start)
		}
	}
	if len(segments) > 0 {
		if err := segments[len(segments)-1].trim(); err != nil {
			return nil, err
		}
	}
	return segments, nil
}

func loadSegment(name string) (*segment, error) {
	start, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(name), segmentSuffix), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("segment %s: its name is not a position", name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("load segment: %w", err)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("load segment: %w", err)
	}
	modified := time.Time{}
	if info, err := file.Stat(); err == nil {
		modified = info.ModTime()
	}
	return &segment{start: start, data: data, flushed: len(data), modified: modified, file: file}, nil
}

// trim cuts the log's last segment behind its last whole message, as a start of the broker does.
func (s *segment) trim() error {
	it := protocol.Iterator{Shallow: true}
	it.Reset(s.data, 0)
	for it.Next() {
		continue
	}
	size := int(it.Position())
	if size == len(s.data) {
		return nil
	}
	s.data, s.flushed = s.data[:size:size], size
	if err := s.file.Truncate(int64(size)); err != nil {
		return fmt.Errorf("recover segment: %w", err)
	}
	return nil
}
