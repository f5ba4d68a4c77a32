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
	return append(AppendProduceHead(dst, q.Topic, q.Partition, len(q.Set)), q.Set...)
}

// AppendProduceHead appends what stands before the set in the frame of a ProduceRequest. It is for sets whose size is
// known before they are made: made behind it, nothing has to be copied.
func AppendProduceHead(dst []byte, topic string, partition int32, setSize int) []byte {
	dst = appendInt32(dst, int32(ProduceHeadSize(topic)-SizeBytes+setSize)) //nolint:gosec // frames stay below 2 GiB
	return appendProduceFields(appendInt16(dst, int16(APIProduce)), topic, partition, setSize)
}

// ProduceHeadSize is how many bytes AppendProduceHead appends.
func ProduceHeadSize(topic string) int { return SizeBytes + 2 + 2 + len(topic) + 4 + 4 }

func appendProduceFields(dst []byte, topic string, partition int32, setSize int) []byte {
	dst = appendString(dst, topic)
	dst = appendInt32(dst, partition)
	return appendInt32(dst, int32(setSize)) //nolint:gosec // frames stay below 2 GiB
}

func (q *ProduceRequest) appendBody(dst []byte) []byte {
	return append(appendProduceFields(dst, q.Topic, q.Partition, len(q.Set)), q.Set...)
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
