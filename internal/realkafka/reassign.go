// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// MoveLeaders takes each partition of a topic away from the broker that leads it and gives it to all others, and
// returns when none of them is led by the one that led it. There must be two brokers at least, all running.
func (c *Cluster) MoveLeaders(ctx context.Context, topic string, options ...kgo.Opt) error {
	client, err := c.Client(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	from, err := leadersOf(ctx, admin, topic)
	if err != nil {
		return err
	}
	replicas := map[int32][]int32{}
	for partition, leader := range from {
		for i := range c.brokers {
			// The new leader, the first one where nothing else decides, is another one for each partition.
			id := int32((i + int(partition)) % len(c.brokers)) //nolint:gosec // a handful
			if id != leader {
				replicas[partition] = append(replicas[partition], id)
			}
		}
	}
	// Until 2.4 no broker could be asked for it.
	if c.release.Before("2.4") {
		err = c.reassignInZooKeeper(ctx, topic, replicas)
	} else {
		err = reassign(ctx, admin, topic, replicas)
	}
	if err != nil {
		return fmt.Errorf("move the leaders of topic %s: %w", topic, err)
	}
	return awaitOthers(ctx, admin, topic, from)
}

// leadersOf are the brokers that lead a topic's partitions, all of which have one.
func leadersOf(ctx context.Context, admin *kadm.Client, topic string) (map[int32]int32, error) {
	topics, err := admin.ListTopics(ctx, topic)
	if err := errors.Join(err, topics[topic].Err); err != nil {
		return nil, fmt.Errorf("leaders of topic %s: %w", topic, err)
	}
	all := map[int32]int32{}
	for _, p := range topics[topic].Partitions {
		if p.Leader < 0 {
			return nil, fmt.Errorf("leaders of topic %s: partition %d has none", topic, p.Partition)
		}
		all[p.Partition] = p.Leader
	}
	return all, nil
}

func reassign(ctx context.Context, admin *kadm.Client, topic string, replicas map[int32][]int32) error {
	var request kadm.AlterPartitionAssignmentsReq
	for partition, brokers := range replicas {
		request.Assign(topic, partition, brokers)
	}
	answers, err := admin.AlterPartitionAssignments(ctx, request)
	return errors.Join(err, answers.Error())
}

// reassignNode is what kafka-reassign-partitions writes, and the controller deletes when it is done.
const reassignNode = "/admin/reassign_partitions"

func (c *Cluster) reassignInZooKeeper(ctx context.Context, topic string, replicas map[int32][]int32) error {
	type assignment struct {
		Topic     string  `json:"topic"`
		Partition int32   `json:"partition"`
		Replicas  []int32 `json:"replicas"`
	}
	all := make([]assignment, 0, len(replicas))
	for partition, brokers := range replicas {
		all = append(all, assignment{topic, partition, brokers})
	}
	slices.SortFunc(all, func(a, b assignment) int { return int(a.Partition - b.Partition) })
	data, err := json.Marshal(map[string]any{"version": 1, "partitions": all})
	if err != nil {
		return err
	}
	conn, path, err := connect(c.config.ZooKeeper)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	return poll(ctx, func() error { // an earlier one may be under way
		_, err := conn.Create(path+reassignNode, data, 0, zk.WorldACL(zk.PermAll))
		return err
	})
}

func awaitOthers(ctx context.Context, admin *kadm.Client, topic string, from map[int32]int32) error {
	return poll(ctx, func() error {
		now, err := leadersOf(ctx, admin, topic)
		if err != nil {
			return err
		}
		for partition, leader := range from {
			if now[partition] == leader {
				return fmt.Errorf("partition %d of topic %s is still led by broker %d", partition, topic, leader)
			}
		}
		return nil
	})
}

// poll does something until it succeeds.
func poll(ctx context.Context, do func() error) error {
	const look = 100 * time.Millisecond // a controller takes some hundred
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		err := do()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}
