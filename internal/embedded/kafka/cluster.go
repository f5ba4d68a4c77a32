// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package embedkafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka's own default is 18 s; a third of it keeps demonstrations of a broker's death short.
const defaultSessionTimeout = 6 * time.Second

// Config says what cluster to start. The zero value is one broker, no topics and no ZooKeeper.
type Config struct {
	// ZooKeeper is a connect string, host:port,…[/chroot], where the brokers register. Empty: nowhere.
	ZooKeeper string
	// SessionTimeout of the brokers' sessions. Default 6 s.
	SessionTimeout time.Duration
	// Brokers is their number; their ids count from 0. Default 1.
	Brokers int
	// Topics are created at the start, each with its number of partitions.
	Topics map[string]int32
	// Logger receives what the ZooKeeper client has to tell. Default: nothing.
	Logger *slog.Logger
	// Options are handed to kfake, for what this configuration does not offer.
	Options []kfake.Opt
}

func (c Config) withDefaults() Config {
	if c.SessionTimeout <= 0 {
		c.SessionTimeout = defaultSessionTimeout
	}
	if c.Brokers <= 0 {
		c.Brokers = 1
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Cluster is a running cluster. Its methods are safe for concurrent use.
type Cluster struct {
	config   Config
	fake     *kfake.Cluster
	gates    []*gate
	registry *registry // nil without ZooKeeper
	follower *follower // nil without ZooKeeper

	// mu makes changes of topics and brokers one at a time, so that ZooKeeper sees them in kfake's order.
	mu     sync.Mutex
	closed bool

	// knownMu guards known, the topics that are registered. kfake's loop takes it, so it is held for no call.
	knownMu sync.Mutex
	known   map[string]registered
}

// Start runs a cluster and returns when its brokers and topics are registered. ctx bounds the start alone; Close ends
// the cluster.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	c := &Cluster{config: config.withDefaults(), known: make(map[string]registered)}
	for range c.config.Brokers {
		g, err := newGate(ctx)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.gates = append(c.gates, g)
	}
	if err := c.startFake(); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.register(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// startFake runs kfake on the gates, in the order of the brokers' ids.
func (c *Cluster) startFake() error {
	next := 0
	options := append([]kfake.Opt{
		kfake.NumBrokers(len(c.gates)),
		kfake.ListenFn(func(string, string) (net.Listener, error) {
			next++
			return c.gates[next-1], nil
		}),
	}, c.config.Options...)
	fake, err := kfake.NewCluster(options...)
	if err != nil {
		return fmt.Errorf("embedded kafka: %w", err)
	}
	c.fake = fake
	return nil
}

// register puts everything into ZooKeeper, if there is one.
func (c *Cluster) register(ctx context.Context) error {
	if c.config.ZooKeeper != "" {
		r, err := newRegistry(ctx, c.config)
		if err != nil {
			return err
		}
		c.registry = r
		c.follower = follow(ctx, c)
		for id, g := range c.gates {
			if err := r.join(ctx, int32(id), g.addr); err != nil { //nolint:gosec // a handful of brokers
				return err
			}
		}
	}
	for topic, partitions := range c.config.Topics {
		if err := c.CreateTopic(ctx, topic, partitions); err != nil {
			return err
		}
	}
	return nil
}

// Addrs are the brokers' addresses, host:port, by id. They stay the same over StopBroker and StartBroker.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.gates))
	for i, g := range c.gates {
		addrs[i] = g.addr
	}
	return addrs
}

// Fake is the kfake cluster itself, for faults and for a look inside. What clients do to topics is registered in
// ZooKeeper; topics created or deleted by methods of the fake are not.
func (c *Cluster) Fake() *kfake.Cluster { return c.fake }

// CreateTopic creates a topic and registers it.
func (c *Cluster) CreateTopic(ctx context.Context, topic string, partitions int32) error {
	return c.CreateTopicWith(ctx, topic, partitions, nil)
}

// CreateTopicWith creates a topic with settings of its own, as cleanup.policy, and registers it. What kfake does not
// know has no effect.
func (c *Cluster) CreateTopicWith(
	ctx context.Context, topic string, partitions int32, settings map[string]string,
) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.fake.CreateTopic(topic, partitions, settings); err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	return c.registerTopic(ctx, topic)
}

// Grow adds partitions to a topic, up to a total of partitions, and registers them.
func (c *Cluster) Grow(ctx context.Context, topic string, partitions int32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.DisableClientMetrics())
	if err != nil {
		return fmt.Errorf("grow topic %s: %w", topic, err)
	}
	defer client.Close()
	answers, err := kadm.NewClient(client).UpdatePartitions(ctx, int(partitions), topic)
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		return fmt.Errorf("grow topic %s to %d partitions: %w", topic, partitions, err)
	}
	return c.registerTopic(ctx, topic)
}

