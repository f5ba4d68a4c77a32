// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// batchWait is for how long a batch waits to be filled: fast for files, prompt for fingers.
	batchWait = 100 * time.Millisecond
	// batchPercent bounds what a batch holds: 95 % of what Kafka 0.7 takes as one message, which a batch is once it is
	// compressed. Each message counts with its frame; what does not compress grows by less than 1 %.
	batchPercent = 95
	messageFrame = 10
	// publishAttempts is how many times the timeout a batch may take: a broker that hangs costs 6 s, then the next
	// partition is tried.
	publishAttempts = 3
)

// batchBytes is what a batch holds at most where a message may have limit bytes. However small that is, each message
// still goes: alone.
func batchBytes(limit int) int { return max(min(limit, defaultMaxMessage)*batchPercent/100, 1) }

// publishing is one run of publish.
type publishing struct {
	publisher publisher
	// binding takes the messages in the publisher's place, unless it is nil.
	binding *binding
	key     []byte
	// most messages go together, and mostBytes; a larger one goes alone.
	most, mostBytes int
	timeout         time.Duration
	// held is a message for the next batch.
	held     *kafka.Message
	progress *progress
	summary  summary
}

// summary is what was acknowledged.
type summary struct {
	Topic        string         `json:"topic"`
	Acknowledged int            `json:"acknowledged"`
	Bytes        int64          `json:"bytes"`
	Partitions   map[string]int `json:"partitions"`
	// Unknown holds all of which it is unknown whether they were written; with a binding, others between them may be
	// acknowledged or refused.
	Unknown *span `json:"unknown"`
	// Refused are those that were certainly not written. Those behind the batch that failed are not among them.
	Refused []refusal `json:"refused"`
}

// span are messages, counted from 1.
type span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// refusal are messages that have no acknowledgement, and why.
type refusal struct {
	span

	Reason string `json:"reason"`
}

// read is what came from the source.
type read struct {
	value []byte
	err   error
}

// all publishes everything there is, until ctx ends. Where it fails the error says what became of the messages.
func (p *publishing) all(ctx context.Context, from source) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	messages := make(chan read)
	// Nothing can end a read from a terminal but the process's own end, so this is not waited for. From all else it ends.
	go feed(reading, from, messages)
	for {
		batch, end := p.collect(ctx, messages)
		if len(batch) > 0 && ctx.Err() == nil {
			if err := p.send(ctx, batch); err != nil {
				return err
			}
		}
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%w: %s; what came behind was not sent", context.Cause(ctx), p.done())
		case errors.Is(end, io.EOF):
			return nil
		case end != nil:
			return fmt.Errorf("%s; none behind was sent: %w", p.done(), end)
		}
	}
}

// feed reads messages until there are none, or ctx ends.
func feed(ctx context.Context, from source, messages chan<- read) {
	for ctx.Err() == nil {
		value, err := from.next()
		select {
		case messages <- read{value, err}:
		case <-ctx.Done():
		}
		if err != nil {
			return
		}
	}
}

// collect gathers a batch: as many messages as there are, within bounds. The error says why there will be no other.
func (p *publishing) collect(ctx context.Context, messages <-chan read) (batch []kafka.Message, end error) {
	size := 0
	if p.held != nil {
		batch, size, p.held = append(batch, *p.held), sizeOf(*p.held), nil
	}
	var waited <-chan time.Time
	for len(batch) < p.most && size < p.mostBytes {
		if len(batch) > 0 && waited == nil {
			waited = time.After(batchWait)
		}
		select {
		case <-ctx.Done():
			return batch, nil
		case <-waited:
			return batch, nil
		case got := <-messages:
			if got.err != nil {
				return batch, got.err
			}
			message := kafka.Message{Key: p.key, Value: got.value}
			size += sizeOf(message)
			if len(batch) > 0 && size > p.mostBytes {
				p.held = &message
				return batch, nil
			}
			batch = append(batch, message)
		}
	}
	return batch, nil
}

func sizeOf(m kafka.Message) int { return messageFrame + len(m.Key) + len(m.Value) }

// send publishes one batch. One that is under way is finished when ctx ends: what became of it is then known.
func (p *publishing) send(ctx context.Context, batch []kafka.Message) error {
	if p.binding != nil {
		return p.sendTo(ctx, p.binding, batch)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishAttempts*p.timeout)
	defer cancel()
	partition, err := p.publisher.publish(ctx, batch)
	if err != nil {
		return p.failed(len(batch), err)
	}
	p.summary.Acknowledged += len(batch)
	p.summary.Partitions[partition.ID] += len(batch)
	for _, message := range batch {
		p.summary.Bytes += int64(len(message.Key) + len(message.Value))
	}
	p.progress.tell(p.summary)
	return nil
}

// failed says what became of a batch that was not acknowledged.
func (p *publishing) failed(size int, err error) error {
	from := p.summary.Acknowledged + 1
	to := p.summary.Acknowledged + size
	if refused(err) {
		p.summary.Refused = []refusal{{span{from, to}, (&Error{Err: err}).Error()}}
		return fmt.Errorf("%s; messages %d to %d were not written, and none behind was sent: %w", p.done(), from, to, err)
	}
	p.summary.Unknown = &span{from, to}
	return &Error{Code: ExitUnknown, Err: fmt.Errorf(
		"%s; of messages %d to %d it is unknown whether they were written, and none behind was sent: %w",
		p.done(), from, to, err)}
}

func (p *publishing) done() string { return count(p.summary.Acknowledged, "message") + " acknowledged" }

// write says what was acknowledged.
func (s summary) write(out io.Writer, format string) error {
	if format == formatJSON {
		return writeJSON(out, s)
	}
	if s.Acknowledged == 0 { // by no partition, of a topic that may not be known
		_, err := fmt.Fprintln(out, "0 messages acknowledged")
		return err
	}
	_, err := fmt.Fprintf(out, "%s acknowledged by %s of %s (%s)\n", count(s.Acknowledged, "message"),
		count(len(s.Partitions), "partition"), s.Topic, count(int(s.Bytes), "byte"))
	if err != nil || len(s.Partitions) < 2 {
		return err
	}
	byNumber := func(a, b string) int { return kafka.Partition{ID: a}.Compare(kafka.Partition{ID: b}) }
	for _, id := range slices.SortedFunc(maps.Keys(s.Partitions), byNumber) {
		fmt.Fprintf(out, "  %s: %d\n", id, s.Partitions[id])
	}
	return nil
}
