// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// beat is how often messages are published: 50 times a second, so that at 2,000 a second a call carries some 40.
	beat = 20 * time.Millisecond
	// maxCall bounds the messages of one call, and maxCallBytes their size.
	maxCall      = 500
	maxCallBytes = maxLine
	// streams are the calls that are under way at once, at most: a slow one does not keep the others waiting.
	streams = 4
	// comeBack is the wait before what was refused is sent again. Gateways ask for a second, and a demo is in a hurry.
	comeBack = 500 * time.Millisecond
)

// topic is what is published to: *entrance.
type topic interface {
	publish(ctx context.Context, values [][]byte) ([]result, error)
}

// errRefused says that a message will not be taken, however often it is sent.
var errRefused = errors.New("refused")

// publisher publishes an input's lines at a steady pace.
type publisher struct {
	topic    topic
	input    *input
	recorder *recorder
	places   places
	// kept is a line that did not fit into the call before.
	kept []byte
}

// run publishes a number of messages, spread evenly over a time. What a slow moment leaves behind, it catches up on.
func (p *publisher) run(ctx context.Context, messages int, over time.Duration) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	calls := make(chan [][]byte)
	var publishing sync.WaitGroup
	for range streams {
		publishing.Go(func() {
			for values := range calls {
				if err := p.publish(ctx, values); err != nil {
					stop(err)
				}
			}
		})
	}
	err := p.feed(ctx, calls, messages, over)
	close(calls)
	publishing.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// feed makes calls of what is due.
func (p *publisher) feed(ctx context.Context, calls chan<- [][]byte, messages int, over time.Duration) error {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	begin, sent := time.Now(), 0
	for sent < messages {
		for due := p.due(messages, time.Since(begin), over); sent < due; {
			values, err := p.call(min(due-sent, maxCall))
			if err != nil {
				return err
			}
			select {
			case calls <- values:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			sent += len(values)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
	return nil
}

func (*publisher) due(messages int, elapsed, over time.Duration) int {
	if elapsed >= over {
		return messages
	}
	return int(float64(messages) * elapsed.Seconds() / over.Seconds())
}

// call gives up to most lines, as many as fit into one call.
func (p *publisher) call(most int) ([][]byte, error) {
	values, size := [][]byte{}, 0
	for len(values) < most {
		line, err := p.line()
		if err != nil {
			return nil, err
		}
		if len(values) > 0 && size+len(line) > maxCallBytes {
			p.kept = line
			break
		}
		values, size = append(values, line), size+len(line)
	}
	return values, nil
}

// publish sends lines until each has an outcome. What was refused and may be taken later is sent again. What may be
// written or not is not: it would make a second message; it is counted instead.
func (p *publisher) publish(ctx context.Context, values [][]byte) error {
	p.recorder.begin()
	for len(values) > 0 {
		results, err := p.topic.publish(ctx, values)
		if err != nil {
			return err
		}
		again, err := p.enter(values, results)
		if err != nil {
			return err
		}
		if values = again; len(again) > 0 {
			p.recorder.sentAgain(len(again))
			pause(ctx, comeBack)
		}
	}
	return nil
}

// enter enters what was acknowledged, and gives what is to be sent again.
func (p *publisher) enter(values [][]byte, results []result) (again [][]byte, err error) {
	taken := map[kafka.Partition]*acknowledged{}
	for i, r := range results {
		switch {
		case r.acknowledged:
			if taken[r.partition] == nil {
				taken[r.partition] = &acknowledged{partition: r.partition}
			}
			t := taken[r.partition]
			t.values, t.offsets = append(t.values, values[i]), append(t.offsets, r.offset)
		case r.refused && r.later:
			again = append(again, values[i])
		case r.refused:
			err = errors.Join(err, fmt.Errorf("%w: %s", errRefused, r.why))
		default:
			p.recorder.unknown(r.why)
		}
	}
	for _, t := range taken {
		places, failure := p.places(*t)
		if failure != nil {
			err = errors.Join(err, failure)
			continue
		}
		p.recorder.published(t.partition, places, t.values)
	}
	return again, err
}

func (p *publisher) line() ([]byte, error) {
	if line := p.kept; line != nil {
		p.kept = nil
		return line, nil
	}
	return p.input.next()
}
