// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka

// Records is a run of messages of one partition, in offset order, as a transport holds them. Transports implement it
// over their own buffers, so that a message nobody looks at costs nothing. Implementations are immutable and safe for
// concurrent use.
type Records interface {
	Len() int
	// Message builds message i. It must not allocate for a message without headers.
	Message(i int) Message
	// Next is Message(i).Next without building the message.
	Next(i int) int64
	// Size is the number of bytes of key, value and headers of message i.
	Size(i int) int
}

// Releaser is implemented by Records whose memory can be used again.
type Releaser interface {
	// Release is Batch.Release; calls after the first do nothing.
	Release()
}

// Batch is a window on a run of messages: what goes from hand to hand between fetch and sink. Copying or slicing one
// copies no message. The zero Batch is empty.
type Batch struct {
	partition Partition
	records   Records
	from, to  int
}

// NewBatch gives the batch of all of a run's messages.
func NewBatch(partition Partition, records Records) Batch {
	return Batch{partition: partition, records: records, to: records.Len()}
}

// Partition is where all messages of the batch come from.
func (b Batch) Partition() Partition { return b.partition }

// Len is the number of messages.
func (b Batch) Len() int { return b.to - b.from }

// Message gives message i, 0 <= i < Len.
func (b Batch) Message(i int) Message { return b.records.Message(b.from + i) }

// Next is the position after message i.
func (b Batch) Next(i int) int64 { return b.records.Next(b.from + i) }

// Size is the number of bytes of key, value and headers of message i.
func (b Batch) Size(i int) int { return b.records.Size(b.from + i) }

// Bytes is the sum of the sizes of all messages.
func (b Batch) Bytes() int {
	total := 0
	for i := b.from; i < b.to; i++ {
		total += b.records.Size(i)
	}
	return total
}

// Slice gives messages i up to, not including, j.
func (b Batch) Slice(i, j int) Batch {
	b.from, b.to = b.from+i, b.from+j
	return b
}

// Release says that nobody looks at the messages any more: not at those of this batch, nor at those of any other slice
// of the run that the transport gave, nor at a key or value of one. Their memory may then be overwritten by the next
// that are fetched, which is faster than to wait until the garbage collector finds out. Nobody has to: a batch that is
// not released is collected like anything else. Safe for concurrent use.
func (b Batch) Release() {
	if r, can := b.records.(Releaser); can {
		r.Release()
	}
}

// Messages is a run held as plain messages: for tests, and for transports without buffers of their own.
type Messages []Message

// Len implements Records.
func (m Messages) Len() int { return len(m) }

// Message implements Records.
func (m Messages) Message(i int) Message { return m[i] }

// Next implements Records.
func (m Messages) Next(i int) int64 { return m[i].Next }

// Size implements Records.
func (m Messages) Size(i int) int {
	size := len(m[i].Key) + len(m[i].Value)
	for _, header := range m[i].Headers {
		size += len(header.Key) + len(header.Value)
	}
	return size
}
