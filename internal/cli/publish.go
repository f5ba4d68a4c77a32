// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// defaultBatch makes the round trip of an acknowledgement cheap: at a millisecond each, 200,000 messages a second.
	defaultBatch = 200
	// mostBatch is where the bytes bound a batch anyway: see batchBytes, where an empty message counts as 10.
	mostBatch = 100_000
	// defaultMaxMessage is what brokers take unless configured otherwise: max.message.size in Kafka 0.7, and later
	// message.max.bytes, which is somewhat more.
	defaultMaxMessage = 1_000_000
	// mostMaxMessage is what no broker takes in one piece: requests end at 100 MiB.
	mostMaxMessage = 100 << 20
)

// partitioning is how the partition of a batch is chosen.
type partitioning string

// The ways to choose.
const (
	random     partitioning = "random"
	roundRobin partitioning = "round-robin"
	byKey      partitioning = "key"
)

// publishFlags are what the command line of publish says.
type publishFlags struct {
	connection

	lines, frames   bool
	files           []string
	key             string
	keyed           bool
	partitioner     string
	compressionName string
	batch           int
	format          string
	topic           string
	arguments       []string
	binding         binding
}

func publishCommand() *cobra.Command {
	var f publishFlags
	command := &cobra.Command{
		Use:   "publish TOPIC [MESSAGE...]",
		Short: "Publish messages, acknowledged",
		Long: `Publish messages: the arguments; or files, each one message; or what comes from the standard input, where each
line is a message. The newline is no part of it, a last line without one counts, and an empty line is an empty message.
With --frames a message may hold anything: the standard input is then 4 bytes of length, big-endian, and so many bytes,
again and again.

Every message is acknowledged by a broker before it counts as published. Messages of one batch go to one partition, in
order; if a broker fails, the batch goes to another partition, except by key. After a failure it is said how many
messages were acknowledged and of which on it is unknown whether they were written; none behind those was sent.

Kafka 0.7 keeps no keys: there --key decides about the partition alone. It drops messages that are larger than its
configuration says without a word, so --max-message-bytes must not be above that.

With -o json the summary is {"topic", "acknowledged", "bytes", "partitions", "unknown", "refused"}, where partitions has
the number of messages in each partition, unknown is null or {"from", "to"}, and refused, of what was certainly not
written of the batch that failed, null or a list of {"from", "to", "reason"}. Messages are counted from 1, as lines are.

With --binding messages go to a ProducerBinding by HTTP: it has one topic, so none is named, and all arguments are
messages. What became of each message the gateway says. What it refuses for now (a limit, no broker) is sent again when
it says so, for four times --timeout. With --idempotency-key message N goes by itself, with the Idempotency-Key NAME/N:
what has an unknown outcome is sent again, too; and the same command with the same input, within the binding's window,
publishes only what is not there yet.

Exit codes: 0 all messages are acknowledged, 1 some were not sent, or refused: certainly not written; 2 the command line
is wrong, nothing was sent; 3 of some messages it is unknown whether they were written.`,
		Example: `  samsa publish orders "hello" "world" --zookeeper zk-0:2181/kafka
  seq 1000 | samsa publish orders
  samsa publish orders --file a.bin --file b.bin --compression gzip
  my-frames | samsa publish orders --frames --key customer-7 --partitioner key
  samsa publish "hello" --binding http://orders-gateway.shop.svc:8080 --token-file /var/run/secrets/tokens/orders
  samsa publish --file order.json --binding http://orders-gateway.shop.svc:8080 --idempotency-key order-7`,
	}
	f.connection.register(command)
	f.register(command)
	command.Args = func(command *cobra.Command, args []string) error {
		if f.binding.url != "" {
			return nil
		}
		return arguments(1, -1, "the topic")(command, args)
	}
	command.RunE = func(command *cobra.Command, args []string) error {
		if f.arguments = args; f.binding.url == "" {
			f.topic, f.arguments = args[0], args[1:]
		}
		f.keyed = command.Flags().Changed("key")
		if err := f.check(command); err != nil {
			return err
		}
		return f.run(command)
	}
	return command
}

func (f *publishFlags) register(command *cobra.Command) {
	flags := command.Flags()
	flags.BoolVar(&f.lines, "lines", false, "each line of the standard input is a message (default without arguments)")
	flags.BoolVar(&f.frames, "frames", false,
		"the standard input is frames: 4 bytes of length, big-endian, and so many bytes")
	flags.StringArrayVar(&f.files, "file", nil, "a `file` that is one message; repeat it for several")
	flags.StringVar(&f.key, "key", "", "the `key` of all messages")
	f.partitioner = string(random)
	flags.Var(choice{&f.partitioner, []string{string(random), string(roundRobin), string(byKey)}}, "partitioner",
		"the `way` to choose the partition of a batch: random, round-robin or key (with --key: key)")
	f.compressionName = kafka.Uncompressed.String()
	flags.Var(choice{&f.compressionName, []string{
		kafka.Uncompressed.String(), kafka.Gzip.String(), kafka.Snappy.String(),
	}}, "compression", "the `codec`: none, gzip or snappy")
	flags.IntVar(&f.batch, "batch", defaultBatch, "the most `messages` that are sent together")
	flags.IntVar(&f.maxMessage, "max-message-bytes", defaultMaxMessage,
		"the most `bytes` that a message may have; in Kafka 0.7 as compressed")
	flags.StringVar(&f.binding.url, "binding", "", "the `URL` of a ProducerBinding, in place of a cluster and a topic")
	flags.StringVar(&f.binding.tokenFile, "token-file", "", "a `file` with the token that the binding wants")
	flags.StringVar(&f.binding.idempotencyKey, "idempotency-key", "",
		"the `name` of this run: messages are sent again, for four times --timeout, and a second run adds nothing")
	flags.StringVar(&f.binding.caFile, "ca-file", "",
		"a `file` with who may have signed the binding's certificate (default: whom the system trusts)")
	outputFlag(command, &f.format, formatTable, formatJSON)
}

