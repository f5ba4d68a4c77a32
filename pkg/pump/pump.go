// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump

import (
	"cmp"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const (
	// defaultBuffer is two fetches of a partition's share (1 MiB) each: one that the lane works on and one that is there
	// when it is done. 12 partitions hold 24 MiB at most, plus the fetch that crosses the bound.
	defaultBuffer = 2 << 20
	// defaultInitialBackoff and defaultMaxBackoff: a hiccup costs a fifth of a second, an outage two requests a minute and
	// partition.
	defaultInitialBackoff = 200 * time.Millisecond
	defaultMaxBackoff     = 30 * time.Second
)

// Config says where messages go and how. Only Sink is required.
type Config struct {
	Sink sink.Sink
	// InitialBackoff is the wait after a first failed attempt, doubled up to MaxBackoff. Defaults 200 ms and 30 s.
	InitialBackoff, MaxBackoff time.Duration
	// OutOfRange is what happens to a partition whose log does not hold the position. Default: lane.EarliestOrBlock.
	OutOfRange lane.Rule
	// Buffer bounds what waits for a lane, in bytes of keys, values and headers. Default 2 MiB.
	Buffer int
	// Observer is told what happens, per batch. Default: nobody.
	Observer Observer
	// Logger is told of lanes that begin to fail or recover.
	Logger *slog.Logger
}

// Observer counts. Its methods are called from every lane's goroutine, and must be quick.
type Observer interface {
	// Fetched is called with the messages of each batch that came from the brokers.
	Fetched(partition kafka.Partition, messages, bytes int)
	// Delivered is called after each attempt at the sink.
	Delivered(partition kafka.Partition, attempt Attempt)
	// Jumped is called when a partition goes on elsewhere, since the log does not hold its position.
	Jumped(partition kafka.Partition, jump lane.Jump)
}

// Attempt is one call of the sink.
type Attempt struct {
	Took time.Duration
	// Done, Failed and Untried count messages by what became of them. Retried counts those that had been tried before.
	Done, Failed, Untried, Retried int
	// Outcome and Err are those of the first message that failed.
	Outcome sink.Outcome
	Err     error
	// Newest is the timestamp of the last message that is done, zero if there is none.
	Newest time.Time
}

// Pump is a client.Handler that delivers to a sink. Safe for concurrent use.
type Pump struct {
	config Config

	// mu protects runners.
	mu      sync.Mutex
	runners map[*runner]struct{}
	running sync.WaitGroup
}

// New makes a pump. It works while a consumer runs with it.
func New(config Config) *Pump {
	config.InitialBackoff = cmp.Or(config.InitialBackoff, defaultInitialBackoff)
	config.MaxBackoff = cmp.Or(config.MaxBackoff, defaultMaxBackoff)
	config.Buffer = cmp.Or(config.Buffer, defaultBuffer)
	if config.Observer == nil {
		config.Observer = nobody{}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &Pump{config: config, runners: map[*runner]struct{}{}}
}

// Assign implements client.Handler.
func (p *Pump) Assign(assignment client.Assignment) client.Processor {
	r := newRunner(p.config, assignment)
	p.mu.Lock()
	p.runners[r] = struct{}{}
	p.mu.Unlock()
	p.running.Go(func() {
		r.run()
		p.mu.Lock()
		delete(p.runners, r)
		p.mu.Unlock()
	})
	return r
}

// Wait returns once every lane has ended; call it after the consumer's Run.
func (p *Pump) Wait() { p.running.Wait() }

// LaneStatus is the state of one partition's deliveries.
type LaneStatus struct {
	Partition kafka.Partition
	lane.Status
	// BufferedBytes wait for the lane in BufferedMessages, besides what it works on.
	BufferedBytes, BufferedMessages int
	// LastProgress is when the position last moved; when the lane started if it has not.
	LastProgress time.Time
}

// Status describes all lanes, in order of their partitions.
func (p *Pump) Status() []LaneStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	statuses := make([]LaneStatus, 0, len(p.runners))
	for r := range p.runners {
		statuses = append(statuses, r.status())
	}
	slices.SortFunc(statuses, func(a, b LaneStatus) int { return a.Partition.Compare(b.Partition) })
	return statuses
}

func (c Config) lane() lane.Config {
	return lane.Config{
		Limits: c.Sink.Limits(), InitialBackoff: c.InitialBackoff, MaxBackoff: c.MaxBackoff,
		OutOfRange: c.OutOfRange, Rand: rand.Float64,
	}
}

type nobody struct{}

func (nobody) Fetched(kafka.Partition, int, int)  {}
func (nobody) Delivered(kafka.Partition, Attempt) {}
func (nobody) Jumped(kafka.Partition, lane.Jump)  {}
