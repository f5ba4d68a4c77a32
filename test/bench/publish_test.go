// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
)

var (
	release = flag.String("kafka", os.Getenv("KAFKA"), "the real Kafka to publish to, as 4; the embedded one if empty")
	only    = flag.String("only", "", "the one way to publish that is run, for a profile; the ratios are to itself then")
	streams = flag.Int("streams", concurrency, "how many streams of bulk there are at a time")
)

const (
	// concurrency is how many publish at a time.
	concurrency = 64
	// publishedSize is how long their messages are.
	publishedSize = 1 << 10
)

// way is one way to publish. start returns when the warm-up is over.
type way struct {
	name  string
	start func(ctx context.Context) (running, error)
}

// running is a way being gone.
type running interface {
	// measured returns when the window is over, ended when everything is.
	measured() (outcome, error)
	ended() (farewell, error)
}

// BenchmarkPublish compares the gateway with the least that does the same: a handler of net/http that calls franz-go's
// ProduceSync for single messages, franz-go's Produce for bulk. What counts are the ratios, as everywhere here.
func BenchmarkPublish(b *testing.B) {
	before := runtime.GOMAXPROCS(share())
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
	s := newStand(b)
	b.Run("single", func(b *testing.B) {
		s.compare(b, 2, s.posting("ProduceSync", s.synchronous, single, concurrency),
			s.posting("answer", s.answering, single, concurrency),
			s.posting("gateway", s.open, single, concurrency),
			s.posting("gateway+tokens", s.guarded, single, concurrency))
	})
	b.Run("bulk", func(b *testing.B) {
		s.compare(b, 1, way{"Produce", s.startProducing},
			s.posting("gateway-lines", s.guarded, lines, *streams), s.posting("gateway-frames", s.guarded, frames, *streams))
	})
}

// compare measures ways in turns, the first being the yardsticks.
func (s *stand) compare(b *testing.B, yardsticks int, ways ...way) {
	if i := slices.IndexFunc(ways, func(w way) bool { return w.name == *only }); i >= 0 {
		ways, yardsticks = ways[i:i+1], 1
	}
	samples := takeTurns(b, len(ways), func(i int) sample {
		taken, err := s.measure(b.Context(), ways[i])
		if err != nil {
			b.Fatalf("%s: %v", ways[i].name, err)
		}
		return taken
	})
	names := make([]string, len(ways))
	for i := range ways {
		names[i] = ways[i].name
	}
	b.Logf("\n%d B messages, %d partitions on %s, idempotent, acks all, linger 0, not compressed, no keys; %d at a time "+
		"(%d streams of bulk), from another process\n%s\n%d rounds of %v in turns, medians (least to most)\n%s",
		publishedSize, partitions, s.kafka, concurrency, *streams, machine(), *rounds, *window,
		tabulate(names, samples, yardsticks))
	for i := range names[yardsticks:] {
		reportRatios(b, names[yardsticks+i], samples[0], samples[yardsticks+i])
	}
}

func (s *stand) measure(ctx context.Context, w way) (sample, error) {
	way, err := w.start(ctx)
	if err != nil {
		return sample{}, err
	}
	none := func(context.Context) (int64, error) { return 0, nil }
	from, errFrom := look(ctx, s.servers, none)
	done, errWindow := way.measured()
	to, errTo := look(ctx, s.servers, none)
	said, errEnd := way.ended()
	if err := errors.Join(errFrom, errWindow, errTo, errEnd); err != nil {
		return sample{}, err
	}
	to.messages = done.Messages
	taken := between(from, to)
	taken.perSecond = float64(done.Messages) / done.Seconds
	taken.median, taken.p99 = said.Median.Seconds(), said.P99.Seconds()
	runtime.GC()
	return taken, nil
}

// posting has those who publish send messages to an address.
func (s *stand) posting(name string, to target, k kind, connections int) way {
	return way{name, func(context.Context) (running, error) {
		err := json.NewEncoder(s.publishers.asks).Encode(order{
			Address: to.address, Token: to.token, Kind: k, Connections: connections, Size: publishedSize,
			Warm: time.Duration(float64(*window) * warmUp), Window: *window,
		})
		if err != nil {
			return nil, fmt.Errorf("ask those who publish: %w", err)
		}
		var begun bool
		if err := s.publishers.answers.Decode(&begun); err != nil {
			return nil, fmt.Errorf("answer of those who publish: %w", err)
		}
		if !begun {
			_, err := others{s.publishers}.ended()
			return nil, err
		}
		return others{s.publishers}, nil
	}}
}

// others are those who publish, while they do.
type others struct{ *child }

func (o others) measured() (done outcome, err error) {
	if err := o.answers.Decode(&done); err != nil {
		return done, fmt.Errorf("answer of those who publish: %w", err)
	}
	return done, nil
}

func (o others) ended() (said farewell, err error) {
	if err := o.answers.Decode(&said); err != nil {
		return said, fmt.Errorf("answer of those who publish: %w", err)
	}
	if said.Err != "" {
		return said, errors.New(said.Err)
	}
	return said, nil
}

// target is where to publish.
type target struct{ address, token string }
