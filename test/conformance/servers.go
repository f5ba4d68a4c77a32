// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/internal/realzk"
)

// servers are the Kafka that scenarios run against.
type servers interface {
	// where is how the client is told of it.
	where(way string) []string
	// reference is a client of Kafka that is not the one under test.
	reference(options ...kgo.Opt) (*kgo.Client, error)
	createTopic(ctx context.Context, topic realkafka.Topic) error
	deleteTopic(ctx context.Context, topic string) error
	grow(ctx context.Context, topic string, partitions int) error
	// real is the brokers as processes; nil of embedded ones.
	real() *realkafka.Cluster
	stop() error
}

// quick are settings that let a scenario see within a second what a broker does once in minutes.
var quick = map[string]string{
	"log.retention.check.interval.ms": "1000",
	"log.cleaner.backoff.ms":          "300",
	"log.cleaner.min.cleanable.ratio": "0.01",
	// A deleted topic's files, and what compaction left behind.
	"file.delete.delay.ms":         "1000",
	"log.segment.delete.delay.ms":  "1000",
	"zookeeper.session.timeout.ms": "6000",
	// In old releases a broker that lags may become the leader, and loses what it lacks.
	"unclean.leader.election.enable":          "false",
	"leader.imbalance.check.interval.seconds": "5",
	// What is behind the high watermark on disk is what old brokers lose when all die, see forgetful.
	"replica.high.watermark.checkpoint.interval.ms": "500",
	// The default since 0.8.2: a broker that is stopped hands its leaders over.
	"controlled.shutdown.enable": "true",
}

// start runs servers for a column.
func start(ctx context.Context, c column, brokers int) (servers, error) {
	if c.kind == embedded {
		w, err := world.Start(ctx, world.Config{Brokers: brokers})
		if err != nil {
			return nil, err
		}
		return embeddedServers{w}, nil
	}
	s := &realServers{}
	if c.kind == kindZooKeeper {
		zooKeeper, err := realzk.Start(ctx, realzk.Config{Keep: s.keep})
		if err != nil {
			return nil, err
		}
		s.zooKeeper = zooKeeper
	}
	cluster, err := realkafka.Start(ctx, realkafka.Config{
		Version: c.release.Name, Brokers: brokers, ZooKeeper: s.address(), Properties: quick, Keep: s.keep,
	})
	if err != nil {
		return nil, errors.Join(err, s.stop()) //nolint:contextcheck // what ctx ended has to be stopped all the same
	}
	s.cluster = cluster
	return s, nil
}

// realServers are brokers and, where they need it, a ZooKeeper as child processes.
type realServers struct {
	zooKeeper *realzk.Server
	cluster   *realkafka.Cluster
	failed    bool
}

func (s *realServers) keep() bool { return s.failed }

// address is where brokers register, or nothing.
func (s *realServers) address() string {
	if s.zooKeeper == nil {
		return ""
	}
	return s.zooKeeper.Addr() + "/kafka"
}

func (s *realServers) where(way string) []string {
	if way == wayZooKeeper {
		return []string{"--zookeeper", s.address()}
	}
	return []string{"--bootstrap", s.cluster.Bootstrap()}
}

func (s *realServers) reference(options ...kgo.Opt) (*kgo.Client, error) {
	return s.cluster.Client(options...)
}
func (s *realServers) createTopic(ctx context.Context, topic realkafka.Topic) error {
	return s.cluster.CreateTopic(ctx, topic)
}

func (s *realServers) deleteTopic(ctx context.Context, topic string) error {
	return s.cluster.DeleteTopic(ctx, topic)
}

func (s *realServers) grow(ctx context.Context, topic string, partitions int) error {
	return s.cluster.Grow(ctx, topic, partitions)
}
func (s *realServers) real() *realkafka.Cluster { return s.cluster }

func (s *realServers) stop() (err error) {
	if s.cluster != nil {
		err = s.cluster.Stop()
		if s.failed {
			fmt.Fprintln(os.Stdout, "  the brokers' logs and data are kept in", s.cluster.Dir())
		}
	}
	if s.zooKeeper != nil {
		err = errors.Join(err, s.zooKeeper.Close())
	}
	return err
}

// embeddedServers are those of internal/embedded.
type embeddedServers struct{ world *world.World }

func (s embeddedServers) where(way string) []string {
	if way == wayZooKeeper {
		return []string{"--zookeeper", s.world.Connect()}
	}
	return []string{"--bootstrap", strings.Join(s.world.Kafka.Addrs(), ",")}
}

func (s embeddedServers) reference(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(s.world.Kafka.Addrs()...), kgo.MetadataMinAge(100 * time.Millisecond),
	}, options...)...)
}

// createTopic takes no settings: those that matter here are not in the embedded server's power.
func (s embeddedServers) createTopic(ctx context.Context, topic realkafka.Topic) error {
	return s.world.Kafka.CreateTopic(ctx, topic.Name, int32(max(topic.Partitions, 1))) //nolint:gosec // a handful
}

func (s embeddedServers) deleteTopic(ctx context.Context, topic string) error {
	return s.world.Kafka.DeleteTopic(ctx, topic)
}

func (s embeddedServers) grow(ctx context.Context, topic string, partitions int) error {
	return s.world.Kafka.Grow(ctx, topic, int32(partitions)) //nolint:gosec // a handful
}
func (embeddedServers) real() *realkafka.Cluster { return nil }
func (s embeddedServers) stop() error            { return s.world.Close() }
