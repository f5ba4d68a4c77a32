// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// What a partition keeps, in bytes: more than any scenario writes but the one that is about it. The broker looks a
// minute after its start by itself.
const (
	segment07 = 64 << 10
	kept07    = 4 * segment07
)

// embeddedServers07 are brokers of Kafka 0.7. One more than was asked for is made and is away until a topic grows:
// there a topic gets partitions when a broker comes.
type embeddedServers07 struct {
	world *world.World
	spare int32
}

func startEmbedded07(ctx context.Context, brokers int) (servers, error) {
	w, err := world.Start(ctx, world.Config{Era: world.Era07, Brokers: brokers + 1, Broker07: kafka07.Config{
		SegmentSize: segment07, RetentionBytes: kept07,
	}})
	if err != nil {
		return nil, err
	}
	s := &embeddedServers07{world: w, spare: int32(brokers)} //nolint:gosec // a handful
	return s, w.Kafka07.StopBroker(s.spare)
}

func (s *embeddedServers07) where(string) []string { return []string{flagZooKeeper, s.world.Connect()} }

func (*embeddedServers07) reference(...kgo.Opt) (*kgo.Client, error) {
	return nil, errors.New("no other client speaks to Kafka 0.7")
}

// createTopic spreads the partitions over the brokers, from which the spare one goes if it came for another topic.
func (s *embeddedServers07) createTopic(ctx context.Context, topic realkafka.Topic) error {
	if err := s.world.Kafka07.StopBroker(s.spare); err != nil {
		return err
	}
	partitions := int32(max(topic.Partitions, 1)) //nolint:gosec // a handful
	for id := range s.spare {
		share := partitions / s.spare
		if id < partitions%s.spare {
			share++
		}
		if share == 0 {
			continue
		}
		if err := s.declare(ctx, id, topic.Name, share); err != nil {
			return err
		}
	}
	return nil
}

// declare makes a topic on a broker, and waits until that has registered it.
func (s *embeddedServers07) declare(ctx context.Context, id int32, topic string, partitions int32) error {
	broker := s.world.Kafka07.Broker(id)
	if err := broker.Declare(topic, partitions); err != nil {
		return err
	}
	tick := time.NewTicker(5 * time.Millisecond) // a round trip to a server of this machine
	defer tick.Stop()
	for broker.Running() && !broker.Registered(topic) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("topic %s is not registered by broker %d: %w", topic, id, context.Cause(ctx))
		}
	}
	return nil
}

func (*embeddedServers07) deleteTopic(context.Context, string) error {
	return errors.New("kafka 0.7 deletes no topics")
}

// grow has the spare broker join with as many partitions as are missing.
func (s *embeddedServers07) grow(ctx context.Context, topic string, partitions int) error {
	missing := partitions - len(s.world.Kafka07.Partitions(topic))
	if err := s.declare(ctx, s.spare, topic, int32(missing)); err != nil { //nolint:gosec // a handful
		return err
	}
	return s.world.Kafka07.StartBroker(ctx, s.spare)
}

func (s *embeddedServers07) nodes() (all []node) {
	for id := range s.spare {
		all = append(all, node07{s.world.Kafka07, id})
	}
	return all
}

func (*embeddedServers07) moveLeaders(context.Context, string) error {
	return errors.New("kafka 0.7 has no leaders")
}
func (*embeddedServers07) real() *realkafka.Cluster { return nil }
func (s *embeddedServers07) stop() error            { return s.world.Close() }

func (s *embeddedServers07) partition(topic string, number int32) string {
	return s.world.Kafka07.Partitions(topic)[number]
}

// span is what stands in front of a value (4 bytes of length, magic, attributes, 4 of checksum), and the value.
func (*embeddedServers07) span(value []byte) int64 { return int64(10 + len(value)) }

// wrapped07 is how many messages are compressed together.
const wrapped07 = 100

func (s *embeddedServers07) write(ctx context.Context, records []*kgo.Record, with compression) error {
	byPartition := map[kafka.Partition][]*kgo.Record{}
	for _, r := range records {
		at := kafka.Partition{Topic: r.Topic, ID: s.partition(r.Topic, r.Partition)}
		byPartition[at] = append(byPartition[at], r)
	}
	for at, records := range byPartition {
		before := s.world.Kafka07.End(at)
		for together := range slices.Chunk(records, wrapped07) {
			if err := s.produce(ctx, at, together, with); err != nil {
				return fmt.Errorf("write to %s: %w", at, err)
			}
		}
		stored, err := s.world.Kafka07.Stored(at, before)
		if err != nil || len(stored) != len(records) {
			return fmt.Errorf("broker of %s has stored %d of %d messages: %w", at, len(stored), len(records), err)
		}
		for i, r := range records {
			r.Offset = stored[i].Offset
		}
	}
	return nil
}

// produce sends a set and a question behind it, whose answer proves that the broker has dealt with the set.
func (s *embeddedServers07) produce(
	ctx context.Context, at kafka.Partition, records []*kgo.Record, with compression,
) error {
	var set []byte
	for _, r := range records {
		set = protocol.AppendMessage(set, r.Value)
	}
	if with != uncompressed {
		codec := map[compression]protocol.Codec{gzipped: protocol.Gzip, snappied: protocol.Snappy}[with]
		wrapper, err := new(protocol.Compressor).AppendWrapper(nil, codec, set)
		if err != nil {
			return err
		}
		set = wrapper
	}
	var broker, number int32
	if _, err := fmt.Sscanf(at.ID, "%d-%d", &broker, &number); err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.world.Kafka07.Addrs()[broker])
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	request := (&protocol.ProduceRequest{Topic: at.Topic, Partition: number, Set: set}).AppendTo(nil)
	request = (&protocol.OffsetsRequest{
		Topic: at.Topic, Partition: number, Time: protocol.EarliestTime, MaxOffsets: 1,
	}).AppendTo(request)
	if _, err := conn.Write(request); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, protocol.SizeBytes))
	return err
}

// readAll looks into the brokers' logs.
func (s *embeddedServers07) readAll(_ context.Context, topic string, least int) ([]*kgo.Record, error) {
	var records []*kgo.Record
	for number, name := range s.world.Kafka07.Partitions(topic) {
		stored, err := s.world.Kafka07.Stored(kafka.Partition{Topic: topic, ID: name}, 0)
		if err != nil {
			return nil, err
		}
		for _, m := range stored {
			records = append(records, &kgo.Record{
				Topic: topic, Partition: int32(number), Offset: m.Offset, Value: m.Value, //nolint:gosec // a handful
			})
		}
	}
	if len(records) < least {
		return nil, fmt.Errorf("the brokers have %d messages of %s, and not %d", len(records), topic, least)
	}
	return records, nil
}

// node07 is one of the brokers.
type node07 struct {
	cluster *kafka07.Cluster
	id      int32
}

func (n node07) ID() int     { return int(n.id) }
func (n node07) Kill() error { return n.cluster.KillBroker(n.id) }

func (n node07) Stop(context.Context) error { return n.cluster.StopBroker(n.id) }

// AwaitGone has nothing to wait for: Start does.
func (node07) AwaitGone(context.Context) error { return nil }

func (n node07) Start(ctx context.Context) error { return n.cluster.StartBroker(ctx, n.id) }