// DeleteTopic deletes a topic and its registration.
func (c *Cluster) DeleteTopic(ctx context.Context, topic string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.fake.DeleteTopic(topic); err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	if c.registry == nil {
		return nil
	}
	return c.unregisterTopic(ctx, topic)
}

// MoveLeader makes a broker the leader of a partition.
func (c *Cluster) MoveLeader(ctx context.Context, topic string, partition, broker int32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.fake.MoveTopicPartition(topic, partition, broker); err != nil {
		return fmt.Errorf("move %s/%d to broker %d: %w", topic, partition, broker, err)
	}
	return c.registerTopic(ctx, topic)
}

func (c *Cluster) registerTopic(ctx context.Context, topic string) error {
	if c.registry == nil {
		return nil
	}
	info, partitions := c.fake.TopicInfo(topic), c.fake.PartitionInfos(topic)
	if info == nil {
		return fmt.Errorf("register topic %s: it is gone", topic)
	}
	return c.registerInfo(ctx, info, partitions)
}

// StopBroker ends a broker as a controlled shutdown does: connections break, new ones are refused, and its registration
// goes. What it led, it leads on: with one replica nobody else can, unless MoveLeader says so.
func (c *Cluster) StopBroker(id int32) error {
	g, err := c.gate(id)
	if err != nil {
		return err
	}
	g.stop()
	if c.registry != nil {
		c.registry.leave(id)
	}
	return nil
}

// StartBroker starts a stopped broker again on its old address.
func (c *Cluster) StartBroker(ctx context.Context, id int32) error {
	g, err := c.gate(id)
	if err != nil {
		return err
	}
	if err := g.start(ctx); err != nil {
		return fmt.Errorf("start broker %d: %w", id, err)
	}
	if c.registry != nil {
		return c.registry.join(ctx, id, g.addr)
	}
	return nil
}

// FreezeBroker makes a broker hang: connections stand and are accepted, nothing is answered. It stays registered.
func (c *Cluster) FreezeBroker(id int32) error {
	g, err := c.gate(id)
	if err == nil {
		g.freeze()
	}
	return err
}

// ThawBroker undoes FreezeBroker; what was asked meanwhile is answered.
func (c *Cluster) ThawBroker(id int32) error {
	g, err := c.gate(id)
	if err == nil {
		g.thaw()
	}
	return err
}

func (c *Cluster) gate(id int32) (*gate, error) {
	if id < 0 || int(id) >= len(c.gates) {
		return nil, fmt.Errorf("no broker %d: ids are 0 to %d", id, len(c.gates)-1)
	}
	return c.gates[id], nil
}

// Sessions are the ids of the brokers' ZooKeeper sessions, by broker; 0 where there is none.
func (c *Cluster) Sessions() []int64 {
	if c.registry == nil {
		return make([]int64, len(c.gates))
	}
	return c.registry.sessions(len(c.gates))
}

// Close ends the cluster: first the registrations, then the brokers. It waits, and is safe to call again.
func (c *Cluster) Close() {
	if c.follower != nil {
		c.follower.close() // before mu, which it takes
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	if c.registry != nil {
		c.registry.close()
	}
	if c.fake != nil {
		c.fake.Close()
	}
	for _, g := range slices.Backward(c.gates) {
		_ = g.Close()
	}
}

// errClosed ends what waits in a gate that is closed.
var errClosed = errors.New("the broker is closed")
