// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// bootstrapConfig says how brokers are reached without ZooKeeper.
type bootstrapConfig struct {
	addresses   []string
	tls         *tls.Config
	compression kafka.Compression
	maxMessage  int
}

// options are those of every client of franz-go here.
func (c bootstrapConfig) options(more ...kgo.Opt) []kgo.Opt {
	options := append([]kgo.Opt{
		kgo.SeedBrokers(c.addresses...),
		kgo.ClientID("samsa"),
		kgo.DisableClientMetrics(),
	}, more...)
	if c.tls != nil {
		options = append(options, kgo.DialTLSConfig(c.tls))
	}
	return options
}

// bootstrapCluster is a cluster known by its brokers: of Kafka 0.9 and later, with or without ZooKeeper behind them.
type bootstrapCluster struct {
	config bootstrapConfig
	wire   *wire.Transport
	client *kgo.Client
	admin  *kadm.Client
}

func openBootstrap(ctx context.Context, config bootstrapConfig) (cluster, error) {
	transport, err := wire.Open(wire.Config{
		Brokers: config.addresses, TLS: config.tls,
		Compression: config.compression, MaxMessageBytes: config.maxMessage,
	})
	if err != nil {
		return nil, usage("--bootstrap: %w", err)
	}
	if err := transport.Ping(ctx); err != nil {
		transport.Close()
		return nil, fmt.Errorf("brokers of --bootstrap: %w; check the addresses, and that it is Kafka 0.9 or later", err)
	}
	asking, err := kgo.NewClient(config.options()...)
	if err != nil {
		transport.Close()
		return nil, usage("--bootstrap: %w", err)
	}
	return &bootstrapCluster{config: config, wire: transport, client: asking, admin: kadm.NewClient(asking)}, nil
}

func (b *bootstrapCluster) close() error {
	b.client.Close()
	b.wire.Close()
	return nil
}

func (b *bootstrapCluster) transport(context.Context) (kafka.Transport, error) { return b.wire, nil }

func (b *bootstrapCluster) brokers(ctx context.Context) ([]broker, error) {
	found, err := b.admin.ListBrokers(ctx)
	if err != nil {
		return nil, fmt.Errorf("brokers: %w", err)
	}
	rows := make([]broker, len(found))
	for i, one := range found {
		rows[i] = broker{
			ID:      strconv.Itoa(int(one.NodeID)),
			Address: net.JoinHostPort(one.Host, strconv.Itoa(int(one.Port))), Kafka: kafkaModern,
		}
	}
	return rows, nil
}

func (b *bootstrapCluster) topics(ctx context.Context) ([]string, error) {
	found, err := b.admin.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("topics: %w", err)
	}
	return slices.Sorted(maps.Keys(found)), nil
}

func (b *bootstrapCluster) partitions(ctx context.Context, topic string) ([]kafka.Partition, error) {
	found, err := b.admin.ListTopicsWithInternal(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("partitions of topic %s: %w", topic, err)
	}
	detail := found[topic]
	switch {
	case isUnknownTopic(detail.Err), detail.Err == nil && len(detail.Partitions) == 0:
		return nil, fmt.Errorf("partitions of topic %s: %w", topic, client.ErrNoTopic)
	case detail.Err != nil:
		return nil, fmt.Errorf("partitions of topic %s: %w", topic, detail.Err)
	}
	partitions := make([]kafka.Partition, 0, len(detail.Partitions))
	for number := range detail.Partitions {
		partitions = append(partitions, kafka.Partition{Topic: topic, ID: strconv.Itoa(int(number))})
	}
	slices.SortFunc(partitions, kafka.Partition.Compare)
	return partitions, nil
}
