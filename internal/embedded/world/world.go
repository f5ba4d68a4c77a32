// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package world starts all that a worker needs around itself, for a demo or a test: the embedded ZooKeeper and a Kafka
// that is registered in it. The Kafka is 0.7 or what came after it, both in this process; or a real one out of child
// processes, the newest of which need no ZooKeeper.
package world

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/internal/realkafka"
)

// Config says what world to start. The zero value is one broker without topics.
type Config struct {
	// Era is which Kafka it is. Default Modern.
	Era Era
	// Tick is ZooKeeper's: the grain of session expiry. Default 500 ms.
	Tick time.Duration
	// ZooKeeperAddr is where ZooKeeper listens, host:port. Default: any free port of 127.0.0.1.
	ZooKeeperAddr string
	// Brokers is the number of brokers. Default 1.
	Brokers int
	// Topics are created at the start, each with its number of partitions. In Kafka 0.7 that is on all brokers together,
	// and at least one on each.
	Topics map[string]int32
	// Broker07 is what brokers of Kafka 0.7 run with, but for where they are. Default is the real one's, except that
	// messages are visible at once: FlushMessages is 1.
	Broker07 kafka07.Config
	// Directory is where real brokers keep what they write, which stays then. Default: a temporary one, which goes.
	Directory string
	// Port is that of the first real broker, on 127.0.0.1. Default: any free one.
	Port int
	// WithoutMulti makes a ZooKeeper that knows no transactions, as before 3.4.
	WithoutMulti bool
	// Logger is told of faults and refused input. Default: nothing is logged.
	Logger *slog.Logger
}

// chroot is where Kafka lives in the embedded ZooKeeper: most clusters have one, so it should be what is tried.
const chroot = "/kafka"

// World is a running Kafka, and the ZooKeeper that it is registered in.
type World struct {
	// ZooKeeper is nil where Kafka does without.
	ZooKeeper *zookeeper.Server
	// Kafka is the cluster of Era Modern, Kafka07 that of Era07; they are nil in any other.
	Kafka   *embedkafka.Cluster
	Kafka07 *kafka07.Cluster
	// Real is the cluster of Era39 and Era4, whose processes can be killed too; nil in any other.
	Real    *realkafka.Cluster
	brokers Brokers
}

// Start runs a world and returns when its brokers and topics are registered. ctx bounds the start alone; Close ends
// it.
func Start(ctx context.Context, config Config) (*World, error) {
	era, err := ParseEra(string(config.Era))
	if err != nil {
		return nil, fmt.Errorf("embedded world: %w", err)
	}
	w := &World{}
	if era.ZooKeeper() {
		w.ZooKeeper, err = zookeeper.Start(ctx, zookeeper.Config{
			Addr: config.ZooKeeperAddr, TickTime: config.Tick, DisableMulti: config.WithoutMulti, Logger: config.Logger,
		})
		if err != nil {
			return nil, fmt.Errorf("embedded world: %w", err)
		}
	}
	start := w.startModern
	switch {
	case era == Era07:
		start = w.start07
	case era.Real():
		start = w.startReal
	}
	if err := start(ctx, config); err != nil {
		_ = w.endZooKeeper()
		return nil, fmt.Errorf("embedded world: %w", err)
	}
	return w, nil
}

func (w *World) startModern(ctx context.Context, config Config) (err error) {
	w.Kafka, err = embedkafka.Start(ctx, embedkafka.Config{
		ZooKeeper: w.Connect(), Brokers: config.Brokers, Topics: config.Topics, Logger: config.Logger,
	})
	w.brokers = modern{w.Kafka}
	return err
}

func (w *World) start07(ctx context.Context, config Config) (err error) {
	broker := config.Broker07
	broker.ZooKeeper, broker.Logger = w.Connect(), config.Logger
	broker.FlushMessages = cmp.Or(broker.FlushMessages, 1)
	w.Kafka07, err = kafka07.StartCluster(ctx, kafka07.ClusterConfig{
		Brokers: config.Brokers, Topics: config.Topics, Broker: broker,
	})
	w.brokers = w.Kafka07
	return err
}

// Brokers are those of the world's Kafka, of whichever era.
func (w *World) Brokers() Brokers { return w.brokers }

// Connect is the connect string of the world's Kafka, with its chroot; empty where there is no ZooKeeper.
func (w *World) Connect() string {
	if w.ZooKeeper == nil {
		return ""
	}
	return w.ZooKeeper.Addr() + chroot
}

// Bootstrap are the addresses of brokers by which Kafka is found where there is no ZooKeeper; none where there is one.
func (w *World) Bootstrap() []string {
	if w.ZooKeeper != nil {
		return nil
	}
	return w.brokers.Addrs()
}

// Path is where a path of Kafka's lies in the embedded ZooKeeper's tree.
func (*World) Path(path string) string { return chroot + path }

// Close ends Kafka, then ZooKeeper, and waits for both.
func (w *World) Close() error {
	w.brokers.Close()
	return w.endZooKeeper()
}

func (w *World) endZooKeeper() error {
	if w.ZooKeeper == nil {
		return nil
	}
	return w.ZooKeeper.Close()
}
