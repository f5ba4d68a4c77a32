// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// The strategies of sharing out partitions. A group with foreign members always uses Range.
const (
	Sticky = layout.Sticky
	Range  = layout.Range
)

const (
	// defaultCommitInterval bounds what is delivered again after a crash to a second's messages, for one transaction a
	// second and member: 4 ms of the server's time.
	defaultCommitInterval = time.Second
	// minCommitInterval is a few round trips: more often, a commit would wait for the one before.
	minCommitInterval = 10 * time.Millisecond
	// defaultDrainTimeout is the default timeout of one delivery, so that the one under way can end by itself.
	defaultDrainTimeout = 30 * time.Second
)

// ConsumerConfig says what a consumer consumes, as a member of which group. Group is required, and one of Topics and
// Pattern.
type ConsumerConfig struct {
	Group  string
	Topics []string
	// Coordination is where the group is. Default: ZooKeeper where the cluster's configuration names one, else the
	// brokers.
	Coordination Coordination
	// Pattern is what the whole name of a topic has to match to be consumed; Kafka's own topics never do. Topics that come
	// are taken up, those that go are let go of.
	Pattern *regexp.Regexp
	// Name is the member's name, the same after each restart: it gets its partitions back. Default: the host's name.
	Name string
	// Strategy is Sticky (default) or Range.
	Strategy layout.Strategy
	// Start is where a group that never was begins. Default: Earliest.
	Start kafka.Place
	// CommitInterval is the time between commits. Default 1 s. With Coordination Kafka it is a sixth of the cluster's
	// SessionTimeout at most, since commits are what prove the lease.
	CommitInterval time.Duration
	// DrainTimeout bounds what a partition that is given up may still do. Default 30 s.
	DrainTimeout time.Duration
}

func (c ConsumerConfig) withDefaults() (ConsumerConfig, error) {
	var errs []error
	if c.Name == "" {
		c.Name, _ = os.Hostname() // if the host has none, the check of the name says so
	}
	for field, err := range map[string]error{"group": layout.CheckName(c.Group), "name": layout.CheckName(c.Name)} {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
	}
	errs = append(errs, c.checkTopics()...)
	if c.Pattern != nil {
		whole, err := CompilePattern(c.Pattern.String())
		if err != nil {
			errs = append(errs, fmt.Errorf("pattern: %w", err))
		}
		c.Pattern, c.Topics = whole, nil
	}
	if c.Strategy == 0 {
		c.Strategy = Sticky
	}
	if c.CommitInterval == 0 {
		c.CommitInterval = defaultCommitInterval
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = defaultDrainTimeout
	}
	if c.CommitInterval < minCommitInterval {
		errs = append(errs, fmt.Errorf("commit interval: %v is below %v; raise it", c.CommitInterval, minCommitInterval))
	}
	if c.DrainTimeout < 0 {
		errs = append(errs, fmt.Errorf("drain timeout: %v is negative; raise it", c.DrainTimeout))
	}
	return c, errors.Join(errs...)
}

func (c ConsumerConfig) checkTopics() (errs []error) {
	switch {
	case len(c.Topics) == 0 && c.Pattern == nil:
		errs = append(errs, errors.New("topics: is empty; name at least one topic, or give a pattern"))
	case len(c.Topics) > 0 && c.Pattern != nil:
		errs = append(errs, errors.New("pattern: is given besides topics; keep one of them"))
	}
	for i, topic := range c.Topics {
		if err := layout.CheckTopic(topic); err != nil {
			errs = append(errs, fmt.Errorf("topics[%d]: %w", i, err))
		}
	}
	return errs
}

// Consumer is one member of a consumer group. It works while Run or Messages does, of which there may be one at a time,
// once. The other methods are safe for concurrent use.
type Consumer struct {
	cluster *Cluster
	config  ConsumerConfig

	// mu protects member and what the status shows.
	mu      sync.Mutex
	member  membership
	sources map[int64]*source
	beat    time.Time
	// silence is why the group's coordinator did not answer the last time, nil if it did.
	silence error
	// topicsErr is why it is not known which topics match, nil if it is.
	topicsErr error

	events  *mailbox[group.Event]
	fetcher *fetcher
	commits commits
	began   atomic.Bool
	// ended is closed when the consumer has ended.
	ended chan struct{}
}

// ErrEnded says that a consumer has ended. What was acknowledged by then it committed as it left.
var ErrEnded = errors.New("the consumer has ended")

// ErrNotReleased says that who keeps the group could not be told that a consumer has left, or not in time: what it held
// falls to others when its session expires, and what it delivered since its last commit is delivered again.
var ErrNotReleased = errors.New(
	"the group was not left in time, or where it is kept could not be told: the session ends instead")

// errRanBefore says that a consumer was run twice.
var errRanBefore = errors.New("the consumer has run before: make a new one")

// Consumer makes a member of a consumer group. It joins with Run or Messages.
func (c *Cluster) Consumer(config ConsumerConfig) (*Consumer, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("consumer configuration: %w", err)
	}
	config.Coordination, err = c.Resolve(config.Coordination)
	if err != nil {
		return nil, fmt.Errorf("consumer configuration: %w", err)
	}
	return &Consumer{
		cluster: c, config: config, member: c.member(config),
		sources: map[int64]*source{},
		events:  newMailbox[group.Event](),
		ended:   make(chan struct{}),
		fetcher: newFetcher(c.openTransport),
	}, nil
}

// member makes the state machine for where the group is kept.
func (c *Cluster) member(config ConsumerConfig) membership {
	if config.Coordination == CoordinationKafka {
		return coordinator.New(coordinator.Config{
			Group: config.Group, Pod: config.Name, Topics: config.Topics, Strategy: config.Strategy,
			Start: config.Start, Session: c.config.SessionTimeout,
			CommitInterval: config.CommitInterval, DrainTimeout: config.DrainTimeout, Rand: rand.Float64,
		})
	}
	return group.New(group.Config{
		Group: config.Group, Pod: config.Name, Topics: config.Topics, Strategy: config.Strategy,
		Start: config.Start, CommitInterval: config.CommitInterval, DrainTimeout: config.DrainTimeout,
		Rand: rand.Float64,
	})
}

// Run joins the group and works until ctx ends; then it drains: what is under way finishes (for DrainTimeout at most),
// positions are committed, claims released, the group left. It returns when all of that is done. A consumer
// runs once; the error says that it has before.
func (c *Consumer) Run(ctx context.Context, handler Handler) error {
	if c.began.Swap(true) {
		return errRanBefore
	}
	defer close(c.ended)
	d := newDriver(c, handler)
	fetching, stopFetching := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { c.fetcher.run(fetching) })
	d.run(ctx)
	stopFetching()
	running.Wait()
	if !d.clean {
		return ErrNotReleased
	}
	return nil
}

// Commit writes the positions of everything acknowledged so far, without waiting for the next interval. It returns nil
// once they are written; positions of partitions lost meanwhile are not.
func (c *Consumer) Commit(ctx context.Context) error {
	wait := c.commits.add(c.acknowledged())
	c.events.send(group.CommitNow{})
	select {
	case <-wait.done:
		return nil
	case <-c.ended:
		select {
		case <-wait.done:
			return nil
		default:
			return ErrEnded
		}
	case <-ctx.Done():
		return fmt.Errorf("commit: %w", ctx.Err())
	}
}
