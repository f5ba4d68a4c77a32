// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/cli"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

func TestCLI(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "CLI")
}

// The ways in which a cluster is known.
const (
	byZooKeeper = "Kafka by its ZooKeeper"
	byBrokers   = "Kafka by its brokers"
	byBoth      = "Kafka by its brokers with a ZooKeeper beside"
	by07        = "Kafka 0.7"
)

// target is a world under the commands.
type target struct {
	*world.World

	way   string
	flags []string
	unit  string
	kafka string
}

// tick lets sessions expire within a second.
const tick = 200 * time.Millisecond

// start runs a world of two brokers, with a topic of four partitions, that ends with the spec.
func start(ctx context.Context, way string) *target {
	GinkgoHelper()
	t := &target{way: way, unit: "messages", kafka: "0.8+"}
	config := world.Config{Tick: tick, Brokers: 2, Topics: map[string]int32{"orders": 4}}
	if way == by07 {
		config.Era, t.unit, t.kafka = world.Era07, "bytes", "0.7"
	}
	w, err := world.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	t.World = w
	t.flags = []string{"--zookeeper", w.Connect()}
	addresses := strings.Join(w.Brokers().Addrs(), ",")
	switch way {
	case byBrokers:
		t.flags = []string{"--bootstrap", addresses}
	case byBoth: // outside of the chroot that the brokers register in
		t.flags = []string{"--bootstrap", addresses, "--zookeeper", w.ZooKeeper.Addr()}
	}
	return t
}

// everyWay makes a spec of each way.
func everyWay(text string, body func(ctx SpecContext, t *target)) {
	inWays([]string{byZooKeeper, byBrokers, byBoth, by07}, text, body)
}

// Some of the ways.
var (
	withZooKeeper = []string{byZooKeeper, by07}
	only07        = []string{by07}
	laterKafka    = []string{byZooKeeper, byBrokers}
)

// inWays makes a spec of each of some ways.
func inWays(ways []string, text string, body func(ctx SpecContext, t *target)) {
	for _, way := range ways {
		It(text+", "+way, Label(way), func(ctx SpecContext) { body(ctx, start(ctx, way)) }, NodeTimeout(time.Minute))
	}
}

// result is what a command did.
type result struct {
	out, err *buffer
	failure  error
}

// execute runs a command line as the binary does.
func execute(ctx context.Context, in io.Reader, out, errs io.Writer, args ...string) error {
	root := &cobra.Command{Use: "samsa", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(cli.Commands()...) //nolint:contextcheck // a command has the context that it is executed with
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	return root.ExecuteContext(ctx)
}

// run runs a command against the target.
func (t *target) run(ctx context.Context, in string, args ...string) result {
	r := result{out: &buffer{}, err: &buffer{}}
	r.failure = execute(ctx, strings.NewReader(in), r.out, r.err, append(args, t.flags...)...)
	return r
}

// must is the output of a command that succeeds.
func (t *target) must(ctx context.Context, in string, args ...string) string {
	GinkgoHelper()
	r := t.run(ctx, in, args...)
	Expect(r.failure).NotTo(HaveOccurred())
	Expect(r.err.String()).To(BeEmpty())
	return r.out.String()
}

// objects is the output of a command as JSON, one object a line.
func (t *target) objects(ctx context.Context, args ...string) []map[string]any {
	GinkgoHelper()
	return objects(t.must(ctx, "", append(args, "-o", "json")...))
}

func objects(text string) (all []map[string]any) {
	GinkgoHelper()
	decoder := json.NewDecoder(strings.NewReader(text))
	for decoder.More() {
		var object map[string]any
		Expect(decoder.Decode(&object)).To(Succeed())
		all = append(all, object)
	}
	return all
}

// field is one field of each object.
func field(all []map[string]any, name string) (values []any) {
	for _, object := range all {
		values = append(values, object[name])
	}
	return values
}

// sum adds a field of numbers.
func sum(all []map[string]any, name string) (total float64) {
	for _, object := range all {
		number, _ := object[name].(float64)
		total += number
	}
	return total
}

// background is a command that runs until it is interrupted.
type background struct {
	result

	interrupt context.CancelFunc
	done      chan struct{}
}

// begin runs a command in the background until the spec ends, at the latest.
func (t *target) begin(ctx context.Context, args ...string) *background {
	ctx, cancel := context.WithCancel(ctx)
	b := &background{
		result: result{out: &buffer{}, err: &buffer{}}, interrupt: cancel, done: make(chan struct{}),
	}
	go func() {
		defer close(b.done)
		b.failure = execute(ctx, strings.NewReader(""), b.out, b.err, append(args, t.flags...)...)
	}()
	DeferCleanup(b.end)
	return b
}

// end interrupts the command, and gives what it ended with.
func (b *background) end() error {
	b.interrupt()
	<-b.done
	return b.failure
}

// buffer is written and read at the same time.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	// most is how many writes are taken; then nobody reads any more. 0 is all.
	most, writes int
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.writes++; b.most > 0 && b.writes > b.most {
		return 0, syscall.EPIPE
	}
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// lines are those written so far.
func (b *buffer) lines() []string {
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// code is the exit code of an error.
func code(err error) int {
	if failure := (*cli.Error)(nil); errors.As(err, &failure) {
		return failure.Code
	}
	return 0
}
