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
	"github.com/samsa-dev/samsa/pkg/client/metadata"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// offsetsTopic is where coordinators keep positions.
const offsetsTopic = "__consumer_offsets"

// bootstrapConfig says how brokers are reached without ZooKeeper.
type bootstrapConfig struct {
	addresses   []string
	tls         *tls.Config
	compression kafka.Compression
	maxMessage  int
}

// wire is the same for whoever asks, fetches and writes.
func (c bootstrapConfig) wire() wire.Config {
	return wire.Config{
		Brokers: c.addresses, TLS: c.tls, Compression: c.compression, MaxMessageBytes: c.maxMessage,
	}
}

// bootstrapCluster is a cluster known by its brokers: of Kafka 0.8 and later, with or without ZooKeeper behind them.
type bootstrapCluster struct {
	// config is how its brokers are reached and spoken to, as it turned out.
	config wire.Config
	wire   *wire.Transport
	// asking owns client.
	asking *metadata.Reader
	client *kgo.Client
	admin  *kadm.Client
}

// openBootstrap asks the brokers who they are, which finds out how they are spoken to: those before Kafka 0.10 cannot
// say what they understand.
func openBootstrap(ctx context.Context, config bootstrapConfig) (_ cluster, err error) {
	asking := metadata.NewReader(config.wire())
	defer func() {
		if err != nil {
			asking.Close()
		}
	}()
	if _, err := asking.Read(ctx, metadata.Question{}); err != nil {
		return nil, fmt.Errorf("brokers of --bootstrap: %w; they must be of Kafka 0.8 or later", err)
	}
	known, err := asking.Client()
	if err != nil {
		return nil, usage("--bootstrap: %w", err)
	}
	transport, err := wire.Open(asking.Config())
	if err != nil {
		return nil, usage("--bootstrap: %w", err)
	}
	return &bootstrapCluster{
		config: asking.Config(), wire: transport, asking: asking, client: known, admin: kadm.NewClient(known),
	}, nil
}

func (b *bootstrapCluster) close() error {
	b.asking.Close()
	b.wire.Close()
	return nil
}

// options are those of a client of one's own.
func (b *bootstrapCluster) options(more ...kgo.Opt) []kgo.Opt {
	return append(wire.Options(b.config), more...)
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
	delete(found, offsetsTopic) // before Kafka 0.10 brokers do not say that it is their own
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