// checkBinding says what is wrong with the flags of a binding, and with others beside them.
func (f *publishFlags) checkBinding(command *cobra.Command) error {
	changed := command.Flags().Changed
	if f.binding.url == "" {
		for _, name := range []string{"token-file", "ca-file", "idempotency-key"} {
			if changed(name) {
				return usage("--%s: it is for a binding; give --binding", name)
			}
		}
		return nil
	}
	for _, name := range []string{
		"zookeeper", "bootstrap", "digest-file", "zookeeper-tls", "broker-tls", "partitioner", "compression",
	} {
		if changed(name) {
			return usage("--%s: the binding has its own; remove it, or --binding", name)
		}
	}
	return f.binding.check()
}

// check says what is wrong with the flags.
func (f *publishFlags) check(command *cobra.Command) error {
	if err := f.checkBinding(command); err != nil {
		return err
	}
	sources := 0
	for _, given := range []bool{len(f.arguments) > 0, f.lines, f.frames, len(f.files) > 0} {
		if given {
			sources++
		}
	}
	if err := layout.CheckTopic(f.topic); err != nil && f.binding.url == "" {
		return usage("topic: %w", err)
	}
	switch {
	case sources > 1:
		return usage("messages come from the arguments, --file, --lines or --frames: give one of them")
	case f.batch < 1 || f.batch > mostBatch:
		return usage("--batch: %d is no number of messages; give 1 to %d", f.batch, mostBatch)
	case f.maxMessage < 1 || f.maxMessage > mostMaxMessage:
		return usage("--max-message-bytes: %d is no size; give 1 to %d", f.maxMessage, mostMaxMessage)
	case f.partitioner == string(byKey) && !f.keyed:
		return usage("--partitioner key: there is no key; give --key")
	}
	if f.keyed && !command.Flags().Changed("partitioner") {
		f.partitioner = string(byKey)
	}
	compression, err := kafka.ParseCompression(f.compressionName)
	if err != nil {
		return usage("--compression: %w", err)
	}
	f.compression = compression
	return nil
}

func (f *publishFlags) source(in io.Reader) source {
	limit := f.readLimit()
	switch {
	case len(f.arguments) > 0:
		return &arrived{values: f.arguments, limit: limit}
	case len(f.files) > 0:
		return &files{names: f.files, limit: limit}
	case f.frames:
		return newFrames(in, limit)
	}
	return newLines(in, limit)
}

// readLimit bounds a message as it is read. What is to be compressed may be larger than what brokers take, and what it
// comes to the client finds out.
func (f *publishFlags) readLimit() int {
	if f.compression != kafka.Uncompressed {
		return mostMaxMessage
	}
	return f.maxMessage
}

// fromTerminal reports whether somebody has to be told that messages are to be typed.
func (f *publishFlags) fromTerminal(in io.Reader) bool {
	return len(f.arguments) == 0 && len(f.files) == 0 && !f.frames && isTerminal(in)
}

func (f *publishFlags) run(command *cobra.Command) (failed error) {
	ctx := command.Context()
	run := publishing{
		most: f.batch, mostBytes: batchBytes(f.maxMessage), timeout: f.timeout,
		progress: newProgress(command.ErrOrStderr(), time.Now),
		summary:  summary{Topic: f.topic, Partitions: map[string]int{}},
	}
	if f.keyed {
		run.key = []byte(f.key)
	}
	if f.binding.url != "" {
		f.binding.key = run.key
		run.binding = &f.binding
		defer f.binding.close()
	} else {
		known, err := f.open(ctx)
		if err != nil {
			return err
		}
		defer func() { failed = both(failed, known.close()) }()
		run.publisher = known.publisher(f.topic, partitioning(f.partitioner))
	}
	if f.fromTerminal(command.InOrStdin()) {
		fmt.Fprintln(command.ErrOrStderr(), "Each line is a message; ^D ends.")
	}
	failure := run.all(ctx, f.source(command.InOrStdin()))
	run.progress.end()
	return both(failure, run.summary.write(command.OutOrStdout(), f.format))
}

// isTerminal reports whether somebody sits in front of a stream: looks at what is written, so that a line may be
// written over, or types.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // a character device, too
	return err != nil || !os.SameFile(info, null)
}
