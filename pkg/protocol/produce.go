// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

// AnyPartition lets the broker choose, at random, among all its partitions of the topic.
const AnyPartition int32 = -1

// ProduceRequest asks a broker to append a set to a partition. It is never answered. What a broker refuses makes it
// close the connection; a message above its max.message.size makes it drop the set without a word.
type ProduceRequest struct {
	Topic     string
	Partition int32
	// Set is appended to the log as it stands.
	Set []byte
}

// API implements Request.
func (*ProduceRequest) API() API { return APIProduce }

// AppendTo implements Request.
func (q *ProduceRequest) AppendTo(dst []byte) []byte {
	dst, start := beginFrame(dst)
	dst = appendInt16(dst, int16(APIProduce))
	return endFrame(q.appendBody(dst), start)
}

func (q *ProduceRequest) appendBody(dst []byte) []byte {
	dst = appendString(dst, q.Topic)
	dst = appendInt32(dst, q.Partition)
	dst = appendInt32(dst, int32(len(q.Set))) //nolint:gosec // frames stay below 2 GiB
	return append(dst, q.Set...)
}

// Decode decodes what stands behind the size of the frame. Set is a slice of body.
func (q *ProduceRequest) Decode(body []byte) error { return decodeCalled(body, q) }

func (q *ProduceRequest) decode(r *reader) {
	*q = ProduceRequest{
		Topic:     r.string("topic"),
		Partition: r.int32("partition"),
		Set:       r.take("set", int(r.int32("set's length"))),
	}
}
