// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

// The times of an OffsetsRequest that are none.
const (
	// LatestTime asks for the end of the log: the position that the next message will get, as far as the broker has
	// flushed.
	LatestTime int64 = -1
	// EarliestTime asks for the first position of the log.
	EarliestTime int64 = -2
)

// OffsetsRequest asks for positions before a time. The answer is an OffsetsResponse. A wrong partition and an illegal
// topic are not answered: the broker closes the connection.
type OffsetsRequest struct {
	Topic     string
	Partition int32
	// Time is LatestTime, EarliestTime, or milliseconds since 1970.
	Time int64
	// MaxOffsets is the largest number of positions wanted.
	MaxOffsets int32
}

// API implements Request.
func (*OffsetsRequest) API() API { return APIOffsets }

// AppendTo implements Request.
func (q *OffsetsRequest) AppendTo(dst []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendInt16(dst, int16(APIOffsets))
	dst = appendString(dst, q.Topic)
	dst = appendInt32(dst, q.Partition)
	dst = appendInt64(dst, q.Time)
	return endFrame(appendInt32(dst, q.MaxOffsets), start)
}

// Decode decodes what stands behind the size of the frame.
func (q *OffsetsRequest) Decode(body []byte) error { return decodeCalled(body, q) }

func (q *OffsetsRequest) decode(r *reader) {
	*q = OffsetsRequest{
		Topic:      r.string("topic"),
		Partition:  r.int32("partition"),
		Time:       r.int64("time"),
		MaxOffsets: r.int32("max offsets"),
	}
}

// OffsetsResponse holds positions, the highest first.
type OffsetsResponse struct {
	// Code is always None: what a broker cannot answer it does not answer.
	Code    ErrorCode
	Offsets []int64
}

// AppendTo appends the response as a whole frame.
func (p *OffsetsResponse) AppendTo(dst []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendInt16(dst, int16(p.Code))
	dst = appendInt32(dst, int32(len(p.Offsets))) //nolint:gosec // frames stay below 2 GiB
	for _, offset := range p.Offsets {
		dst = appendInt64(dst, offset)
	}
	return endFrame(dst, start)
}

// Decode decodes what stands behind the size of the frame. A response that ends behind an error code is complete.
func (p *OffsetsResponse) Decode(body []byte) error {
	r := newReader("OFFSETS response", body)
	*p = OffsetsResponse{Code: ErrorCode(r.int16("error code"))}
	if p.Code != None && r.left() == 0 {
		return r.done()
	}
	p.Offsets = make([]int64, r.count32("count", 8))
	for i := range p.Offsets {
		p.Offsets[i] = r.int64("offset")
	}
	return r.end()
}
