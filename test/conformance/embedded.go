// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/realkafka"
)

// embeddedServers are those of internal/embedded that speak the newest protocol. All brokers have one log, and what
// Kafka's controller does when one dies is done here: another leads, and coordinates.
type embeddedServers struct {
	book
	world *world.World
	dead  map[int32]bool
	// topics are all, with their numbers of partitions, and latest the newest of them.
	topics map[string]int32
	latest string
}

func startEmbedded(ctx context.Context, brokers int) (servers, error) {
	w, err := world.Start(ctx, world.Config{Brokers: brokers})
	if err != nil {
		return nil, err
	}
	s := &embeddedServers{world: w, dead: map[int32]bool{}, topics: map[string]int32{}}
	s.book = byClient{s.reference}
	return s, nil
}

func (s *embeddedServers) where(way string) []string {
	if way == wayZooKeeper {
		return []string{flagZooKeeper, s.world.Connect()}
	}
	return []string{flagBootstrap, strings.Join(s.world.Kafka.Addrs(), ",")}
}

func (s *embeddedServers) reference(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(s.world.Kafka.Addrs()...), kgo.MetadataMinAge(100 * time.Millisecond),
	}, options...)...)
}

func (s *embeddedServers) createTopic(ctx context.Context, topic realkafka.Topic) error {
	partitions := int32(max(topic.Partitions, 1)) //nolint:gosec // a handful
	if err := s.world.Kafka.CreateTopicWith(ctx, topic.Name, partitions, topic.Config); err != nil {
		return err
	}
	s.topics[topic.Name], s.latest = partitions, topic.Name
	return nil
}

func (s *embeddedServers) deleteTopic(ctx context.Context, topic string) error {
	delete(s.topics, topic)
	return s.world.Kafka.DeleteTopic(ctx, topic)
}

func (s *embeddedServers) grow(ctx context.Context, topic string, partitions int) error {
	count := int32(partitions) //nolint:gosec // a handful
	s.topics[topic] = count
	return s.world.Kafka.Grow(ctx, topic, count)
}

func (s *embeddedServers) nodes() (all []node) {
	for id := range s.world.Kafka.Addrs() {
		all = append(all, &embeddedNode{s, int32(id)}) //nolint:gosec // a handful
	}
	return all
}

func (s *embeddedServers) moveLeaders(ctx context.Context, topic string) error {
	kafka := s.world.Kafka
	brokers := int32(len(kafka.Addrs())) //nolint:gosec // a handful
	for p := range s.topics[topic] {
		if err := kafka.MoveLeader(ctx, topic, p, (kafka.Fake().LeaderFor(topic, p)+1)%brokers); err != nil {
			return err
		}
	}
	return nil
}
func (*embeddedServers) real() *realkafka.Cluster { return nil }
func (s *embeddedServers) stop() error            { return s.world.Close() }

// elect makes living brokers the leaders of what dead ones led, and the coordinators. Where none lives all stays.
func (s *embeddedServers) elect(ctx context.Context) error {
	var living []int32
	for id := range s.world.Kafka.Addrs() {
		if !s.dead[int32(id)] { //nolint:gosec // a handful
			living = append(living, int32(id)) //nolint:gosec // a handful
		}
	}
	if len(living) == 0 {
		return nil
	}
	kafka := s.world.Kafka
	var errs []error
	for topic, partitions := range s.topics {
		for p := range partitions {
			if s.dead[kafka.Fake().LeaderFor(topic, p)] {
				errs = append(errs, kafka.MoveLeader(ctx, topic, p, living[int(p)%len(living)]))
			}
		}
	}
	// A group is called as its topic. It is by chance which broker coordinates it.
	for s.dead[kafka.Fake().CoordinatorFor(s.latest)] {
		kafka.Fake().RehashCoordinators()
	}
	return errors.Join(errs...)
}

// embeddedNode is one of the brokers.
type embeddedNode struct {
	servers *embeddedServers
	id      int32
}

func (n *embeddedNode) ID() int { return int(n.id) }

// Kill breaks the connections off, as the broker has nothing to put in order.
func (n *embeddedNode) Kill() error { return n.Stop(context.Background()) }

func (n *embeddedNode) Stop(ctx context.Context) error {
	n.servers.dead[n.id] = true
	return errors.Join(n.servers.world.Kafka.StopBroker(n.id), n.servers.elect(ctx))
}

func (*embeddedNode) AwaitGone(context.Context) error { return nil }

func (n *embeddedNode) Start(ctx context.Context) error {
	if err := n.servers.world.Kafka.StartBroker(ctx, n.id); err != nil {
		return err
	}
	delete(n.servers.dead, n.id)
	return n.servers.elect(ctx)
}
