// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// What all Appends together may have underway; further ones wait. 64 MiB are 64 batches of Kafka's largest (1 MiB),
	// more than 5 requests in flight to each of ten brokers. The count bounds what records cost besides their bytes:
	// 100,000 x about 300 B = 30 MB.
	maxBufferedBytes   = 64 << 20
	maxBufferedRecords = 100_000
	// Metadata is asked for this often before a topic is held to be missing, backoff between: 0.1 + 0.2 + 0.4 s.
	missingTopicRetries = 3
)

// producer is the producing half of the transport.
type producer struct {
	client *kgo.Client
	writes *writeCounter
	// mu guards turns: for each partition a channel that holds one token while the messages of one Append are queued,
	// so that no others come between them.
	mu    sync.Mutex
	turns map[kafka.Partition]chan struct{}
}

// writeCounter counts produce requests that were put on the wire, in whole or in part.
type writeCounter struct {
	atomic.Int64
}

var _ kgo.HookBrokerWrite = (*writeCounter)(nil)

// OnBrokerWrite implements kgo.HookBrokerWrite.
func (w *writeCounter) OnBrokerWrite(
	_ kgo.BrokerMetadata, key int16, bytesWritten int, _, _ time.Duration, _ error,
) {
	if key == kmsg.Produce.Int16() && bytesWritten > 0 {
		w.Add(1)
	}
}

// open gives the producer, made with the first call.
func (t *Transport) open() (*producer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, kgo.ErrClientClosed
	}
	if t.producer != nil {
		return t.producer, nil
	}
	writes := new(writeCounter)
	client, err := kgo.NewClient(append(t.config.common(t.brokers),
		kgo.WithHooks(writes),
		// The partition is the caller's choice. acks=all, and sequence numbers where the broker knows them (0.11), so
		// that what franz-go repeats by itself is written once.
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(t.config.codec()),
		kgo.ProducerBatchMaxBytes(int32(t.config.MaxMessageBytes)), //nolint:gosec // at most maxBatchBytes
		kgo.MaxBufferedBytes(max(maxBufferedBytes, t.config.MaxMessageBytes)),
		kgo.MaxBufferedRecords(maxBufferedRecords),
		// No RecordDeliveryTimeout: it counts from a message's timestamp, and messages that are passed on are old. Each
		// Append ends with its context.
		kgo.UnknownTopicRetries(missingTopicRetries),
	)...)
	if err != nil {
		return nil, fmt.Errorf("kafka client for producing: %w", err)
	}
	t.producer = &producer{client: client, writes: writes, turns: make(map[kafka.Partition]chan struct{})}
	return t.producer, nil
}

// Append implements kafka.Transport. Appends to different partitions run in parallel. The messages of one Append follow
// each other in the log without others of this transport between them. Safe for concurrent use.
func (t *Transport) Append(
	ctx context.Context, partition kafka.Partition, messages []kafka.Message,
) (int64, error) {
	at, err := newCursor(partition, 0)
	if err != nil {
		return 0, &kafka.Refused{Partition: partition, Err: err}
	}
	if len(messages) == 0 {
		return 0, &kafka.Refused{Partition: partition, Err: errors.New("no messages to append")}
	}
	if ctx.Err() != nil {
		return 0, &kafka.Refused{Partition: partition, Err: ctx.Err()}
	}
	p, err := t.open()
	if err != nil {
		return 0, &kafka.Refused{Partition: partition, Err: err}
	}
	first, err := p.append(ctx, partition, at.number, messages)
	if !isRecreated(err) {
		return first, err
	}
	p.client.PurgeTopicsFromProducing(partition.Topic)
	// The first try was for the topic that is gone. That brokers which write by name have put some of it into the new one
	// is possible and rare, and twice is better than never.
	return p.append(ctx, partition, at.number, messages)
}

// isRecreated reports what franz-go says of a topic for ever once it was deleted and made again. A new one takes
// messages as any other.
func isRecreated(err error) bool { return errors.Is(err, kerr.UnknownTopicID) }

