// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

// FetchRequest asks for the bytes of a partition's log from Offset on, at most MaxSize of them. The answer is a
// FetchResponse. A broker that never saw the topic answers with an empty set, whatever the offset.
type FetchRequest struct {
	Topic     string
	Partition int32
	Offset    int64
	MaxSize   int32
}

// API implements Request.
func (*FetchRequest) API() API { return APIFetch }

// AppendTo implements Request.
func (q *FetchRequest) AppendTo(dst []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendInt16(dst, int16(APIFetch))
	return endFrame(q.appendBody(dst), start)
}

func (q *FetchRequest) appendBody(dst []byte) []byte {
	dst = appendString(dst, q.Topic)
	dst = appendInt32(dst, q.Partition)
	dst = appendInt64(dst, q.Offset)
	return appendInt32(dst, q.MaxSize)
}

// Decode decodes what stands behind the size of the frame.
func (q *FetchRequest) Decode(body []byte) error { return decodeCalled(body, q) }

func (q *FetchRequest) decode(r *reader) {
	*q = FetchRequest{
		Topic:     r.string("topic"),
		Partition: r.int32("partition"),
		Offset:    r.int64("offset"),
		MaxSize:   r.int32("max size"),
	}
}

// FetchResponse is what a broker has at a position.
type FetchResponse struct {
	Code ErrorCode
	// Set is cut at the size of the fetch, also inside a message, and never goes over the end of a segment of the log.
	// It is empty at the end of the log.
	Set []byte
}

// AppendTo appends the response as a whole frame.
func (p *FetchResponse) AppendTo(dst []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendInt16(dst, int16(p.Code))
	return endFrame(append(dst, p.Set...), start)
}

// Decode decodes what stands behind the size of the frame. Set is a slice of body.
func (p *FetchResponse) Decode(body []byte) error {
	r := newReader("FETCH response", body)
	p.Code = ErrorCode(r.int16("error code"))
	p.Set = r.take("set", r.left())
	return r.end()
}
