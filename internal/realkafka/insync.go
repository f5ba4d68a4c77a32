// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"
)

// AwaitInSync waits until of every partition all replicas are in sync, as ZooKeeper has it: what brokers tell of that
// is not brought up to date before 0.9. With KRaft it fails.
func (c *Cluster) AwaitInSync(ctx context.Context) error {
	if c.config.ZooKeeper == "" {
		return errors.New("in-sync replicas are read out of ZooKeeper, and this cluster has none")
	}
	conn, path, err := connect(c.config.ZooKeeper)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)() // the library knows no contexts
	const look = 200 * time.Millisecond        // a replica that is back takes some seconds
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		lagging, err := lagging(conn, path+"/brokers/topics")
		if err == nil && lagging == "" {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("not all replicas of %s are in sync: %w", lagging, context.Cause(ctx)), err)
		}
	}
}

// lagging names a partition of which not all replicas are in sync; none if there is none.
func lagging(conn *zk.Conn, topics string) (string, error) {
	names, _, err := conn.Children(topics)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		var topic struct {
			Partitions map[string][]int `json:"partitions"`
		}
		if err := readJSON(conn, topics+"/"+name, &topic); err != nil {
			return "", err
		}
		for partition, replicas := range topic.Partitions {
			var state struct {
				ISR []int `json:"isr"`
			}
			err := readJSON(conn, topics+"/"+name+"/partitions/"+partition+"/state", &state)
			if err != nil || len(state.ISR) < len(replicas) {
				return name + "/" + partition, err
			}
		}
	}
	return "", nil
}

func readJSON(conn *zk.Conn, path string, into any) error {
	data, _, err := conn.Get(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
