// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import "encoding/binary"

// MultiFetchRequest is several FetchRequests in one, at most 32767. The answer is a MultiFetchResponse.
type MultiFetchRequest struct {
	Fetches []FetchRequest
}

const (
	// minFetch is what the shortest fetch takes: an empty topic (2), partition (4), offset (8), max size (4).
	minFetch = 2 + 4 + 8 + 4
	// minPart is what the shortest part of a MULTIFETCH response takes: size (4), error code (2).
	minPart = 4 + 2
)

// API implements Request.
func (*MultiFetchRequest) API() API { return APIMultiFetch }

// AppendTo implements Request.
func (q *MultiFetchRequest) AppendTo(dst []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendInt16(dst, int16(APIMultiFetch))
	dst = appendInt16(dst, int16(len(q.Fetches))) //nolint:gosec // at most 32767, as documented
	for i := range q.Fetches {
		dst = q.Fetches[i].appendBody(dst)
	}
	return endFrame(dst, start)
}

// Decode decodes what stands behind the size of the frame.
func (q *MultiFetchRequest) Decode(body []byte) error { return decodeCalled(body, q) }

func (q *MultiFetchRequest) decode(r *reader) {
	q.Fetches = make([]FetchRequest, r.count16("count", minFetch))
	for i := range q.Fetches {
		r.element = i
		q.Fetches[i].decode(r)
	}
}

// MultiFetchResponse answers each fetch of a MultiFetchRequest, in their order.
type MultiFetchResponse struct {
	// Code is of the whole; brokers always send None.
	Code  ErrorCode
	Parts []FetchResponse
}

// AppendTo appends the response as a whole frame.
func (p *MultiFetchResponse) AppendTo(dst []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendInt16(dst, int16(p.Code))
	for i := range p.Parts {
		dst = p.Parts[i].AppendTo(dst)
	}
	return endFrame(dst, start)
}

// Decode decodes what stands behind the size of the frame. The sets are slices of body. The response does not say how
// many parts it has; whoever asked knows, and must compare. Parts is used again if it is large enough.
func (p *MultiFetchResponse) Decode(body []byte) error {
	r := newReader("MULTIFETCH response", body)
	p.Code = ErrorCode(r.int16("error code"))
	p.Parts = p.Parts[:0]
	for r.err == nil && r.left() > 0 {
		r.element = len(p.Parts)
		if part, ok := r.part(); ok {
			p.Parts = append(p.Parts, part)
		}
	}
	return r.done()
}

// part reads one part: a FETCH response with the size of its frame.
func (r *reader) part() (FetchResponse, bool) {
	at := r.at
	size := int(r.int32("part's size"))
	if r.err == nil && size < minPart-SizeBytes {
		r.fail("part's size", at, ErrLength, "%d, want at least %d", size, minPart-SizeBytes)
	}
	body := r.take("part", size)
	if r.err != nil {
		return FetchResponse{}, false
	}
	code := ErrorCode(binary.BigEndian.Uint16(body)) //nolint:gosec // the wire's two's complement
	return FetchResponse{Code: code, Set: body[2:]}, true
}
