// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// producer sends a message to each partition in turn, and knows where each came to stand.
type producer struct {
	client *kgo.Client
	all    []partition

	mu   sync.Mutex
	sent map[message]string
	err  error
}

// pace is between two messages: 200 in a second, so that there are always some under way in a rebalance and two cores
// have time for the rest.
const pace = 5 * time.Millisecond

func newProducer(client *kgo.Client, all []partition) *producer {
	return &producer{client: client, all: all, sent: map[message]string{}}
}

// run sends until ctx ends, and returns once all of it is acknowledged.
func (p *producer) run(ctx context.Context) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for id := 0; ; id++ {
		select {
		case <-tick.C:
			p.send(context.WithoutCancel(ctx), id)
		case <-ctx.Done():
			return p.flush(context.WithoutCancel(ctx))
		}
	}
}

func (p *producer) flush(ctx context.Context) error {
	err := p.client.Flush(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(err, p.err)
}

func (p *producer) send(ctx context.Context, id int) {
	to := p.all[id%len(p.all)]
	value := fmt.Sprintf("message-%d", id)
	record := &kgo.Record{Topic: to.topic, Partition: int32(to.id), Value: []byte(value)} //nolint:gosec // a few
	p.client.Produce(ctx, record, func(record *kgo.Record, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil {
			p.err = fmt.Errorf("produce to %s: %w", to, err)
			return
		}
		p.sent[message{to, record.Offset}] = value
	})
}

// snapshot is what has been acknowledged by now.
func (p *producer) snapshot() map[message]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.sent)
}

// ends are the positions behind what was sent.
func (p *producer) ends() map[partition]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	ends := map[partition]int64{}
	for m := range p.sent {
		ends[m.partition] = max(ends[m.partition], m.offset+1)
	}
	return ends
}
