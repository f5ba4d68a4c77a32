// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"sync/atomic"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// records is a run of messages as they stand in the set that was fetched. Of each only its end is known; all else is
// read out of the set when it is asked for.
type records struct {
	partition kafka.Partition
	start     int64 // the position of set[0]
	set       []byte
	ends      []int32
	// home is where the set goes once released.
	home     *buffers
	released atomic.Bool
}

// Release implements kafka.Releaser.
func (r *records) Release() {
	if !r.released.Swap(true) {
		r.home.put(r.set)
	}
}

// Len implements kafka.Records.
func (r *records) Len() int { return len(r.ends) }

// Next implements kafka.Records.
func (r *records) Next(i int) int64 { return r.start + int64(r.ends[i]) }

// Size implements kafka.Records.
func (r *records) Size(i int) int {
	message := r.set[r.from(i):r.ends[i]]
	return len(message) - overhead(message)
}

// Message implements kafka.Records.
func (r *records) Message(i int) kafka.Message {
	from, end := r.from(i), r.ends[i]
	message := r.set[from:end:end]
	return kafka.Message{
		Partition: r.partition,
		Offset:    r.start + int64(from),
		Next:      r.start + int64(end),
		Value:     message[overhead(message):],
	}
}

// from is where message i begins in the set.
func (r *records) from(i int) int32 {
	if i == 0 {
		return 0
	}
	return r.ends[i-1]
}

// unwrapped is a run of messages of which some were in wrappers.
type unwrapped struct {
	partition kafka.Partition
	list      []inner
}

// inner is one message of such a run.
type inner struct {
	payload      []byte
	offset, next int64
	index        int32
}

// Len implements kafka.Records.
func (r *unwrapped) Len() int { return len(r.list) }

// Next implements kafka.Records.
func (r *unwrapped) Next(i int) int64 { return r.list[i].next }

// Size implements kafka.Records.
func (r *unwrapped) Size(i int) int { return len(r.list[i].payload) }

// Message implements kafka.Records.
func (r *unwrapped) Message(i int) kafka.Message {
	m := &r.list[i]
	return kafka.Message{
		Partition: r.partition, Offset: m.offset, Index: m.index, Next: m.next, Value: m.payload,
	}
}
