// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	// maxSegments is of how many segments of a partition a place by time is looked for: at 512 MiB each, of 32 TiB.
	maxSegments = 1 << 16
	// mtimeGrain is how coarse the time of a file's last write may be: some file systems and virtual machines keep whole
	// seconds, cut off.
	mtimeGrain = time.Second
	// askAtOnce is how many partitions are asked for before answers are read: 2 x 64 requests of 30 to 300 bytes fit into
	// the sockets' buffers (128 KiB), or broker and client could wait for each other to read.
	askAtOnce = 64
)

// survey asks one broker where a place is in the logs of some partitions.
type survey struct {
	at       kafka.Place
	subjects []*subject
	err      error // of those that were not answered for
}

// subject is one of the partitions.
type subject struct {
	partition kafka.Partition
	number    int32
	answered  bool
	position  int64
	err       error
}

func (s *survey) collect(found map[kafka.Partition]int64, failures map[kafka.Partition]error) {
	for _, subject := range s.subjects {
		switch {
		case subject.err != nil:
			failures[subject.partition] = subject.err
		case subject.answered:
			found[subject.partition] = subject.position
		default:
			failures[subject.partition] = s.err
		}
	}
}

func (s *survey) run(ctx context.Context, t *Transport, broker string) error {
	conn, err := t.connect(ctx, broker)
	if err != nil {
		return err
	}
	defer conn.close()
	for batch := range slices.Chunk(s.subjects, askAtOnce) {
		if err := probe(conn, batch); err != nil {
			return err
		}
		// A broker closes the connection if it is asked for the positions of what it does not have.
		known := slices.DeleteFunc(slices.Clone(batch), func(s *subject) bool { return s.err != nil })
		if err := s.ask(conn, known); err != nil {
			return err
		}
	}
	return nil
}

// probe finds out which of the partitions the broker has: a fetch of nothing tells by its error code.
func probe(conn *connection, subjects []*subject) error {
	var request protocol.MultiFetchRequest
	for _, s := range subjects {
		request.Fetches = append(request.Fetches, protocol.FetchRequest{Topic: s.partition.Topic, Partition: s.number})
	}
	if err := conn.send(request.AppendTo(nil)); err != nil {
		return err
	}
	body, err := conn.receive(codeBytes+len(subjects)*partHead, nil)
	if err != nil {
		return err
	}
	var answer protocol.MultiFetchResponse
	if err := answer.Decode(body); err != nil {
		return fmt.Errorf("%s: %w", conn.peer, err)
	}
	if len(answer.Parts) != len(subjects) {
		return conn.garbled("parts", -1, protocol.ErrLength, "%d, asked for %d", len(answer.Parts), len(subjects))
	}
	for i, s := range subjects {
		// That position 0 is not in the log any more is no news.
		if code := answer.Parts[i].Code; code != protocol.None && code != protocol.OffsetOutOfRange {
			s.err = fmt.Errorf("%s: %w", conn.peer, code)
		}
	}
	return nil
}

// ask asks for all of the partitions before it reads the first answer.
func (s *survey) ask(conn *connection, subjects []*subject) error {
	since, byTime := s.at.Time()
	var frames []byte
	for _, subject := range subjects {
		request := protocol.OffsetsRequest{
			Topic: subject.partition.Topic, Partition: subject.number, Time: protocol.EarliestTime, MaxOffsets: 1,
		}
		switch {
		case s.at.IsLatest():
			request.Time = protocol.LatestTime
		case byTime:
			frames = segmentsSince(frames, request, since)
			continue
		}
		frames = request.AppendTo(frames)
	}
	if err := conn.send(frames); err != nil {
		return err
	}
	for _, subject := range subjects {
		var err error
		if byTime {
			subject.position, err = readSince(conn)
		} else {
			subject.position, err = readPosition(conn)
		}
		if err != nil {
			return err
		}
		subject.answered = true
	}
	return nil
}

// segmentsSince asks for all segments, and then for the newest whose last write is certainly before a time. In this
// order: a segment that has not been written to for so long at the second question had not been at the first, so that
// the end that was the answer to the first is behind none that was written since.
func segmentsSince(frames []byte, request protocol.OffsetsRequest, since time.Time) []byte {
	request.Time, request.MaxOffsets = protocol.LatestTime, maxSegments
	frames = request.AppendTo(frames)
	// Negative times are words.
	request.Time, request.MaxOffsets = max(since.Add(-mtimeGrain).UnixMilli(), 0), 1
	return request.AppendTo(frames)
}

func readSince(conn *connection) (int64, error) {
	places, err := readOffsets(conn, maxSegments)
	if err != nil {
		return 0, err
	}
	before, err := readOffsets(conn, 1)
	if err != nil {
		return 0, err
	}
	if len(places) == 0 {
		return 0, fmt.Errorf("%s: %w", conn.peer, errNoPosition)
	}
	return firstBehind(places, before), nil
}

// firstBehind gives the lowest of the places, which descend, above what is before; if there is none, the highest.
func firstBehind(places, before []int64) int64 {
	if len(before) == 0 {
		return places[len(places)-1]
	}
	found := places[0]
	for _, place := range places {
		if place > before[0] {
			found = place
		}
	}
	return found
}

var errNoPosition = errors.New("the broker's answer holds no position")

func readPosition(conn *connection) (int64, error) {
	offsets, err := readOffsets(conn, 1)
	if err == nil && len(offsets) == 0 {
		err = fmt.Errorf("%s: %w", conn.peer, errNoPosition)
	}
	if err != nil {
		return 0, err
	}
	return offsets[0], nil
}

// readOffsets reads an answer with at most so many positions.
func readOffsets(conn *connection, most int) ([]int64, error) {
	body, err := conn.receive(codeBytes+4+8*most, nil)
	if err != nil {
		return nil, err
	}
	var answer protocol.OffsetsResponse
	if err := answer.Decode(body); err != nil {
		return nil, fmt.Errorf("%s: %w", conn.peer, err)
	}
	if err := answer.Code.Err(); err != nil {
		return nil, fmt.Errorf("%s: OFFSETS response: %w", conn.peer, err)
	}
	return answer.Offsets, nil
}
