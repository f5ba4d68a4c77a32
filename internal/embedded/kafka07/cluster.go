// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// registeredInterval is how often the cluster looks whether brokers have registered a topic: it takes them a round trip
// to a server of this machine.
const registeredInterval = 5 * time.Millisecond

// ClusterConfig says what cluster to start. ZooKeeper is required; the rest may be zero: one broker without topics.
type ClusterConfig struct {
	// Brokers is their number; their ids count from 0. Default 1.
	Brokers int
	// Topics are declared at the start, each with the number of partitions that it has on all brokers together.
	Topics map[string]int32
	// Broker is what each broker runs with, but for Addr, ID and Dir.
	Broker Config
}

// Cluster is several brokers of one ZooKeeper. Its methods are safe for concurrent use.
type Cluster struct {
	brokers []*Broker

	// mu makes declarations one at a time.
	mu sync.Mutex
}

// StartCluster runs brokers and returns when they and their topics are registered. ctx bounds the start alone; Close
// ends the cluster.
func StartCluster(ctx context.Context, config ClusterConfig) (*Cluster, error) {
	if config.Broker.ZooKeeper == "" {
		return nil, errors.New("kafka07: a cluster needs a ZooKeeper")
	}
	c := &Cluster{}
	for id := range int32(max(1, config.Brokers)) { //nolint:gosec // a handful of brokers
		broker := config.Broker
		broker.Addr, broker.ID, broker.Dir = "", id, ""
		started, err := Start(ctx, broker)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.brokers = append(c.brokers, started)
	}
	for topic, partitions := range config.Topics {
		if err := c.CreateTopic(ctx, topic, partitions); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// Broker is the one with an id, which must exist.
func (c *Cluster) Broker(id int32) *Broker { return c.brokers[id] }

// Addrs are the brokers' addresses, host:port, by id.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.brokers))
	for i, broker := range c.brokers {
		addrs[i] = broker.Addr()
	}
	return addrs
}

// CreateTopic declares a topic on every broker, with its partitions spread evenly over them, the first brokers having
// one more if they do not divide. It returns when the topic is registered by all brokers that live.
func (c *Cluster) CreateTopic(ctx context.Context, topic string, partitions int32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	brokers := int32(len(c.brokers)) //nolint:gosec // a handful of brokers
	if partitions < brokers {
		return fmt.Errorf("create topic %s: in Kafka 0.7 each of the %d brokers has partitions of its own; "+
			"give at least %d, not %d", topic, brokers, brokers, partitions)
	}
	for id, broker := range c.brokers {
		share := partitions / brokers
		if int32(id) < partitions%brokers { //nolint:gosec // a handful of brokers
			share++
		}
		if err := broker.Declare(topic, share); err != nil {
			return err
		}
	}
	return c.awaitRegistration(ctx, topic)
}

func (c *Cluster) awaitRegistration(ctx context.Context, topic string) error {
	ticker := time.NewTicker(registeredInterval)
	defer ticker.Stop()
	for _, broker := range c.brokers {
		for broker.Running() && !broker.Registered(topic) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("register topic %s on broker %d: %w", topic, broker.config.ID, context.Cause(ctx))
			case <-ticker.C:
			}
		}
	}
	return nil
}

// StopBroker ends a broker as a clean shutdown does.
func (c *Cluster) StopBroker(id int32) error { return c.with(id, (*Broker).Stop) }

// KillBroker ends a broker as SIGKILL does; it stays registered until its session expires.
func (c *Cluster) KillBroker(id int32) error { return c.with(id, (*Broker).Kill) }

// StartBroker starts a broker again that was stopped or killed, and returns when it is registered.
func (c *Cluster) StartBroker(ctx context.Context, id int32) error {
	var started error
	if err := c.with(id, func(b *Broker) { started = b.Restart(ctx) }); err != nil {
		return err
	}
	return started
}

// FreezeBroker makes a broker hang; it stays registered. ThawBroker undoes that.
func (c *Cluster) FreezeBroker(id int32) error {
	return c.with(id, func(b *Broker) { b.Faults().Stall() })
}

// ThawBroker undoes FreezeBroker; what was asked meanwhile is answered.
func (c *Cluster) ThawBroker(id int32) error {
	return c.with(id, func(b *Broker) { b.Faults().Resume() })
}

func (c *Cluster) with(id int32, do func(*Broker)) error {
	if id < 0 || int(id) >= len(c.brokers) {
		return fmt.Errorf("no broker %d: ids are 0 to %d", id, len(c.brokers)-1)
	}
	do(c.brokers[id])
	return nil
}

// Partitions are the names of a topic's partitions, broker by broker, whether the brokers live or not.
func (c *Cluster) Partitions(topic string) []string {
	var names []string
	for id, broker := range c.brokers {
		if !slices.Contains(broker.Topics(), topic) {
			continue
		}
		for n := range broker.config.partitions(topic) {
			names = append(names, fmt.Sprintf("%d-%d", id, n))
		}
	}
	return names
}

// End is the position behind all that can be read of a partition, out of the broker's memory; 0 where nothing was
// written, -1 where there is no such partition.
func (c *Cluster) End(partition kafka.Partition) int64 {
	broker, number, err := c.find(partition)
	if err != nil {
		return -1
	}
	segments := broker.Segments(partition.Topic, number)
	if len(segments) == 0 {
		return 0
	}
	last := segments[len(segments)-1]
	return last.Start + int64(last.Visible)
}

// find gives the broker and the number of a partition that is called broker-number.
func (c *Cluster) find(partition kafka.Partition) (*Broker, int32, error) {
	var id, number int32
	if _, err := fmt.Sscanf(partition.ID, "%d-%d", &id, &number); err != nil ||
		id < 0 || int(id) >= len(c.brokers) || partition.ID != strconv.Itoa(int(id))+"-"+strconv.Itoa(int(number)) {
		return nil, 0, fmt.Errorf("no partition %s: names are broker-number, brokers 0 to %d", partition, len(c.brokers)-1)
	}
	return c.brokers[id], number, c.brokers[id].logs.check(partition.Topic, number)
}

// Close ends all brokers and waits. It is safe to call again.
func (c *Cluster) Close() {
	for _, broker := range slices.Backward(c.brokers) {
		broker.Close()
	}
}
