// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import "encoding/binary"

const (
	// SizeBytes is the length of what stands before each frame: the size of the rest.
	SizeBytes = 4
	// MaxRequestSize is the largest request that a broker takes unless configured otherwise: its
	// max.socket.request.bytes is 100 MiB.
	MaxRequestSize = 100 << 20
)

// FrameSize reads the size of a frame from its first SizeBytes bytes and checks it before anybody takes memory for the
// frame: it must be positive and at most limit. A peer that sends anything else is not understood any more, and its
// connection must be closed.
func FrameSize(head []byte, limit int) (int, error) {
	r := newReader("frame", head)
	size := int(r.int32("size"))
	if r.err == nil && (size <= 0 || size > limit) {
		r.fail("size", 0, ErrLength, "%d, want 1 to %d", size, limit)
	}
	return size, r.done()
}

// beginFrame leaves room for the size; endFrame writes it.
func beginFrame(dst []byte) (frame []byte, start int) {
	return append(dst, 0, 0, 0, 0), len(dst)
}

func endFrame(dst []byte, start int) []byte {
	putLength(dst, start)
	return dst
}

// putLength writes, at start, the number of bytes behind the length itself.
func putLength(dst []byte, start int) {
	//nolint:gosec // frames stay below 2 GiB: see the package's comment
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-SizeBytes))
}

func appendInt16(dst []byte, v int16) []byte {
	return binary.BigEndian.AppendUint16(dst, uint16(v)) //nolint:gosec // the wire's two's complement
}

func appendInt32(dst []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(v)) //nolint:gosec // the wire's two's complement
}

func appendInt64(dst []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(v)) //nolint:gosec // the wire's two's complement
}

func appendString(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s))) //nolint:gosec // CheckTopic keeps it below 1 KiB
	return append(dst, s...)
}

// Request is one of the five requests.
type Request interface {
	// API says which one it is.
	API() API
	// AppendTo appends the request as a whole frame.
	AppendTo(dst []byte) []byte
	decode(r *reader)
}

// DecodeRequest decodes what stands behind the size of a request's frame. Bytes behind the last field are left alone,
// as Kafka's broker leaves them.
func DecodeRequest(body []byte) (Request, error) {
	r := newReader("request", body)
	api := API(r.int16("api"))
	request := newRequest(api)
	if request == nil {
		r.fail("api", 0, ErrAPI, "%d, want 0 to 4", int16(api))
		return nil, r.done()
	}
	r.of = api.String() + " request"
	request.decode(r)
	if err := r.done(); err != nil {
		return nil, err
	}
	return request, nil
}

func newRequest(api API) Request {
	switch api {
	case APIProduce:
		return new(ProduceRequest)
	case APIFetch:
		return new(FetchRequest)
	case APIMultiFetch:
		return new(MultiFetchRequest)
	case APIMultiProduce:
		return new(MultiProduceRequest)
	case APIOffsets:
		return new(OffsetsRequest)
	default:
		return nil
	}
}

// decodeCalled decodes a request whose kind is known.
func decodeCalled(body []byte, request Request) error {
	r := newReader(request.API().String()+" request", body)
	if api := API(r.int16("api")); r.err == nil && api != request.API() {
		r.fail("api", 0, ErrAPI, "%s, want %s", api, request.API())
	}
	request.decode(r)
	return r.done()
}
