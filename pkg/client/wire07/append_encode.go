// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"errors"
	"fmt"
	"slices"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	// maxSet bounds what one PRODUCE carries, before it is compressed; a larger Append is several of them, and a message
	// above it goes alone. A broker holds each request whole in its heap, 512 MB by default: room for dozens of such.
	maxSet = 8 << 20
	// maxInner bounds a message that is compressed: what consumers inflate at most of one wrapper.
	maxInner = protocol.DefaultInflateLimit - protocol.Overhead
	// maxKept bounds the memory that an encoder keeps from one Append to the next. 200 messages of 1 KiB need 0.2 MiB.
	maxKept = 1 << 20
)

// checkMessages says what a broker would not store, and so must not be sent.
func checkMessages(topic string, messages []kafka.Message, config Config) error {
	if len(messages) == 0 {
		return errors.New("no messages to append")
	}
	limit, reason := config.MaxMessageBytes, "maxMessageBytes is"
	if room := protocol.MaxRequestSize - protocol.ProduceHeadSize(topic) - protocol.Overhead; room < limit {
		limit, reason = room, "the request that brokers take leaves"
	}
	if config.Compression != kafka.Uncompressed {
		limit, reason = maxInner, "what consumers inflate leaves"
	}
	for i := range messages {
		switch m := &messages[i]; {
		case m.Value == nil:
			return fmt.Errorf("message %d has no value: Kafka 0.7 has no tombstones, and would store an empty one: %w",
				i, kafka.ErrUnfit)
		case len(m.Headers) > 0:
			return fmt.Errorf("message %d has headers, which Kafka 0.7 cannot store: %w", i, kafka.ErrUnfit)
		case len(m.Value) > limit:
			return fmt.Errorf("message %d has %d bytes, %s %d: %w", i, len(m.Value), reason, limit, kafka.ErrTooLarge)
		}
	}
	return nil
}

// requestSize is how many bytes messages take on their way, if they are not compressed.
func requestSize(topic string, messages []kafka.Message) int {
	size := protocol.ProduceHeadSize(topic) + len(messages)*protocol.Overhead
	for i := range messages {
		size += len(messages[i].Value)
	}
	return size
}

// encoder makes the requests of one Append after the other.
type encoder struct {
	requests []byte
	// question is where in requests the OFFSETS behind the messages begins.
	question int
	payloads [][]byte
	// Only where messages are compressed.
	set, wrapper []byte
	compressor   protocol.Compressor
}

// encode makes the requests of an Append whose messages were checked.
func (e *encoder) encode(topic string, number int32, messages []kafka.Message, config Config) error {
	e.payloads = slices.Grow(e.payloads[:0], len(messages))
	for i := range messages {
		e.payloads = append(e.payloads, messages[i].Value)
	}
	question := protocol.OffsetsRequest{
		Topic: topic, Partition: number, Time: protocol.EarliestTime, MaxOffsets: 1,
	}
	e.requests = e.requests[:0]
	if config.Compression == kafka.Uncompressed {
		e.requests = slices.Grow(e.requests, requestSize(topic, messages)+2*protocol.ProduceHeadSize(topic))
	}
	for rest := e.payloads; len(rest) > 0; {
		n := fitting(rest)
		if err := e.produce(topic, number, rest[:n], config); err != nil {
			return err
		}
		rest = rest[n:]
	}
	e.question = len(e.requests)
	e.requests = question.AppendTo(e.requests)
	return nil
}

// fitting is how many payloads one PRODUCE carries, one at least.
func fitting(payloads [][]byte) int {
	size := 0
	for i, payload := range payloads {
		if size += protocol.Overhead + len(payload); size > maxSet && i > 0 {
			return i
		}
	}
	return len(payloads)
}

// produce appends a PRODUCE of all payloads, compressed into one wrapper if so configured. If a broker would drop that
// it makes several of it.
func (e *encoder) produce(topic string, number int32, payloads [][]byte, config Config) error {
	if config.Compression == kafka.Uncompressed {
		e.requests = protocol.AppendProduceHead(e.requests, topic, number, protocol.SetSize(payloads))
		e.requests = protocol.AppendMessages(e.requests, payloads)
		return nil
	}
	e.set = protocol.AppendMessages(e.set[:0], payloads)
	wrapper, err := e.compressor.AppendWrapper(e.wrapper[:0], codecOf(config.Compression), e.set)
	if err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	e.wrapper = wrapper
	if size := len(wrapper) - protocol.Overhead; size > config.MaxMessageBytes {
		if half := len(payloads) / 2; half > 0 {
			if err := e.produce(topic, number, payloads[:half], config); err != nil {
				return err
			}
			return e.produce(topic, number, payloads[half:], config)
		}
		return fmt.Errorf("a message of %d bytes has %d as a %s wrapper, maxMessageBytes is %d: %w",
			len(payloads[0]), size, config.Compression, config.MaxMessageBytes, kafka.ErrTooLarge)
	}
	e.requests = protocol.AppendProduceHead(e.requests, topic, number, len(wrapper))
	e.requests = append(e.requests, wrapper...)
	return nil
}

func codecOf(compression kafka.Compression) protocol.Codec {
	if compression == kafka.Gzip {
		return protocol.Gzip
	}
	return protocol.Snappy
}

// reset lets go of the messages, and reports whether the encoder may be used again.
func (e *encoder) reset() bool {
	clear(e.payloads[:cap(e.payloads)])
	return cap(e.requests)+cap(e.set)+cap(e.wrapper) <= maxKept && cap(e.payloads) <= maxKept/protocol.Overhead
}
