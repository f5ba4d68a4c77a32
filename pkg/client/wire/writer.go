// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// maxAckWait bounds how long a broker waits for replicas before it says that it did not hear of them in time: longer
// than a replica that fell behind may take to drop out of those that are waited for (Kafka's default is 30 s, which is
// as long as a message has) helps nobody.
const maxAckWait = 10 * time.Second

// How many have to have a message: Kafka's numbers.
const (
	AllReplicas int16 = -1
	NoReplica   int16 = 0
	LeaderAlone int16 = 1
)

// WriterConfig says how a Writer writes.
type WriterConfig struct {
	Topic string
	// Acks is who has to have a message before it counts.
	Acks        int16
	Compression kafka.Compression
	// Timeout is the longest that a message may take.
	Timeout time.Duration
}

// Writer writes batches to the partitions of one topic, for a dispatcher. Each bears a number of its producer's
// sequence, by which brokers from Kafka 0.11 on recognize one that is repeated.
//
// It makes its requests itself rather than leave them to franz-go's producer, which repeats what it sent as it sees
// fit: whether a given message was certainly not written, so that it may go elsewhere, that cannot say; and when a
// broker refuses one message of a partition, it fails all that are behind it for that one's reason.
type Writer struct {
	client     *kgo.Client
	config     WriterConfig
	compressor kgo.Compressor
	running    sync.WaitGroup
	buffers    sync.Pool // of *[]byte
	topicID    atomic.Pointer[[16]byte]
	sequences  sequences
}

var _ dispatch.Outlet = (*Writer)(nil)

// NewWriter makes one. It connects when it is first used.
func NewWriter(config Config, writing WriterConfig) (*Writer, error) {
	config.Compression = writing.Compression
	config = config.withDefaults()
	compressor, err := kgo.DefaultCompressor(config.codec())
	if err != nil {
		return nil, fmt.Errorf("compression %s: %w", config.Compression, err)
	}
	options := append(config.common(config.Brokers),
		kgo.ProduceRequestTimeout(min(writing.Timeout, maxAckWait)), kgo.DisableIdempotentWrite())
	if writing.Acks == NoReplica { // franz-go must know that no answer comes
		options = append(options, kgo.RequiredAcks(kgo.NoAck()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("kafka client for producing: %w", err)
	}
	w := &Writer{client: client, config: writing, compressor: compressor, sequences: newSequences()}
	w.sequences.plain.Store(writing.Acks == NoReplica)
	w.buffers.New = func() any { return new([]byte) }
	return w, nil
}

// SetBrokers replaces the addresses to begin with.
func (w *Writer) SetBrokers(brokers []string) error {
	if err := w.client.UpdateSeedBrokers(brokers...); err != nil {
		return fmt.Errorf("broker addresses %q: %w", brokers, err)
	}
	return nil
}

// Close implements dispatch.Outlet.
func (w *Writer) Close() {
	w.client.Close()
	w.running.Wait()
}

// GiveUp implements dispatch.Outlet.
func (w *Writer) GiveUp(partition string) { w.sequences.forget(partition) }

// Send implements dispatch.Outlet.
func (w *Writer) Send(ctx context.Context, broker string, batches []*dispatch.Batch) {
	node, err := strconv.ParseInt(broker, 10, 32)
	if err != nil {
		judgeAll(batches, dispatch.Retry, fmt.Errorf("broker %q: %w", broker, err))
		return
	}
	producer, err := w.sequences.producer(ctx, w.client.Broker(int(node)))
	if err != nil {
		for _, batch := range batches {
			batch.Spare()
		}
		judgeAll(batches, dispatch.Retry, explain(err))
		return
	}
	request, buffer := w.request(producer, batches)
	if len(request.batches) == 0 {
		return
	}
	if w.config.Acks == NoReplica {
		w.sendUnheard(ctx, int(node), request)
		return
	}
	answer, err := ask[*kmsg.ProduceResponse](ctx, w.client.Broker(int(node)), request)
	if err != nil {
		w.unanswered(request.batches, explain(err))
		return // what was encoded may still be read
	}
	if w.judge(request.batches, answer) {
		w.buffers.Put(buffer)
	}
}

func judgeAll(batches []*dispatch.Batch, verdict dispatch.Verdict, err error) {
	for _, batch := range batches {
		batch.Judge(verdict, err)
	}
}

// unanswered judges batches of which no broker has said anything.
func (w *Writer) unanswered(batches []*dispatch.Batch, err error) {
	for _, batch := range batches {
		switch {
		case batch.Spare():
			batch.Judge(dispatch.Retry, err)
		case w.sequences.has(batch.Partition):
			batch.Judge(dispatch.Unheard, err)
		default:
			batch.Judge(dispatch.Lost, err)
		}
	}
}

// sendUnheard sends what is not answered.
func (w *Writer) sendUnheard(ctx context.Context, node int, request *produceRequest) {
	leaving := request.leaving() // franz-go does not say when bytes leave
	if leaving == nil {
		return
	}
	_, err := w.client.Broker(node).Request(ctx, leaving)
	switch {
	case err == nil:
		judgeAll(request.batches, dispatch.Sent, nil)
	case isDial(err):
		judgeAll(request.batches, dispatch.Retry, explain(err))
	default:
		judgeAll(request.batches, dispatch.Lost, explain(err))
	}
}

// request makes the request that carries batches. Its buffer is used again once nobody reads it any more.
func (w *Writer) request(producer producerID, batches []*dispatch.Batch) (*produceRequest, *[]byte) {
	buffer := w.buffers.Get().(*[]byte)
	*buffer = (*buffer)[:0]
	request := &produceRequest{ProduceRequest: kmsg.NewPtrProduceRequest()}
	request.Acks = w.config.Acks
	request.TimeoutMillis = int32(min(w.config.Timeout, maxAckWait).Milliseconds()) //nolint:gosec // seconds
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = w.config.Topic
	if id := w.topicID.Load(); id != nil {
		topic.TopicID = *id
	}
	for _, batch := range batches {
		if batch.Encoded == nil && !w.encode(batch, producer, buffer) {
			continue
		}
		partition := kmsg.NewProduceRequestTopicPartition()
		number, _ := strconv.ParseInt(batch.Partition, 10, 32) // the topology's own
		partition.Partition, partition.Records = int32(number), batch.Encoded
		topic.Partitions = append(topic.Partitions, partition)
		request.batches = append(request.batches, batch)
	}
	request.Topics = append(request.Topics, topic)
	return request, buffer
}

// encode encodes a batch into a buffer, unless it was withdrawn.
func (w *Writer) encode(batch *dispatch.Batch, producer producerID, buffer *[]byte) bool {
	if !batch.Load() {
		return false
	}
	begin := len(*buffer)
	*buffer = slices.Grow(*buffer, encodedSize(batch.Items))
	*buffer = appendBatch(*buffer, batch.Items, w.sequences.of(batch.Partition, producer), w.compressor)
	batch.Encoded = (*buffer)[begin:len(*buffer):len(*buffer)]
	batch.Loaded()
	return true
}

// encodedSize is the most that a batch takes.
func encodedSize(items []*dispatch.Item) (size int) {
	for _, item := range items {
		size += batchSize(&item.Message)
	}
	return size
}
