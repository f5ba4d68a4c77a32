// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-zookeeper/zk"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// topicCommand is what kafka-topics runs, until 2.8 the only way to change what registers in a ZooKeeper.
const topicCommand = "kafka.admin.TopicCommand"

// DeleteTopic asks for a topic's deletion; brokers need some hundred milliseconds for it.
func (c *Cluster) DeleteTopic(ctx context.Context, topic string, options ...kgo.Opt) error {
	if c.release.Before("0.8.2") {
		return c.deleteInZooKeeper(ctx, topic)
	}
	if c.release.Before("0.10.1") {
		_, err := c.Tool(ctx, topicCommand, "--delete", "--zookeeper", c.config.ZooKeeper, "--topic", topic)
		return err
	}
	client, err := c.Client(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := kadm.NewClient(client).DeleteTopic(ctx, topic)
	if err := errors.Join(err, answer.Err); err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	return nil
}

// deleteInZooKeeper leaves the controller the note that Kafka's own code leaves (AdminUtils.deleteTopic): the brokers
// of 0.8.1.1 delete topics, and its command for topics had lost its --delete.
func (c *Cluster) deleteInZooKeeper(ctx context.Context, topic string) error {
	conn, path, err := connect(c.config.ZooKeeper)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)() // the library knows no contexts
	if _, err := conn.Create(path+"/admin/delete_topics/"+topic, nil, 0, zk.WorldACL(zk.PermAll)); err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	return nil
}

// Grow adds partitions to a topic, up to a total of them, and returns when all have leaders.
func (c *Cluster) Grow(ctx context.Context, topic string, partitions int, options ...kgo.Opt) error {
	client, err := c.Client(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	// Until 1.0 no broker could be asked for it.
	if c.release.Before("1.0") {
		_, err = c.Tool(ctx, topicCommand, "--alter", "--zookeeper", c.config.ZooKeeper, "--topic", topic,
			"--partitions", strconv.Itoa(partitions))
	} else {
		var answers kadm.CreatePartitionsResponses
		answers, err = kadm.NewClient(client).UpdatePartitions(ctx, partitions, topic)
		err = errors.Join(err, answers.Error())
	}
	if err != nil {
		return fmt.Errorf("grow topic %s to %d partitions: %w", topic, partitions, err)
	}
	return c.awaitLeaders(ctx, client, Topic{Name: topic, Partitions: partitions})
}