// append is one try of Append.
func (p *producer) append(
	ctx context.Context, partition kafka.Partition, number int32, messages []kafka.Message,
) (int64, error) {
	writesBefore := p.writes.Load()
	underway := newAppend(len(messages))
	turn := p.turn(partition)
	select {
	case turn <- struct{}{}:
		p.queue(ctx, partition, number, messages, underway)
		<-turn
	case <-ctx.Done():
		return 0, &kafka.Refused{Partition: partition, Err: ctx.Err()}
	}
	select {
	case <-underway.done:
	case <-ctx.Done():
		// franz-go may still write them.
		return 0, fmt.Errorf("append of %d messages to %s: %w", len(messages), partition, ctx.Err())
	}
	if underway.failure == nil {
		return underway.first, nil
	}
	if underway.certain(p.writes.Load() - writesBefore) {
		return 0, &kafka.Refused{Partition: partition, Err: underway.failure}
	}
	return 0, fmt.Errorf("append of %d messages to %s: %w", len(messages), partition, underway.failure)
}

// queue hands messages to franz-go, which calls back for each. It waits while too much is underway, until ctx ends.
func (p *producer) queue(
	ctx context.Context, partition kafka.Partition, number int32, messages []kafka.Message, underway *underway,
) {
	list := make([]kgo.Record, len(messages))
	for i := range messages {
		message := &messages[i]
		list[i] = kgo.Record{
			Topic: partition.Topic, Partition: number,
			Key: message.Key, Value: message.Value, Timestamp: message.Timestamp,
		}
		if len(message.Headers) > 0 {
			list[i].Headers = make([]kgo.RecordHeader, len(message.Headers))
			for h := range message.Headers {
				list[i].Headers[h] = kgo.RecordHeader{Key: message.Headers[h].Key, Value: message.Headers[h].Value}
			}
		}
	}
	for i := range list {
		p.client.Produce(ctx, &list[i], underway.promise)
	}
}

func (p *producer) turn(partition kafka.Partition) chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	turn := p.turns[partition]
	if turn == nil {
		turn = make(chan struct{}, 1)
		p.turns[partition] = turn
	}
	return turn
}

// underway is one Append whose messages franz-go has.
type underway struct {
	done chan struct{}
	// mu guards what follows until done is closed: franz-go calls back in order, but from several goroutines.
	mu      sync.Mutex
	open    int
	first   int64
	written int
	failure error
	// unsure says that one failure leaves open whether the message was written.
	unsure bool
	// judged says that the brokers refused one for what is not in the message, as rights are.
	judged bool
}

func newAppend(messages int) *underway {
	return &underway{done: make(chan struct{}), open: messages, first: -1}
}

// promise takes the outcome of one message.
func (u *underway) promise(record *kgo.Record, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil {
		if u.written == 0 {
			u.first = record.Offset
		}
		u.written++
	} else {
		u.fail(err)
	}
	if u.open--; u.open == 0 {
		close(u.done)
	}
}

func (u *underway) fail(err error) {
	if u.failure == nil {
		u.failure = tooLarge(explain(err))
	}
	switch {
	case refusesContent(err):
	case refusesWriter(err):
		u.judged = true
	default:
		u.unsure = true
	}
}

// certain reports whether certainly none of the messages was written. writes is how many produce requests went out
// meanwhile, of this Append or others: with none, nothing can have been written; with one, an answer was to that one,
// and no earlier try of the same messages can have gone through unheard.
func (u *underway) certain(writes int64) bool {
	switch {
	case u.written > 0:
		return false
	case writes == 0:
		return true
	case u.unsure:
		return false
	default:
		return !u.judged || writes <= 1
	}
}

// tooLarge marks errors that say so, of whatever origin.
func tooLarge(err error) error {
	if errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) {
		return fmt.Errorf("%w: %w", kafka.ErrTooLarge, err)
	}
	return err
}

// RefusesContent reports errors that Append gives, at each try alike, for what the messages are.
func RefusesContent(err error) bool { return refusesContent(err) }

// refusesContent reports errors that a broker gives, at each try alike, for what the messages are.
func refusesContent(err error) bool {
	for _, content := range []*kerr.Error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.CorruptMessage,
		kerr.UnsupportedForMessageFormat, kerr.UnsupportedCompressionType, kerr.InvalidTopicException,
	} {
		if errors.Is(err, content) {
			return true
		}
	}
	return false
}

// refusesWriter reports errors that a broker gives, before it writes, for who asks or where.
func refusesWriter(err error) bool {
	for _, writer := range []*kerr.Error{
		kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.UnknownTopicOrPartition,
		kerr.PolicyViolation, kerr.NotEnoughReplicas,
	} {
		if errors.Is(err, writer) {
			return true
		}
	}
	return false
}
