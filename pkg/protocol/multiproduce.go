// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

// MultiProduceRequest is several ProduceRequests in one, at most 32767. A broker executes them in their order and
// stops at the first that it refuses; those before stay done.
type MultiProduceRequest struct {
	Produces []ProduceRequest
}

// minProduce is what the shortest produce takes: an empty topic (2), partition (4), the length of an empty set (4).
const minProduce = 2 + 4 + 4

// API implements Request.
func (*MultiProduceRequest) API() API { return APIMultiProduce }

// AppendTo implements Request.
func (q *MultiProduceRequest) AppendTo(dst []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendInt16(dst, int16(APIMultiProduce))
	dst = appendInt16(dst, int16(len(q.Produces))) //nolint:gosec // at most 32767, as documented
	for i := range q.Produces {
		dst = q.Produces[i].appendBody(dst)
	}
	return endFrame(dst, start)
}

// Decode decodes what stands behind the size of the frame. The sets are slices of body.
func (q *MultiProduceRequest) Decode(body []byte) error { return decodeCalled(body, q) }

func (q *MultiProduceRequest) decode(r *reader) {
	q.Produces = make([]ProduceRequest, r.count16("count", minProduce))
	for i := range q.Produces {
		r.element = i
		q.Produces[i].decode(r)
	}
}
