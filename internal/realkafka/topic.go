// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Topic is one to make.
type Topic struct {
	Name string
	// Partitions is how many; default 1. Replicas is how many copies each has; default 1.
	Partitions, Replicas int
	// Config are its settings, as cleanup.policy.
	Config map[string]string
}

// CreateTopic makes a topic and returns when all of its partitions have a leader that all live brokers know. Options
// are for a client of the first listener, where that is not PLAINTEXT.
func (c *Cluster) CreateTopic(ctx context.Context, topic Topic, options ...kgo.Opt) error {
	topic.Partitions, topic.Replicas = max(topic.Partitions, 1), max(topic.Replicas, 1)
	client, err := c.Client(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	// Until 0.10.1 no broker could be asked for it.
	if c.release.Before("0.10.1") {
		err = c.createInZooKeeper(ctx, topic)
	} else {
		err = create(ctx, kadm.NewClient(client), topic)
	}
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic.Name, err)
	}
	return c.awaitLeaders(ctx, client, topic)
}

// Client is a client of the brokers that keeps to what their release understands. Whoever asks for it closes it.
func (c *Cluster) Client(options ...kgo.Opt) (*kgo.Client, error) {
	all := []kgo.Opt{kgo.SeedBrokers(strings.Split(c.Bootstrap(), ",")...), kgo.MetadataMinAge(metadataAge)}
	// Before 0.10 no broker could be asked what it understands.
	switch {
	case c.release.Before("0.8.2"):
		all = append(all, kgo.MaxVersions(kversion.V0_8_1()))
	case c.release.Before("0.9"):
		all = append(all, kgo.MaxVersions(kversion.V0_8_2()))
	case c.release.Before("0.10"):
		all = append(all, kgo.MaxVersions(kversion.V0_9_0()))
	}
	client, err := kgo.NewClient(append(all, options...)...)
	if err != nil {
		return nil, fmt.Errorf("client of the brokers: %w", err)
	}
	return client, nil
}

// metadataAge lets a client look again soon: a topic is new to it more often than not.
const metadataAge = 100 * time.Millisecond

func create(ctx context.Context, admin *kadm.Client, topic Topic) error {
	config := make(map[string]*string, len(topic.Config))
	for key, value := range topic.Config {
		config[key] = &value
	}
	answer, err := admin.CreateTopic(ctx, int32(topic.Partitions), int16(topic.Replicas), config, topic.Name)
	return errors.Join(err, answer.Err)
}

func (c *Cluster) createInZooKeeper(ctx context.Context, topic Topic) error {
	settings := make([]string, 0, 2*len(topic.Config))
	for _, key := range slices.Sorted(maps.Keys(topic.Config)) {
		settings = append(settings, "--config", key+"="+topic.Config[key])
	}
	_, err := c.Tool(ctx, topicCommand, slices.Concat([]string{
		"--create", "--zookeeper", c.config.ZooKeeper, "--topic", topic.Name,
		"--partitions", strconv.Itoa(topic.Partitions), "--replication-factor", strconv.Itoa(topic.Replicas),
	}, settings)...)
	return err
}

// awaitLeaders asks until the topic is as it was made.
func (c *Cluster) awaitLeaders(ctx context.Context, client *kgo.Client, topic Topic) error {
	const look = 50 * time.Millisecond // a controller takes 20 to 200 ms
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		known, err := c.known(ctx, client, topic)
		if known {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("topic %s has no leaders: %w (%w)", topic.Name, context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

// known tells whether every broker that runs knows leaders for all partitions.
func (c *Cluster) known(ctx context.Context, client *kgo.Client, topic Topic) (bool, error) {
	for _, broker := range c.brokers {
		if !broker.Running() {
			continue
		}
		leaders, err := leaders(ctx, client, broker.id, topic.Name)
		if err != nil || leaders < topic.Partitions {
			return false, err
		}
	}
	return true, nil
}

// leaders counts the partitions of a topic that one broker knows a leader of.
func leaders(ctx context.Context, client *kgo.Client, broker int, topic string) (int, error) {
	request := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &topic
	request.Topics = append(request.Topics, asked)
	answer, err := client.Broker(broker).Request(ctx, request)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, t := range answer.(*kmsg.MetadataResponse).Topics { //nolint:forcetypeassert // the answer to this request
		for _, p := range t.Partitions {
			if p.Leader >= 0 {
				count++
			}
		}
		err = kerr.ErrorForCode(t.ErrorCode)
	}
	return count, err
}
