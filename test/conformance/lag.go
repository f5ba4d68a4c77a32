// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// Kafka's own tools for a group's positions.
const (
	// offsetChecker is for groups in ZooKeeper, until 0.10.
	offsetChecker = "kafka.tools.ConsumerOffsetChecker"
	// groupCommand is for groups of the brokers' coordinator, until 3.5 in the brokers' jar; until 1.1 for groups in
	// ZooKeeper too.
	groupCommand = "kafka.admin.ConsumerGroupCommand"
	// movedGroupCommand is where it went.
	movedGroupCommand = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
)

// lags: a partition that is consumed, one where something is left, one that nobody has committed, and markers of
// transactions in the middle of one, compared with what Kafka's own tool says.
func lags(ctx context.Context, b *bench) error {
	topic, err := b.topic(ctx, "", 3, nil)
	if err != nil {
		return err
	}
	if err := b.write(ctx, append(values(topic, 0, 0, 10), values(topic, 1, 0, 5)...)); err != nil {
		return err
	}
	leave, err := b.consumeAll(ctx, topic)
	if err != nil {
		return err
	}
	return errors.Join(b.compareLags(ctx, topic), leave())
}

// consumeAll has the group consume and commit 10 messages of one partition and 5 of the next. Its member leaves then;
// where the coordinator forgets a group that nobody is in, as that of 0.9 does, it is frozen until it is told to leave.
func (b *bench) consumeAll(ctx context.Context, topic string) (leave func() error, err error) {
	if b.way == wayZooKeeper || !b.release.Before("0.10") {
		_, err := b.consume(ctx, topic, b.name, 15)
		return func() error { return nil }, err
	}
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return nil, err
	}
	leave = func() error {
		_ = m.cmd.Process.Signal(syscall.SIGCONT) // it may have ended
		return m.stop(ctx)
	}
	err = b.awaitCommitted(ctx, topic, map[string]int64{"0": 10, "1": 5})
	if err = errors.Join(err, m.cmd.Process.Signal(syscall.SIGSTOP)); err != nil {
		return nil, errors.Join(err, leave())
	}
	return leave, nil
}

func (b *bench) awaitCommitted(ctx context.Context, topic string, want map[string]int64) error {
	for {
		rows, err := b.client.offsets(ctx, topic, b.name)
		there := err == nil
		for partition, position := range want {
			committed := rows[partition].Committed
			there = there && committed != nil && *committed == position
		}
		if there {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("the group has not committed everything: %w", context.Cause(ctx)), err)
		}
	}
}

// compareLags leaves something to consume, and compares what is told of that.
func (b *bench) compareLags(ctx context.Context, topic string) error {
	if err := b.write(ctx, append(values(topic, 1, 5, 7), values(topic, 2, 0, 3)...)); err != nil {
		return err
	}
	rows, err := b.client.offsets(ctx, topic, b.name)
	if err != nil {
		return err
	}
	// Of a partition that was empty when the group began: nothing, or 0, is committed; all three are to come.
	for number, want := range []int64{0, b.spans(values(topic, 1, 5, 7)), b.spans(values(topic, 2, 0, 3))} {
		partition := b.servers.partition(topic, int32(number)) //nolint:gosec // 0 to 2
		if lag := rows[partition].Lag; lag == nil || *lag != want {
			return fmt.Errorf("partition %s lags by %d; the client says %s", partition, want, show(lag))
		}
	}
	said, err := b.toolLag(ctx, topic)
	if err != nil || said == nil {
		return err
	}
	for partition, row := range rows {
		if lag, there := said[partition]; there && lag != *row.Lag {
			return fmt.Errorf("partition %s: the client says that the lag is %d, and Kafka's tool says %d",
				partition, *row.Lag, lag)
		}
	}
	if len(said) < 2 {
		return errors.New("kafka's own tool tells of fewer than two partitions")
	}
	return nil
}

// toolLag is what Kafka's own tool says, by partition; nil where this Kafka has none for such a group.
func (b *bench) toolLag(ctx context.Context, topic string) (map[string]int64, error) {
	brokers := b.servers.real()
	if brokers == nil {
		b.note("compared with what was written: there is no tool for an embedded server")
		return nil, nil
	}
	address := b.client.where[1]
	var output string
	var err error
	switch {
	case b.way == wayKafka && !b.release.Before("3.5"):
		output, err = brokers.Tool(ctx, movedGroupCommand, "--bootstrap-server", address, "--describe", "--group", b.name,
			"--timeout", "30000")
	case b.way == wayKafka && b.release.Before("0.11"):
		output, err = brokers.Tool(ctx, groupCommand,
			"--new-consumer", "--bootstrap-server", address, "--describe", "--group", b.name)
	case b.way == wayKafka:
		output, err = brokers.Tool(ctx, groupCommand, "--bootstrap-server", address, "--describe", "--group", b.name)
	case b.release.Before("0.8.2"):
		output, err = brokers.Tool(ctx, offsetChecker, "--zkconnect", address, "--group", b.name, "--topic", topic)
	case b.release.Before("0.11"):
		output, err = brokers.Tool(ctx, offsetChecker, "--zookeeper", address, "--group", b.name, "--topic", topic)
	case b.release.Before("2.0"):
		output, err = brokers.Tool(ctx, groupCommand, "--zookeeper", address, "--describe", "--group", b.name)
	default:
		b.note("compared with what was written: Kafka's tools know groups in ZooKeeper until 1.1")
		return nil, nil
	}
	switch {
	case err != nil && b.release.Before("0.8.2") && strings.Contains(output, "NoNodeException"):
		b.note("Kafka's tool ends at the first partition that has no position")
	case err != nil:
		return nil, err
	case b.way == wayKafka && b.release.Before("0.10") && strings.Contains(output, "does not exist or is rebalancing"):
		b.note("compared with what was written: Kafka's tool knows no group that nobody is in")
		return nil, nil
	}
	return parseLag(output, topic)
}

// parseLag reads a tool's table. Its columns have names, which differ between releases in case alone; in 0.9 there are
// commas between them, and spaces in them.
func parseLag(output, topic string) (map[string]int64, error) {
	all := map[string]int64{}
	topicAt, partitionAt, lagAt := -1, -1, -1
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if strings.Contains(line, ", ") {
			fields = strings.Split(strings.TrimSpace(line), ", ")
		}
		if topicAt < 0 {
			for i, field := range fields {
				switch strings.ToLower(field) {
				case "topic":
					topicAt = i
				case "partition", "pid":
					partitionAt = i
				case "lag":
					lagAt = i
				}
			}
			if lagAt < 0 || partitionAt < 0 {
				topicAt = -1
			}
			continue
		}
		if len(fields) <= max(topicAt, partitionAt, lagAt) || fields[topicAt] != topic {
			continue
		}
		if lag, err := strconv.ParseInt(fields[lagAt], 10, 64); err == nil {
			all[fields[partitionAt]] = lag
		}
	}
	if topicAt < 0 {
		return nil, fmt.Errorf("the tool's answer has no table: %s", output)
	}
	return all, nil
}
