// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/samsa-dev/samsa/pkg/client/metadata"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// ErrNotCreatable says that the brokers cannot be asked to make a topic: those of Kafka 0.7 make one when it is first
// published to.
var ErrNotCreatable = errors.New("brokers of Kafka 0.7 make a topic when the first message is published to it")

// ErrTooOldToCreate says that the brokers are older than Kafka 0.10.1, which makes topics by way of ZooKeeper alone.
var ErrTooOldToCreate = errors.New("brokers older than Kafka 0.10.1 cannot be asked to make a topic: " +
	"make it by their kafka-topics.sh --zookeeper")

// ErrReplicasNeeded says that the brokers are older than Kafka 2.4, and cannot be asked for what they are configured
// with.
var ErrReplicasNeeded = errors.New("brokers older than Kafka 2.4 do not fill in the replication factor: name it")

// TopicSettings are a topic's as it is made.
type TopicSettings struct {
	// Partitions is their number, at least 1.
	Partitions int32
	// Replicas is on how many brokers each partition is; 0 for what the brokers are configured with, which those of
	// Kafka 2.4 and newer can be asked for.
	Replicas int16
	// Configs are the topic's own, by name.
	Configs map[string]string
}

// Create makes the topic, which takes brokers of Kafka 0.10.1 and newer: see ErrTooOldToCreate. One that exists is left
// as it is, and that is no error. It waits for brokers to be known, and for them to have made it, as long as ctx
// allows; that they say so need not mean that all of them know of it yet.
func (t *Topic) Create(ctx context.Context, settings TopicSettings) error {
	if err := layout.CheckTopic(t.name); err != nil {
		return fmt.Errorf("topic: the name %w", err)
	}
	client, err := t.cluster.kafkaClient(ctx)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", t.name, err)
	}
	if err := creatable(t.cluster.State(), settings.Replicas); err != nil {
		return fmt.Errorf("create topic %s: %w", t.name, err)
	}
	replicas := settings.Replicas
	if replicas == 0 {
		replicas = -1
	}
	configs := make(map[string]*string, len(settings.Configs))
	for name, value := range settings.Configs {
		configs[name] = &value
	}
	made, err := kadm.NewClient(client).CreateTopic(ctx, settings.Partitions, replicas, configs, t.name)
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return nil
	case err != nil && made.ErrMessage != "":
		return fmt.Errorf("create topic %s: %w: %s", t.name, err, made.ErrMessage)
	case err != nil:
		return fmt.Errorf("create topic %s: %w", t.name, err)
	}
	return nil
}

// creatable says why the brokers cannot be asked for a topic.
func creatable(state ClusterState, replicas int16) error {
	switch {
	case state.DialectKnown && state.Dialect == layout.Kafka07:
		return ErrNotCreatable
	case !metadata.MakesTopics(state.MinVersion):
		return ErrTooOldToCreate
	case replicas == 0 && !metadata.DefaultReplicas(state.MinVersion):
		return ErrReplicasNeeded
	}
	return nil
}

// Configs are the topic's settings as they are in force, by name; what is secret is left out. It takes brokers of Kafka
// 0.11 and newer, and leave to read them.
func (t *Topic) Configs(ctx context.Context) (map[string]string, error) {
	client, err := t.cluster.kafkaClient(ctx)
	if err != nil {
		return nil, fmt.Errorf("settings of topic %s: %w", t.name, err)
	}
	described, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, t.name)
	if err == nil {
		_, err = described.On(t.name, func(c *kadm.ResourceConfig) error { return c.Err })
	}
	if err != nil {
		return nil, fmt.Errorf("settings of topic %s: %w", t.name, err)
	}
	configs := map[string]string{}
	for _, resource := range described {
		for _, config := range resource.Configs {
			if config.Value != nil {
				configs[config.Key] = *config.Value
			}
		}
	}
	return configs, nil
}
