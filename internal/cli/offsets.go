// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// offsetsFlags are what the command line of offsets says.
type offsetsFlags struct {
	connection

	format, group, time string
}

func offsetsCommand() *cobra.Command {
	var f offsetsFlags
	command := &cobra.Command{
		Use:   "offsets TOPIC [--at TIME | --group GROUP]",
		Short: "Show positions in a topic: earliest, latest, at a time, or those of a group",
		Long: `Show positions in each partition of a topic: of the first message that is still held (earliest), and the one
that the next message will get (latest). With --at also that of the first message at or after a time; in Kafka 0.7,
which knows the times of whole files alone, a position at or before it. With --group instead what a group has committed,
the end and the lag between them.

With -o json each is {"topic", "partition", "earliest", "latest", "at", "unit"}, where at is there with --at; with
--group {"topic", "partition", "owner", "committed", "earliest", "end", "lag", "unit"}.`,
		Example: `  samsa offsets orders --zookeeper zk-0:2181/kafka
  samsa offsets orders --at 2026-01-31T12:00:00Z
  samsa offsets orders --at 1h30m                    # an hour and a half ago
  samsa offsets orders --group billing`,
		Args: arguments(1, 1, "the topic"),
	}
	f.register(command)
	outputFlag(command, &f.format, formatTable, formatJSON)
	command.Flags().StringVar(&f.group, "group", "", "show what this `group` has committed")
	command.Flags().StringVar(&f.time, "at", "",
		"show also the position at a `time`: RFC 3339, or how long ago, as in 90m")
	command.RunE = func(command *cobra.Command, args []string) error { return f.run(command, args[0]) }
	return command
}

func (f *offsetsFlags) run(command *cobra.Command, topic string) error {
	out := command.OutOrStdout()
	if f.group != "" {
		if f.time != "" {
			return usage("--at: a group has committed one position in each partition; leave --at or --group out")
		}
		return f.with(command.Context(), func(ctx context.Context, c cluster) error {
			view, failure := c.group(ctx, f.group, []string{topic})
			if failure == nil && len(view.Missing) > 0 {
				failure = fmt.Errorf("topic %s: %w", topic, client.ErrNoTopic)
			}
			return writePartitions(out, f.format, view.Partitions, failure)
		})
	}
	var place *kafka.Place
	if f.time != "" {
		moment, err := parseTime(f.time, time.Now())
		if err != nil {
			return usage("--at: %w", err)
		}
		since := kafka.Since(moment)
		place = &since
	}
	return f.with(command.Context(), func(ctx context.Context, c cluster) error {
		rows, failure := offsetRows(ctx, c, topic, place)
		return writeOffsets(out, f.format, rows, failure)
	})
}

// parseTime reads a moment, or how long ago it was.
func parseTime(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time; give one as in 2026-01-31T12:00:00Z, or how long ago, as in 90m", text)
	}
	return moment, nil
}

type offsetRow struct {
	Topic    string  `json:"topic"`
	ID       string  `json:"partition"`
	Earliest number  `json:"earliest"`
	Latest   number  `json:"latest"`
	At       *number `json:"at,omitempty"`
	Unit     string  `json:"unit"`
}

func offsetRows(ctx context.Context, c cluster, topic string, place *kafka.Place) ([]offsetRow, error) {
	partitions, err := partitionRows(ctx, c, topic)
	rows := make([]offsetRow, len(partitions))
	asked := make([]kafka.Partition, len(partitions))
	for i, p := range partitions {
		rows[i] = offsetRow{Topic: p.Topic, ID: p.ID, Earliest: p.Earliest, Latest: p.End, Unit: p.Unit}
		asked[i] = kafka.Partition{Topic: p.Topic, ID: p.ID}
	}
	if place == nil || len(rows) == 0 {
		return rows, err
	}
	transport, errAt := c.transport(ctx)
	if errAt != nil {
		return rows, errAt
	}
	found, errAt := transport.Positions(ctx, asked, *place)
	for i, p := range asked {
		position := at(found, p)
		rows[i].At = &position
	}
	return rows, both(err, errAt)
}

func writeOffsets(out io.Writer, format string, rows []offsetRow, failure error) error {
	header := "PARTITION EARLIEST LATEST UNIT"
	timed := len(rows) > 0 && rows[0].At != nil
	if timed {
		header = "PARTITION EARLIEST LATEST AT UNIT"
	}
	return report(out, format, header, rows, failure, func(r offsetRow) []string {
		if timed {
			return []string{r.ID, r.Earliest.String(), r.Latest.String(), r.At.String(), r.Unit}
		}
		return []string{r.ID, r.Earliest.String(), r.Latest.String(), r.Unit}
	})
}
