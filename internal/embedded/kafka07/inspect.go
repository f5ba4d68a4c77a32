// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"slices"
	"time"
)

// Segment is one file of a partition's log.
type Segment struct {
	// Name is its file's: where it starts, in 20 digits, and ".kafka".
	Name  string
	Start int64
	// Data is all that was written, visible or not. It must not be written to.
	Data []byte
	// Visible is how much of Data fetches see.
	Visible int
	// Modified is the time of the last write.
	Modified time.Time
}

// Topics are the names of all topics that the broker has a log of, sorted.
func (b *Broker) Topics() []string { return b.logs.topics() }

// Segments are those of a partition, from the oldest on; nil where the broker has no log.
func (b *Broker) Segments(topic string, partition int32) []Segment {
	l, err := b.logs.find(topic, partition)
	if err != nil || l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Segment, 0, len(l.segments))
	for _, s := range l.segments {
		list = append(list, Segment{
			Name: segmentName(s.start), Start: s.start, Data: slices.Clip(s.data), Visible: s.flushed, Modified: s.modified,
		})
	}
	return list
}
