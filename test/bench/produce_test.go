// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// producing is franz-go's own bulk: as many as there are streams hand it records, and it makes them wait while it is
// full.
type producing struct {
	franz   *kgo.Client
	stop    context.CancelFunc
	all     sync.WaitGroup
	written atomic.Int64
	failure atomic.Pointer[error]
}

func (s *stand) startProducing(ctx context.Context) (running, error) {
	ctx, stop := context.WithCancel(ctx)
	p := &producing{franz: s.franz, stop: stop}
	promise := func(_ *kgo.Record, err error) {
		if err == nil {
			p.written.Add(1)
		} else if ctx.Err() == nil {
			p.failure.Store(&err)
		}
	}
	value := []byte(text(publishedSize))
	for range *streams {
		p.all.Go(func() {
			for ctx.Err() == nil {
				p.franz.Produce(ctx, &kgo.Record{Value: value}, promise)
			}
		})
	}
	<-time.After(time.Duration(float64(*window) * warmUp))
	return p, nil
}

func (p *producing) measured() (outcome, error) {
	from, before := time.Now(), p.written.Load()
	<-time.After(*window)
	return outcome{p.written.Load() - before, time.Since(from).Seconds()}, nil
}

func (p *producing) ended() (farewell, error) {
	p.stop()
	p.all.Wait()
	if failed := p.failure.Load(); failed != nil {
		return farewell{}, *failed
	}
	return farewell{}, p.franz.Flush(context.Background()) //nolint:forbidigo // bounded by franz-go itself
}
