// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/internal/realzk"
)

// servers are the Kafka that scenarios run against.
type servers interface {
	// where is how the client is told of it.
	where(way string) []string
	book
	// reference is a client of Kafka that is not the one under test; Kafka 0.7 has none.
	reference(options ...kgo.Opt) (*kgo.Client, error)
	createTopic(ctx context.Context, topic realkafka.Topic) error
	deleteTopic(ctx context.Context, topic string) error
	grow(ctx context.Context, topic string, partitions int) error
	nodes() []node
	// moveLeaders has other brokers lead all partitions of a topic.
	moveLeaders(ctx context.Context, topic string) error
	// real is the brokers as processes; nil of embedded ones.
	real() *realkafka.Cluster
	stop() error
}

// How the client is told of them.
const (
	flagZooKeeper = "--zookeeper"
	flagBootstrap = "--bootstrap"
)

// book is what scenarios write and read by themselves, without the client under test.
type book interface {
	// write puts records where they say and fills in their positions.
	write(ctx context.Context, records []*kgo.Record, codec compression) error
	// readAll gives all that a topic has, in the order of each partition, once it is at least so much.
	readAll(ctx context.Context, topic string, least int) ([]*kgo.Record, error)
	// partition is what the client calls a topic's partition of that number.
	partition(topic string, number int32) string
	// span is by how much a message of that value takes positions on, alone in its wrapper or batch.
	span(value []byte) int64
}

// node is a broker that can die and come back with what it had.
type node interface {
	ID() int
	// Kill ends it at once, Stop in order.
	Kill() error
	Stop(ctx context.Context) error
	// AwaitGone waits until ZooKeeper has forgotten it.
	AwaitGone(ctx context.Context) error
	Start(ctx context.Context) error
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

// start runs servers for columns that share them.
func start(ctx context.Context, columns []column, brokers int) (servers, error) {
	c := columns[0]
	switch c.kind {
	case embedded:
		return startEmbedded(ctx, brokers)
	case embedded07:
		return startEmbedded07(ctx, brokers)
	}
	s := &realServers{registers: c.kind == kindZooKeeper}
	if s.registers || slices.ContainsFunc(columns, column.beside) {
		zooKeeper, err := realzk.Start(ctx, realzk.Config{Keep: s.keep})
		if err != nil {
			return nil, err
		}
		s.zooKeeper = zooKeeper
	}
	config := realkafka.Config{Version: c.release.Name, Brokers: brokers, Properties: quick, Keep: s.keep}
	if s.registers {
		config.ZooKeeper = s.address()
	}
	cluster, err := realkafka.Start(ctx, config)
	if err != nil {
		return nil, errors.Join(err, s.stop()) //nolint:contextcheck // what ctx ended has to be stopped all the same
	}
	s.cluster, s.book = cluster, byClient{cluster.Client}
	return s, nil
}

// realServers are brokers and, where they or groups need it, a ZooKeeper as child processes.
type realServers struct {
	book
	// registers says that the brokers register in the ZooKeeper.
	registers bool
	zooKeeper *realzk.Server
	cluster   *realkafka.Cluster
	failed    bool
}

func (s *realServers) keep() bool { return s.failed }

// address is the ZooKeeper's. Groups alone need no place of their own in it.
func (s *realServers) address() string {
	if s.registers {
		return s.zooKeeper.Addr() + "/kafka"
	}
	return s.zooKeeper.Addr()
}

func (s *realServers) where(way string) []string {
	switch {
	case way == wayKafka:
		return []string{flagBootstrap, s.cluster.Bootstrap()}
	case s.registers:
		return []string{flagZooKeeper, s.address()}
	default:
		return []string{flagZooKeeper, s.address(), flagBootstrap, s.cluster.Bootstrap()}
	}
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

func (s *realServers) moveLeaders(ctx context.Context, topic string) error {
	return s.cluster.MoveLeaders(ctx, topic)
}

func (s *realServers) nodes() (all []node) {
	for _, broker := range s.cluster.Brokers() {
		all = append(all, broker)
	}
	return all
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
