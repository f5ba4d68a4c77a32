// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// beat is how often messages are published: 50 times a second, so that at 2,000 a second a call carries some 40.
	beat = 20 * time.Millisecond
	// maxCall bounds the messages of one call, and maxCallBytes their size: below Kafka's limit for a batch, 1 MiB.
	maxCall      = 500
	maxCallBytes = maxLine
)

// topic is what is published to: *client.Topic.
type topic interface {
	PublishMessages(ctx context.Context, messages []kafka.Message) (client.Published, error)
}

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
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	begin, sent := time.Now(), 0
	for sent < messages {
		for due := p.due(messages, time.Since(begin), over); sent < due; {
			n, err := p.publish(ctx, min(due-sent, maxCall))
			if err != nil {
				return err
			}
			sent += n
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

// publish sends up to most lines in one call: they go to one partition, in order.
func (p *publisher) publish(ctx context.Context, most int) (int, error) {
	values, size := [][]byte{}, 0
	for len(values) < most {
		line, err := p.line()
		if err != nil {
			return 0, err
		}
		if len(values) > 0 && size+len(line) > maxCallBytes {
			p.kept = line
			break
		}
		values, size = append(values, line), size+len(line)
	}
	messages := make([]kafka.Message, len(values))
	for i, value := range values {
		messages[i] = kafka.Message{Value: value, Timestamp: time.Now()}
	}
	published, err := p.topic.PublishMessages(ctx, messages)
	if err != nil {
		return 0, fmt.Errorf("line %d of %s: %w", p.input.line, p.input.name, err)
	}
	places, err := p.places(published, values)
	if err != nil {
		return 0, fmt.Errorf("line %d of %s: %w", p.input.line, p.input.name, err)
	}
	p.recorder.published(published.Partition, places, values)
	return len(values), nil
}

func (p *publisher) line() ([]byte, error) {
	if line := p.kept; line != nil {
		p.kept = nil
		return line, nil
	}
	return p.input.next()
}
