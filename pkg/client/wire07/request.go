// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"encoding/binary"
	"fmt"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	codeBytes = 2
	// partHead stands before the set of each part of an answer: its size, and its error code.
	partHead = protocol.SizeBytes + codeBytes
	// offsetsBytes is an answer with one position: error code, count, position.
	offsetsBytes = codeBytes + 4 + 8
)

// request is what is asked of a broker at once: a MULTIFETCH, and behind it questions where logs begin and end; and
// then its answer. Used again and again.
type request struct {
	parts     []part
	questions []question

	frames  []byte
	fetches protocol.MultiFetchRequest
	offsets [offsetsBytes]byte
}

// part is the fetch of one partition, and what came of it.
type part struct {
	cursor    *cursor
	partition kafka.Partition
	number    int32
	from      int64
	asked     int

	code protocol.ErrorCode
	set  []byte
	// taken says that the cursor went on behind the set; outline is what it looks like.
	taken bool
	outline
	// calmed says that this ends a trouble that the caller knows of.
	calmed bool

	// batch is what was decoded, of so many bytes, up to end; err is what is wrong behind it. keeps says that messages
	// are slices of set.
	batch kafka.Batch
	bytes int
	end   int64
	err   error
	keeps bool
}

// question asks where a log begins or ends.
type question struct {
	cursor *cursor
	time   int64 // protocol.LatestTime or EarliestTime
	answer int64
}

func (q *request) empty() bool { return len(q.parts) == 0 && len(q.questions) == 0 }

func (q *request) reset() {
	clear(q.parts)
	clear(q.questions)
	q.parts, q.questions = q.parts[:0], q.questions[:0]
}

// fetch adds a partition.
func (q *request) fetch(c *cursor, size int) {
	q.parts = append(q.parts, part{
		cursor: c, partition: c.partition, number: c.number, from: c.next, asked: size,
	})
}

// ask adds a question.
func (q *request) ask(c *cursor, time int64) {
	q.questions = append(q.questions, question{cursor: c, time: time})
}

// encode gives all of the request's frames.
func (q *request) encode() []byte {
	q.frames = q.frames[:0]
	if len(q.parts) > 0 {
		q.fetches.Fetches = q.fetches.Fetches[:0]
		for i := range q.parts {
			p := &q.parts[i]
			q.fetches.Fetches = append(q.fetches.Fetches, protocol.FetchRequest{
				Topic: p.partition.Topic, Partition: p.number, Offset: p.from,
				MaxSize: int32(p.asked), //nolint:gosec // at most maxBytes and a message's overhead
			})
		}
		q.frames = q.fetches.AppendTo(q.frames)
	}
	for i := range q.questions {
		c := q.questions[i].cursor
		q.frames = (&protocol.OffsetsRequest{
			Topic: c.partition.Topic, Partition: c.number, Time: q.questions[i].time, MaxOffsets: 1,
		}).AppendTo(q.frames)
	}
	return q.frames
}

// read reads the answers. What cannot be the answer to this request is an error: then the connection is of no use.
func (q *request) read(conn *connection, buffers *buffers) error {
	if len(q.parts) > 0 {
		if err := q.readParts(conn, buffers); err != nil {
			return err
		}
	}
	for i := range q.questions {
		if err := q.questions[i].read(conn, q.offsets[:]); err != nil {
			return err
		}
	}
	return nil
}

func (q *request) readParts(conn *connection, buffers *buffers) error {
	limit := codeBytes
	for i := range q.parts {
		limit += partHead + q.parts[i].asked
	}
	left, err := conn.receiveSize(limit)
	if err != nil {
		return err
	}
	if left < codeBytes {
		return conn.garbled("size", -1, protocol.ErrLength, "%d, want at least %d", left, codeBytes)
	}
	head, err := conn.peek(codeBytes)
	if err != nil {
		return err
	}
	if code := readCode(head); code != protocol.None {
		return conn.garbled("error code", -1, code, "of the whole answer")
	}
	left -= codeBytes
	for i := range q.parts {
		if err := q.parts[i].read(conn, buffers, i, &left); err != nil {
			return err
		}
	}
	if left > 0 {
		return conn.garbled("end", -1, protocol.ErrTrailing, "%d bytes behind %d parts", left, len(q.parts))
	}
	return nil
}

// read reads one part. left is what of the answer has not been read.
func (p *part) read(conn *connection, buffers *buffers, index int, left *int) error {
	if *left < partHead {
		return conn.garbled("part", index, protocol.ErrShort, "%d bytes are left, want at least %d", *left, partHead)
	}
	head, err := conn.peek(partHead)
	if err != nil {
		return err
	}
	size := int(int32(binary.BigEndian.Uint32(head))) - codeBytes //nolint:gosec // the wire's two's complement
	p.code = readCode(head[protocol.SizeBytes:])
	*left -= partHead
	switch {
	case size < 0 || size > p.asked:
		return conn.garbled("part's size", index, protocol.ErrLength, "a set of %d bytes, asked for %d", size, p.asked)
	case size > *left:
		return conn.garbled("part's size", index, protocol.ErrShort, "a set of %d bytes, %d are left", size, *left)
	}
	*left -= size
	p.set = buffers.get(size)
	return conn.fill(p.set)
}

func (q *question) read(conn *connection, buffer []byte) error {
	body, err := conn.receive(offsetsBytes, buffer)
	if err != nil {
		return err
	}
	var answer protocol.OffsetsResponse
	if err := answer.Decode(body); err != nil {
		return fmt.Errorf("%s: %w", conn.peer, err)
	}
	if err := answer.Code.Err(); err != nil {
		return fmt.Errorf("%s: OFFSETS response: %w", conn.peer, err)
	}
	if len(answer.Offsets) != 1 || answer.Offsets[0] < 0 {
		return fmt.Errorf("%s: OFFSETS response: positions %v, want one", conn.peer, answer.Offsets)
	}
	q.answer = answer.Offsets[0]
	return nil
}

func readCode(from []byte) protocol.ErrorCode {
	return protocol.ErrorCode(binary.BigEndian.Uint16(from)) //nolint:gosec // the wire's two's complement
}

// garbled is the error of an answer that cannot be one to what was asked.
func (c *connection) garbled(field string, index int, kind error, format string, args ...any) error {
	return fmt.Errorf("%s: %w", c.peer, &protocol.FormatError{
		Of: "MULTIFETCH response", Field: field, Index: index, Kind: kind, Detail: fmt.Sprintf(format, args...),
	})
}
