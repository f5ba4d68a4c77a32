// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// answer is what goes back for a request.
type answer struct {
	// pieces follow one another; those out of a log are sent from where they are, as the real broker does.
	pieces [][]byte
	// cut closes the connection once the bytes are out.
	cut error
}

// handle executes a request. An error means that the connection is to be closed without an answer.
// After kafka.server.KafkaRequestHandlers of 0.7.2.
func (b *Broker) handle(body []byte) (answer, error) {
	request, err := protocol.DecodeRequest(body)
	if err != nil {
		return answer{}, err
	}
	switch q := request.(type) {
	case *protocol.ProduceRequest:
		return answer{}, b.produce(q)
	case *protocol.MultiProduceRequest:
		for i := range q.Produces {
			if err := b.produce(&q.Produces[i]); err != nil {
				return answer{}, fmt.Errorf("part %d: %w", i, err)
			}
		}
		return answer{}, nil
	case *protocol.FetchRequest:
		return b.fetch(q), nil
	case *protocol.MultiFetchRequest:
		return b.multiFetch(q), nil
	case *protocol.OffsetsRequest:
		return b.offsets(q)
	default:
		return answer{}, fmt.Errorf("no handler for %s", request.API())
	}
}

// errTooLarge says that a set is dropped without a word.
var errTooLarge = errors.New("message is larger than the broker takes")

// produce makes the log before it looks at the messages, so that a set that is refused leaves a topic behind all the
// same.
func (b *Broker) produce(q *protocol.ProduceRequest) error {
	partition := q.Partition
	if partition == protocol.AnyPartition {
		partition = int32(b.config.Random(int(b.config.partitions(q.Topic)))) //nolint:gosec // below an int32
	}
	l, err := b.logs.findOrMake(q.Topic, partition)
	if err != nil {
		return err
	}
	valid, messages, err := checkSet(q.Set, b.config.MaxMessageSize)
	if errors.Is(err, errTooLarge) {
		b.config.Logger.Warn("Set dropped", "topic", q.Topic, "partition", partition, "reason", err)
		return nil
	}
	if err != nil {
		return err
	}
	return l.append(q.Set[:valid], messages)
}

// checkSet gives how many bytes of a set are whole messages, and how many messages they are, those inside wrappers
// counted. The first thing that is wrong decides: of the outer messages in their order first, then of what is inside.
func checkSet(set []byte, maxPayload int) (valid, messages int, err error) {
	outer := protocol.Iterator{Shallow: true, Strict: true}
	outer.Reset(set, 0)
	for outer.Next() {
		if size := len(outer.Message().Payload); size > maxPayload {
			return 0, 0, fmt.Errorf("%w: payload of %d bytes, the limit is %d", errTooLarge, size, maxPayload)
		}
	}
	if err := outer.Err(); err != nil {
		return 0, 0, err
	}
	inner := protocol.Iterator{Strict: true}
	inner.Reset(set, 0)
	for inner.Next() {
		messages++
	}
	return int(outer.Position()), messages, inner.Err()
}

// fetch answers what cannot be read with an error code, except for a negative size: its answer breaks off.
func (b *Broker) fetch(q *protocol.FetchRequest) answer {
	response, err := b.read(q)
	if err != nil {
		return answer{pieces: [][]byte{cutHeader(q)}, cut: err}
	}
	return answer{pieces: appendFetched(nil, &response)}
}

// appendFetched appends a response of one fetch: its head, and its set.
func appendFetched(pieces [][]byte, response *protocol.FetchResponse) [][]byte {
	head := (&protocol.FetchResponse{Code: response.Code}).AppendTo(nil)
	putInt32(head, len(head)-protocol.SizeBytes+len(response.Set))
	return append(pieces, head, response.Set)
}

// multiFetch breaks off at the first negative size as well, but its own size is that of all parts.
func (b *Broker) multiFetch(q *protocol.MultiFetchRequest) answer {
	head := (&protocol.MultiFetchResponse{}).AppendTo(nil)
	result := answer{pieces: [][]byte{head}}
	size := len(head) - protocol.SizeBytes
	for i := range q.Fetches {
		response, err := b.read(&q.Fetches[i])
		switch {
		case err != nil && result.cut == nil:
			result.pieces, result.cut = append(result.pieces, cutHeader(&q.Fetches[i])), err
			fallthrough
		case err != nil:
			size += partHeader + int(q.Fetches[i].MaxSize)
		case result.cut == nil:
			result.pieces = appendFetched(result.pieces, &response)
			fallthrough
		default:
			size += partHeader + len(response.Set)
		}
	}
	putInt32(head, size)
	return result
}

const (
	codeBytes = 2
	// partHeader is what stands before the set of each part: its size and its error code.
	partHeader = protocol.SizeBytes + codeBytes
)

// cutHeader is what a broker writes of the answer to a fetch of a negative size before it fails: the size, with the
// error code counted, and no error.
func cutHeader(q *protocol.FetchRequest) []byte {
	header := make([]byte, partHeader)
	putInt32(header, codeBytes+int(q.MaxSize))
	return header
}

func putInt32(dst []byte, v int) {
	binary.BigEndian.PutUint32(dst, uint32(int32(v))) //nolint:gosec // the wire's two's complement
}

func (b *Broker) read(q *protocol.FetchRequest) (protocol.FetchResponse, error) {
	l, err := b.logs.find(q.Topic, q.Partition)
	if err == nil && l == nil {
		return protocol.FetchResponse{}, nil
	}
	var set []byte
	if err == nil {
		set, err = l.read(q.Offset, q.MaxSize)
	}
	var code protocol.ErrorCode
	switch {
	case err == nil:
		return protocol.FetchResponse{Set: set}, nil
	case errors.As(err, &code):
		return protocol.FetchResponse{Code: code}, nil
	default:
		return protocol.FetchResponse{}, err
	}
}

func (b *Broker) offsets(q *protocol.OffsetsRequest) (answer, error) {
	l, err := b.logs.find(q.Topic, q.Partition)
	if err != nil {
		return answer{}, err
	}
	list := emptyOffsets(q.Time)
	if l != nil {
		if list, err = l.offsets(q.Time, q.MaxOffsets); err != nil {
			return answer{}, err
		}
	}
	return answer{pieces: [][]byte{(&protocol.OffsetsResponse{Offsets: list}).AppendTo(nil)}}, nil
}
