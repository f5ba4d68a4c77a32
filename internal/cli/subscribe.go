// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// subscribeFlags are what the command line of subscribe says.
type subscribeFlags struct {
	connection

	group, from, format string
	count               int
	topics              []string
	begin               begin
}

func subscribeCommand() *cobra.Command {
	var f subscribeFlags
	command := &cobra.Command{
		Use:   "subscribe TOPIC... (--group GROUP | --from PLACE)",
		Short: "Print messages, as a member of a consumer group or from a position",
		Long: `Print messages as they come, until it is interrupted.

With --group it joins the group and prints the messages of its share of the partitions. A message is acknowledged once
it was written to the standard output: what was printed is committed, and what was not is delivered to the group again.
SIGINT (^C) or SIGTERM commits and leaves the group; a second one ends at once, and what was not committed is delivered
again. --from says where a group begins that never was: earliest (default) or latest. It changes nothing about one that
has begun.

Without --group it reads one topic from --from on, and neither joins nor commits anything. --from is then earliest,
latest, a position, or positions in partitions as in 0=42,3=7, which are then the only ones that are read.

Formats: raw is each message's value and a newline, table has columns, json is one object per line: {"topic",
"partition", "offset", "index", "timestamp", "key", "value", "headers"}, each header {"key", "value"}. A key or value
that is no UTF-8 is null there, and in base64 as "keyBase64" or "valueBase64". Kafka 0.7 has neither keys nor times nor
headers; its messages of one compressed batch share an offset, and index tells them apart: such a batch is committed as
a whole, and one that was printed in part is delivered again.

Exit codes: 0 it was interrupted, --count is reached, or nobody reads the output any more; 1 it failed, or what was
printed could not be committed; 2 the command line is wrong.`,
		Example: `  samsa subscribe orders --group billing --zookeeper zk-0:2181/kafka
  samsa subscribe orders refunds --group audit --from latest -o json | jq .value
  samsa subscribe orders --from 3=1200 --count 1`,
		Args: arguments(1, -1, "the topic"),
	}
	f.register(command)
	flags := command.Flags()
	flags.StringVar(&f.group, "group", "", "the consumer `group` to join")
	flags.StringVar(&f.from, "from", "", "where to begin: the `place` earliest, latest, and without --group POSITION "+
		"or PARTITION=POSITION,...")
	flags.IntVar(&f.count, "count", 0, "end after this many `messages` (default: never)")
	outputFlag(command, &f.format, formatRaw, formatJSON, formatTable)
	command.RunE = func(command *cobra.Command, args []string) error {
		f.topics = args
		if err := f.check(command); err != nil {
			return err
		}
		return f.run(command)
	}
	return command
}

// check says what is wrong with the command line.
func (f *subscribeFlags) check(command *cobra.Command) error {
	if command.Flags().Changed("count") && f.count < 1 {
		return usage("--count: %d is no number of messages; give 1 or more, or leave it out", f.count)
	}
	for _, topic := range f.topics {
		if err := layout.CheckTopic(topic); err != nil {
			return usage("topic: %w", err)
		}
	}
	if f.group != "" && f.from == "" {
		f.from = "earliest"
	}
	var err error
	switch {
	case f.group == "" && f.from == "":
		return usage("give --group to join a consumer group, or --from earliest, latest or a position to read without one")
	case f.group == "" && len(f.topics) > 1:
		return usage("without --group one topic is read: leave %q out, or give --group", f.topics[1])
	}
	if f.begin, err = parseBegin(f.from); err != nil {
		return usage("--from: %w", err)
	}
	if f.group != "" && f.begin.place == nil {
		return usage("--from %s: a group begins at earliest or latest, and goes on where it has committed; "+
			"leave --group out to read from a position", f.from)
	}
	return nil
}

func (f *subscribeFlags) run(command *cobra.Command) (err error) {
	ctx := command.Context()
	defer brokenPipes()()
	known, err := f.open(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // whoever interrupts it while it connects knows
	case err != nil:
		return err
	}
	defer func() { err = both(err, known.close()) }()
	out := &printer{out: command.OutOrStdout(), format: f.format}
	warn := newWarnings(command.ErrOrStderr(), time.Now).warn
	if f.group == "" {
		reader := reading{cluster: known, deliver: out.print, warn: warn, count: f.count}
		err = reader.run(ctx, f.topics[0], f.begin, f.timeout)
	} else {
		err = known.subscribe(ctx, subscription{
			group: f.group, topics: f.topics, start: *f.begin.place, count: f.count, deliver: out.print, warn: warn,
		})
	}
	if err == errClosedPipe { //nolint:errorlint // joined with another error it is not all
		return nil
	}
	return err
}

// brokenPipes makes a write to a pipe that nobody reads an error, where it would end the process: what was printed
// before is still to be committed, and the group to be left.
func brokenPipes() (restore func()) {
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGPIPE)
	return func() { signal.Stop(ignored) }
}
