// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// askWithin bounds a look at a topic: brokers of this machine answer within milliseconds.
const askWithin = 5 * time.Second

// genuine is a cluster of real brokers.
type genuine struct {
	cluster *realkafka.Cluster
	admin   *kadm.Client
}

func (w *World) startReal(ctx context.Context, config Config) error {
	settings := realkafka.Config{
		Version: string(config.Era), Brokers: config.Brokers, ZooKeeper: w.Connect(), Port: config.Port,
	}
	if config.Directory != "" {
		if err := os.MkdirAll(config.Directory, 0o700); err != nil {
			return fmt.Errorf("directory of the brokers: %w", err)
		}
		settings.Dir, settings.Keep = config.Directory, func() bool { return true }
	}
	cluster, err := realkafka.Start(ctx, settings)
	if err != nil {
		return err
	}
	client, err := cluster.Client()
	if err != nil {
		_ = cluster.Stop() //nolint:contextcheck // what was begun is ended, whatever becomes of ctx
		return err
	}
	brokers := genuine{cluster: cluster, admin: kadm.NewClient(client)}
	for topic, partitions := range config.Topics {
		if err := brokers.CreateTopic(ctx, topic, partitions); err != nil {
			brokers.Close() //nolint:contextcheck // what was begun is ended, whatever becomes of ctx
			return err
		}
	}
	w.Real, w.brokers = cluster, brokers
	return nil
}

// Addrs implements Brokers.
func (g genuine) Addrs() []string { return strings.Split(g.cluster.Bootstrap(), ",") }

// CreateTopic implements Brokers.
func (g genuine) CreateTopic(ctx context.Context, topic string, partitions int32) error {
	return g.cluster.CreateTopic(ctx, realkafka.Topic{Name: topic, Partitions: int(partitions)})
}

// StopBroker implements Brokers.
func (g genuine) StopBroker(id int32) error {
	return g.cluster.Broker(int(id)).Stop(context.Background())
}

// StartBroker implements Brokers.
func (g genuine) StartBroker(ctx context.Context, id int32) error {
	return g.cluster.Broker(int(id)).Start(ctx)
}

// FreezeBroker implements Brokers.
func (g genuine) FreezeBroker(id int32) error { return g.cluster.Broker(int(id)).Freeze() }

// ThawBroker implements Brokers.
func (g genuine) ThawBroker(id int32) error { return g.cluster.Broker(int(id)).Resume() }

// Partitions implements Brokers.
func (g genuine) Partitions(topic string) []string {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	topics, err := g.admin.ListTopics(ctx, topic)
	if err != nil || topics[topic].Err != nil {
		return nil
	}
	var names []string
	for _, number := range topics[topic].Partitions.Numbers() { // in order
		names = append(names, strconv.Itoa(int(number)))
	}
	return names
}

// End implements Brokers.
func (g genuine) End(partition kafka.Partition) int64 {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	number, err := strconv.ParseInt(partition.ID, 10, 32)
	if err != nil {
		return -1
	}
	ends, _ := g.admin.ListEndOffsets(ctx, partition.Topic) // what is not in it is not known
	end, ok := ends.Lookup(partition.Topic, int32(number))
	if !ok || end.Err != nil {
		return -1
	}
	return end.Offset
}

// Close implements Brokers.
func (g genuine) Close() {
	g.admin.Close()
	_ = g.cluster.Stop() // what cannot be removed stays
}
