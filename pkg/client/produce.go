// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// messageCost is what a message counts for besides its bytes: what is kept to say what became of it, and what it takes
// in a batch.
const messageCost = 256

// Produced says where a message went.
type Produced struct {
	Partition kafka.Partition
	// Offset is the message's position, -1 where the broker does not tell.
	Offset int64
	// Timestamp is the message's: the broker's where that is set to use its own clock, and says so.
	Timestamp time.Time
	// Held says that a broker said it holds the message; with AcksNone none does.
	Held bool
	// Took is how long that took, from the call of Produce on.
	Took time.Duration
}

// Producer publishes to one topic for many at once: it batches what comes together, and bounds what it holds. Safe for
// concurrent use.
//
// While one broker takes writes, what is free to go anywhere is written. A message goes elsewhere only if it was
// certainly not written; so in Kafka 0.11 and later, with AcksAll or AcksLeader, what succeeded was written exactly
// once. Older ones do not recognize what is repeated: there what may have been written is not, except by franz-go
// itself when a connection to Kafka 0.8 to 0.10 breaks, so that a success may be there twice. They are asked for
// AcksAll, whatever the configuration says.
type Producer struct {
	dispatcher *dispatch.Dispatcher
	topic      string
	config     ProducerConfig
	// largest is the most bytes that a message may have: what brokers take, or all that may be buffered.
	largest int
	// deliveries are used again: 400 bytes for each message were a twelfth of all that a gateway did.
	deliveries sync.Pool
}

// Producer makes one. It connects with the first message. Close it before the cluster.
func (t *Topic) Producer(config ProducerConfig) (*Producer, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	limit := t.cluster.config.MaxMessageBytes
	if limit == 0 {
		limit = wire.DefaultMaxMessageBytes
	}
	return &Producer{
		dispatcher: dispatch.New(dispatch.Config{
			Topic: t.name, Outlet: newOutlet(t, config),
			ByKey: config.Partitioner.kind == byKey, KeyedMoves: config.KeyedMoves,
			RoundRobin: config.Partitioner.kind == roundRobin,
			Linger:     config.Linger, MaxBuffered: config.MaxBuffered, Settle: config.Settle, BatchBytes: min(limit, maxBatch),
		}),
		topic: t.name, config: config, largest: limit,
	}, nil
}

// Produce hands a message over and returns at once. done is called exactly once, from any goroutine, maybe before
// Produce returns; it must not block. The message's bytes must not change before. A message whose Partition.ID is not
// empty goes there and nowhere else; one without a timestamp gets the time of the call.
//
// A *kafka.Refused says that the message was certainly not written, and will not be, so that who sends it again makes
// no second one; around kafka.ErrBusy (more than MaxBuffered would have no outcome), ErrTooLarge, ErrUnfit, ErrNoTopic,
// ErrNoPartition, ErrUnavailable or ErrDenied, or the error of ctx if that was cancelled. After any other error it is
// unknown whether it was or will be written. The end of ctx ends the waiting as Timeout does, a tenth of a second late.
func (p *Producer) Produce(ctx context.Context, message kafka.Message, done func(Produced, error)) {
	p.put(ctx, &message, done, nil)
}

// ProduceSettled is Produce for whoever wants to know what became of a message of which done was told that this is
// unknown. Then settled is called exactly once, after done, and must not block either. Where brokers recognize what is
// repeated, the message is, beyond Timeout and the end of ctx, until one of them tells, for Settle at most: the error
// is as that of done, so that the outcome is known but in the worst case. The message's bytes may change once done was
// called. Close and GiveUpDoubts settle what is left: as unknown.
func (p *Producer) ProduceSettled(
	ctx context.Context, message kafka.Message, done, settled func(Produced, error),
) {
	p.put(ctx, &message, done, settled)
}

func (p *Producer) put(ctx context.Context, message *kafka.Message, done, settled func(Produced, error)) {
	now := time.Now()
	if message.Timestamp.IsZero() {
		message.Timestamp = now
	}
	size := wire.MessageBytes(message)
	if size > p.largest || size+messageCost > p.config.MaxBuffered {
		partition := kafka.Partition{Topic: p.topic, ID: message.Partition.ID}
		p.tell(done, Produced{}, &kafka.Refused{Partition: partition, Err: fmt.Errorf(
			"message of %d bytes, of at most %d: %w", size, min(p.largest, p.config.MaxBuffered), kafka.ErrTooLarge)})
		return
	}
	message.Timestamp = time.UnixMilli(message.Timestamp.UnixMilli()) // as it is stored
	d, ok := p.deliveries.Get().(*delivery)
	if !ok {
		d = new(delivery)
	}
	d.of, d.done = p, done
	d.Message, d.Context, d.Sender = *message, ctx, d // the rest is zero
	d.Since, d.Deadline, d.Size = now, now.Add(p.config.Timeout), size+messageCost
	if settled != nil {
		d.Settled = func(outcome dispatch.Outcome, err error) { settled(Produced(outcome), err) }
	}
	p.dispatcher.Put(&d.Item)
}

// delivery is a message on its way and who is told of it, in one piece of memory.
type delivery struct {
	dispatch.Item

	of   *Producer
	done func(Produced, error)
}

// Done implements dispatch.Sender.
func (d *delivery) Done(outcome dispatch.Outcome, err error) {
	producer, done := d.of, d.done
	if err == nil { // of any other the last word may not have been said
		*d = delivery{}
		producer.deliveries.Put(d)
	}
	producer.tell(done, Produced(outcome), err)
}

func (p *Producer) tell(done func(Produced, error), produced Produced, err error) {
	if p.config.Observe != nil {
		p.config.Observe(produced, err)
	}
	done(produced, err)
}

// GiveUpDoubts is for whoever may not be the one any more who sends a message again, since somebody else is about to:
// messages of ProduceSettled that were handed over before are not repeated beyond Timeout any more. Those whose outcome
// is unknown by then are settled as unknown.
func (p *Producer) GiveUpDoubts() { p.dispatcher.GiveUpDoubts() }

// Flush waits until everything that was handed over before has its outcome, or ctx ends.
func (p *Producer) Flush(ctx context.Context) error { return p.dispatcher.Flush(ctx) }

// Buffered is how much has no outcome yet, in bytes as MaxBuffered counts them.
func (p *Producer) Buffered() int { return p.dispatcher.Buffered() }

// Close refuses further messages and waits until every other has its outcome, which takes no longer than
// ProducerConfig.Timeout. Then it ends every connection.
func (p *Producer) Close() { p.dispatcher.Close() }
