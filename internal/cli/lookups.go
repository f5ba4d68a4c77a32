// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// topicsAtOnce is how many topics are looked at together: a round trip of a millisecond each, so 1,000 take a tenth of
// a second, and ZooKeeper is not flooded.
const topicsAtOnce = 10

// destination is where what was found is written, and how.
type destination struct {
	out    io.Writer
	format string
}

// lookup makes a command of one that looks at a cluster and lists what it found.
func lookup(
	command *cobra.Command, look func(ctx context.Context, c cluster, args []string, to destination) error,
) *cobra.Command {
	var at connection
	var format string
	at.register(command)
	outputFlag(command, &format, formatTable, formatJSON)
	command.RunE = func(command *cobra.Command, args []string) error {
		return at.with(command.Context(), func(ctx context.Context, c cluster) error {
			return look(ctx, c, args, destination{command.OutOrStdout(), format})
		})
	}
	return command
}

func brokersCommand() *cobra.Command {
	return lookup(&cobra.Command{
		Use:   "brokers",
		Short: "List the live brokers",
		Long: `List the live brokers: their ids, addresses, and which Kafka they are.

With -o json each is {"id", "address", "kafka"}, where kafka is "0.7" or "0.8+".`,
		Example: `  samsa brokers --zookeeper zk-0:2181/kafka
  samsa brokers -o json | jq -r .address`,
		Args: arguments(0, 0, ""),
	}, func(ctx context.Context, c cluster, _ []string, to destination) error {
		rows, failure := c.brokers(ctx)
		return report(to.out, to.format, "ID ADDRESS KAFKA", rows, failure,
			func(b broker) []string { return []string{b.ID, b.Address, b.Kafka} })
	})
}

type topicRow struct {
	Name       string `json:"name"`
	Partitions number `json:"partitions"`
}

func topicsCommand() *cobra.Command {
	return lookup(&cobra.Command{
		Use:   "topics",
		Short: "List the topics",
		Long: `List the topics and how many partitions they have; Kafka's own topics are left out. In Kafka 0.7 the partitions
are those of the live brokers: a topic may have none for now.

With -o json each is {"name", "partitions"}.`,
		Example: `  samsa topics --zookeeper zk-0:2181/kafka
  samsa topics -o json | jq -r 'select(.partitions > 10).name'`,
		Args: arguments(0, 0, ""),
	}, func(ctx context.Context, c cluster, _ []string, to destination) error {
		rows, failure := topicRows(ctx, c)
		return report(to.out, to.format, "NAME PARTITIONS", rows, failure,
			func(t topicRow) []string { return []string{t.Name, t.Partitions.String()} })
	})
}

// topicRows counts the partitions of all topics. One whose partitions cannot be told keeps none of the others back.
func topicRows(ctx context.Context, c cluster) ([]topicRow, error) {
	names, err := c.topics(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]topicRow, len(names))
	failures := make([]error, len(names))
	var asking errgroup.Group
	asking.SetLimit(topicsAtOnce)
	for i, name := range names {
		asking.Go(func() error {
			partitions, err := c.partitions(ctx, name)
			rows[i] = topicRow{Name: name, Partitions: number(len(partitions))}
			if err != nil {
				rows[i].Partitions, failures[i] = unknown, err
			}
			return nil
		})
	}
	_ = asking.Wait()
	kept := rows[:0]
	for i, row := range rows {
		if !isNoTopic(failures[i]) { // deleted since it was listed
			kept = append(kept, row)
		} else {
			failures[i] = nil
		}
	}
	return kept, errors.Join(failures...)
}

type partitionRow struct {
	Topic    string `json:"topic"`
	ID       string `json:"partition"`
	Earliest number `json:"earliest"`
	End      number `json:"end"`
	Size     number `json:"size"`
	Unit     string `json:"unit"`
}

func partitionsCommand() *cobra.Command {
	return lookup(&cobra.Command{
		Use:   "partitions TOPIC",
		Short: "List the partitions of a topic, where they begin and end",
		Long: `List the partitions of a topic: the position of the first message that is still held, the position that the
next one will get, and what lies between, in messages. In Kafka 0.7 a partition is named BROKER-NUMBER, and positions
and sizes are bytes. Of a compacted or transactional topic some positions have no message.

With -o json each is {"topic", "partition", "earliest", "end", "size", "unit"}.`,
		Example: `  samsa partitions orders --zookeeper zk-0:2181/kafka
  samsa partitions orders -o json | jq -s 'map(.size) | add'`,
		Args: arguments(1, 1, "the topic"),
	}, func(ctx context.Context, c cluster, args []string, to destination) error {
		rows, failure := partitionRows(ctx, c, args[0])
		return report(to.out, to.format, "PARTITION EARLIEST END SIZE UNIT", rows, failure,
			func(p partitionRow) []string {
				return []string{p.ID, p.Earliest.String(), p.End.String(), p.Size.String(), p.Unit}
			})
	})
}

func partitionRows(ctx context.Context, c cluster, topic string) ([]partitionRow, error) {
	partitions, err := c.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	brokers, _ := c.brokers(ctx) // for the unit alone
	unit := unitOf(brokers)
	earliest, ends, err := bounds(ctx, c, partitions)
	rows := make([]partitionRow, len(partitions))
	for i, p := range partitions {
		begin, end := at(earliest, p), at(ends, p)
		rows[i] = partitionRow{
			Topic: p.Topic, ID: p.ID, Earliest: begin, End: end, Size: lag(unknown, begin, end), Unit: unit,
		}
	}
	return rows, err
}

func groupsCommand() *cobra.Command {
	return lookup(&cobra.Command{
		Use:   "groups [NAME]",
		Short: "List the consumer groups, or show one of them",
		Long: `List the consumer groups and how many members they have; or show one: its members, and of each partition the
owner, the committed position, the end and how far it lags behind. With --zookeeper they are the groups in ZooKeeper,
with --bootstrap alone those of the brokers' coordinator. The lag is in messages, in Kafka 0.7 in bytes.

With -o json each is {"name", "members"}; the one is {"name", "members", "partitions", "missing", "problems"}, its
members {"id", "name", "state", "topics"} and its partitions {"topic", "partition", "owner", "committed", "earliest",
"end", "lag", "unit"}.`,
		Example: `  samsa groups --zookeeper zk-0:2181/kafka
  samsa groups billing
  samsa groups billing -o json | jq '[.partitions[].lag] | add'`,
		Args: arguments(0, 1, ""),
	}, func(ctx context.Context, c cluster, args []string, to destination) error {
		if len(args) == 1 {
			view, failure := c.group(ctx, args[0], nil)
			if view.Name == "" {
				return failure
			}
			return both(failure, view.write(to.out, to.format))
		}
		rows, failure := c.groups(ctx)
		return report(to.out, to.format, "NAME MEMBERS", rows, failure,
			func(g groupSummary) []string { return []string{g.Name, g.Members.String()} })
	})
}
