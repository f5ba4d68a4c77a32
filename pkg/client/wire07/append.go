// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// unknownPosition is what Append returns for one: PRODUCE is not answered, and the end of the log, asked for behind
	// it, may be that of others' messages, or of before a flush.
	unknownPosition = -1

	// maxUnderway bounds, for each broker, the bytes of Appends that are not answered yet; further ones wait. 8 MiB are
	// 40 batches of 200 messages of 1 KiB, and what a gigabit link carries in 64 ms. An Append larger than that is
	// underway alone.
	maxUnderway = 8 << 20
	// connectionTries: an Append whose connection ended before any of it was written gets one new connection. Brokers
	// close what was idle, and a broker that was restarted is there again; one that ends that too has a reason.
	connectionTries = 2
)

// appends is the writing half of the transport: for each broker a pipe, made with the first Append to it.
//
// Kafka 0.7 acknowledges nothing. It executes the requests of a connection one after the other, though, so that the
// answer to any request proves that all before it were executed. Each Append is therefore a PRODUCE with an OFFSETS
// behind it, for the earliest position of the same partition: the cheapest request that is answered, and never with a
// refusal if the PRODUCE before it was none. Small Appends that were queued together share the last one's.
type appends struct {
	transport *Transport
	encoders  sync.Pool // of *encoder

	// mu guards outlets.
	mu      sync.Mutex
	outlets map[string]*outlet
}

// errElsewhere ends the connection to where a broker was before.
var errElsewhere = errors.New("the broker is registered at another address now")

func newAppends(t *Transport) *appends {
	return &appends{
		transport: t,
		encoders:  sync.Pool{New: func() any { return new(encoder) }},
		outlets:   make(map[string]*outlet),
	}
}

// append writes messages to one partition, in order, and returns when the broker has handled all of them: it has them
// visible to others as soon as it flushes, by its own settings. They survive the broker's process once it flushed them,
// and never its machine: Kafka 0.7 has no replicas. The position is not known, always -1.
//
// A *kafka.Refused says that the broker got nothing of it: the broker is not registered or not to be reached, ctx ended
// first, or the messages are such that a broker would not store them (it would drop a payload above MaxMessageBytes, or
// a wrapper of that compressed size, without a word; nothing can detect a broker that is set lower). Neither can 0.7
// store headers, nor that there is no value: both are refused. A key and a timestamp are for the choice of a partition
// and for others to look at: they are not stored.
//
// After any other error it is unknown whether the messages were written. If a broker refuses one Append it closes the
// connection, and all that were underway on it have that outcome.
//
// Appends of several goroutines share a connection, each in one round trip without waiting for the others'. The end of
// ctx ends the waiting alone. Safe for concurrent use.
func (a *appends) append(
	ctx context.Context, partition kafka.Partition, messages []kafka.Message,
) (int64, error) {
	at, err := placeOf(partition)
	if err == nil {
		err = checkMessages(partition.Topic, messages, a.transport.config)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		_, err = a.transport.brokers.address(at.broker)
	}
	if err != nil {
		return 0, &kafka.Refused{Partition: partition, Err: err}
	}
	return a.deliver(ctx, partition, at, messages)
}

// deliver is append for what can be sent.
func (a *appends) deliver(
	ctx context.Context, partition kafka.Partition, at place, messages []kafka.Message,
) (int64, error) {
	outlet := a.outlet(at.broker)
	room := min(int64(requestSize(partition.Topic, messages)), maxUnderway)
	if err := outlet.room.Acquire(ctx, room); err != nil {
		return 0, &kafka.Refused{Partition: partition, Err: err}
	}
	encoder := a.encoders.Get().(*encoder)
	release := func() {
		outlet.room.Release(room)
		if encoder.reset() {
			a.encoders.Put(encoder)
		}
	}
	if err := encoder.encode(partition.Topic, at.number, messages, a.transport.config); err != nil {
		release()
		return 0, &kafka.Refused{Partition: partition, Err: err}
	}
	switch end := outlet.deliver(ctx, newWrite(encoder, release)); {
	case end.err == nil:
		return unknownPosition, nil
	case !end.begun:
		return 0, &kafka.Refused{Partition: partition, Err: end.err}
	default:
		return 0, fmt.Errorf("append of %d messages to %s: unknown whether they were written: %w",
			len(messages), partition, end.err)
	}
}

func (a *appends) outlet(broker string) *outlet {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.outlets[broker]
	if o == nil {
		o = &outlet{transport: a.transport, broker: broker, room: semaphore.NewWeighted(maxUnderway)}
		a.outlets[broker] = o
	}
	return o
}

// outlet is what leads to one broker: a pipe, and when that has broken the next one.
type outlet struct {
	transport *Transport
	broker    string
	room      *semaphore.Weighted // in bytes

	// mu guards pipe, which is nil before the first Append.
	mu   sync.Mutex
	pipe *pipe
}

// deliver hands a write to the broker and waits for its outcome, or for the end of ctx.
func (o *outlet) deliver(ctx context.Context, w *write) outcome {
	for try := 1; ; try++ {
		p, err := o.submit(w)
		if err != nil {
			w.drop()
			return outcome{err: err}
		}
		var end outcome
		select {
		case end = <-w.done:
		case <-ctx.Done():
			if end = p.abandon(w, ctx.Err()); end.abandoned {
				return end // The pipe releases it.
			}
		}
		if end.stale && try < connectionTries && ctx.Err() == nil {
			continue
		}
		w.drop()
		return end
	}
}

// submit queues a write with a pipe to where the broker is registered.
func (o *outlet) submit(w *write) (*pipe, error) {
	address, err := o.transport.brokers.address(o.broker)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pipe != nil && o.pipe.address != address {
		o.pipe.end(errElsewhere)
		o.pipe = nil
	}
	if o.pipe != nil && o.pipe.add(w) {
		return o.pipe, nil
	}
	p := newPipe(o.transport.life, o.transport.config, o.broker, address)
	p.add(w)
	if !o.transport.spawn(func(context.Context) { p.run() }) {
		p.end(errClosed)
		return nil, errClosed
	}
	o.pipe = p
	return p, nil
}
