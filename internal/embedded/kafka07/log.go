// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"errors"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// log is what one partition holds. After kafka.log.Log of 0.7.2.
type log struct {
	topic     string
	partition int32
	config    Config
	dir       string // empty in memory

	// mu guards what follows.
	mu        sync.Mutex
	segments  []*segment // never empty
	unflushed int        // messages, those inside wrappers counted
	lastFlush time.Time
}

func newLog(config Config, dir, topic string, partition int32, segments []*segment) (*log, error) {
	now := config.Clock.Now()
	if len(segments) == 0 {
		first, err := newSegment(dir, 0, now)
		if err != nil {
			return nil, err
		}
		segments = []*segment{first}
	}
	return &log{
		topic: topic, partition: partition, config: config, dir: dir, segments: segments, lastFlush: now,
	}, nil
}

func (l *log) last() *segment { return l.segments[len(l.segments)-1] }

// append stores a set that was checked. Whether to begin a new segment is asked before each append, not after.
func (l *log) append(set []byte, messages int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.config.Clock.Now()
	last := l.last()
	aged := !last.first.IsZero() && now.Sub(last.first) > l.config.SegmentAge
	if int64(len(last.data)) > l.config.SegmentSize || aged {
		if err := l.roll(); err != nil {
			return err
		}
	}
	if err := l.last().append(set, now); err != nil {
		return err
	}
	if l.unflushed += messages; l.unflushed >= l.config.FlushMessages {
		l.flush()
	}
	return nil
}

// roll begins a new segment.
func (l *log) roll() error {
	l.flush()
	next, err := newSegment(l.dir, l.last().end(), l.config.Clock.Now())
	if err != nil {
		return err
	}
	l.segments = append(l.segments, next)
	return nil
}

// flush makes everything visible.
func (l *log) flush() {
	if l.unflushed == 0 {
		return
	}
	last := l.last()
	last.flushed = len(last.data)
	l.unflushed = 0
	l.lastFlush = l.config.Clock.Now()
}

// flushOld is flush, if the last one was long enough ago.
func (l *log) flushOld() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.config.Clock.Now().Sub(l.lastFlush) >= l.config.FlushAge {
		l.flush()
	}
}

func (l *log) flushNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
}

// errNegativeSize says that a fetch asked for fewer than no bytes, where there are some.
var errNegativeSize = errors.New("negative fetch size")

// read gives up to size bytes from a position on, all of one segment.
func (l *log) read(position int64, size int32) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.last().end()
	if position < l.segments[0].start || position > end {
		return nil, protocol.OffsetOutOfRange
	}
	if position == end {
		return nil, nil
	}
	for _, s := range l.segments {
		if !s.contains(position) {
			continue
		}
		if size < 0 {
			return nil, errNegativeSize
		}
		from := int(position - s.start)
		to := min(from+int(size), s.flushed)
		return s.data[from:to:to], nil
	}
	return nil, nil
}

// errNegativeCount says that fewer than no offsets were asked for.
var errNegativeCount = errors.New("negative number of offsets")

// offsets gives positions before a time, the highest first.
func (l *log) offsets(at int64, most int32) ([]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if most < 0 {
		return nil, errNegativeCount
	}
	type place struct{ position, millis int64 }
	places := make([]place, 0, len(l.segments)+1)
	for _, s := range l.segments {
		places = append(places, place{s.start, s.modified.UnixMilli()})
	}
	if last := l.last(); last.flushed > 0 {
		places = append(places, place{last.end(), l.config.Clock.Now().UnixMilli()})
	}
	from := len(places) - 1
	switch at {
	case protocol.LatestTime:
	case protocol.EarliestTime:
		from = 0
	default:
		for from >= 0 && places[from].millis > at {
			from--
		}
	}
	list := make([]int64, 0, min(int(most), from+1))
	for ; from >= 0 && len(list) < int(most); from-- {
		list = append(list, places[from].position)
	}
	return list, nil
}

// emptyOffsets is offsets for a partition that was never written.
func emptyOffsets(at int64) []int64 {
	if at == protocol.LatestTime || at == protocol.EarliestTime {
		return []int64{0}
	}
	return nil
}

func (l *log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		s.close()
	}
}
