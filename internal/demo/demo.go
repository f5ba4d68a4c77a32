// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/internal/local/cluster"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What config/samples declares: the demo watches it, and publishes to it.
const (
	namespace = "default"
	group     = "demo"
	lines     = "lines"
	// binding is the ProducerBinding's name.
	binding = "lines"
)

// trickle is how fast messages flow after the end, with KEEP.
const trickle = 100 // a second

// ErrBroken says that the table shows something that must not be.
var ErrBroken = errors.New("a promise was broken; see the table")

// MaxMessages bounds Config.Messages: at the script's length they are some 100,000 a second, more than a laptop
// delivers.
const MaxMessages = 10_000_000

// Refusal is what is wrong with a configuration or its input. Nothing has been started.
type Refusal struct{ error }

// Unwrap gives the fault itself.
func (r Refusal) Unwrap() error { return r.error }

// Config says what to run.
type Config struct {
	// Input is the file whose lines are published; empty takes one at hand.
	Input string
	// Messages is how many are published, up to MaxMessages: the file is repeated, or cut.
	Messages int
	// Keep leaves everything running in the end, until ctx ends.
	Keep bool
	// Samples is the directory that kubectl apply -k is given.
	Samples string
	// Sink is the address to which the samples send.
	Sink string
	// Open starts the system that the demo runs on. Out gets the progress of it.
	Open func(ctx context.Context, dir string, out io.Writer, logger *slog.Logger) (*System, error)
	// Out gets the progress and the table.
	Out io.Writer
}

func (c Config) check() error {
	var faults []error
	if c.Messages < 1 || c.Messages > MaxMessages {
		faults = append(faults, fmt.Errorf("messages: %d is not from 1 to %s", c.Messages, number(MaxMessages)))
	}
	if _, err := os.Stat(filepath.Join(c.Samples, "kustomization.yaml")); err != nil {
		faults = append(faults, fmt.Errorf("samples: %w; run this in the repository, or name its config/samples", err))
	}
	return errors.Join(faults...)
}

// demo is a demo that runs.
type demo struct {
	config   Config
	pace     pace
	phases   []phase
	dir      string
	logger   *slog.Logger
	input    *input
	recorder *recorder
	system   *System
	// partitions are those of the topic.
	partitions []kafka.Partition
	places     places
	topic      topic
	statuses   *statuses
	operator   *operator
	progress   *progress
	outcome    outcome
}

// Run runs the demo. The error is a Refusal if it cannot begin, and ErrBroken if it went through and the table is not
// as promised.
func Run(ctx context.Context, config Config) (err error) {
	if err := config.check(); err != nil {
		return Refusal{err}
	}
	d := &demo{config: config, recorder: newRecorder()}
	if d.input, err = openInput(ctx, config.Input, config.Messages); err != nil {
		if ctx.Err() == nil {
			err = Refusal{err}
		}
		return err
	}
	defer d.input.close()
	sink, err := serve(ctx, config.Sink, d.recorder)
	if err != nil {
		return Refusal{err}
	}
	// It ends after those that send to it.
	defer func() { err = errors.Join(err, sink.close()) }()
	if d.dir, err = os.MkdirTemp("", "samsa-demo-"); err != nil {
		return fmt.Errorf("directory of this run: %w", err)
	}
	defer func() { err = d.tidy(err) }()
	log, err := os.Create(filepath.Join(d.dir, "demo.log"))
	if err != nil {
		return fmt.Errorf("log of this run: %w", err)
	}
	defer func() { _ = log.Close() }()
	d.logger = slog.New(slog.NewTextHandler(log, nil))
	if d.system, err = config.Open(ctx, d.dir, config.Out, d.logger); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.system.Close()) }()
	d.pace = paceIn(d.system.World)
	d.phases = script(d.pace)
	for _, id := range d.system.World.Brokers().Partitions(lines) {
		d.partitions = append(d.partitions, kafka.Partition{Topic: lines, ID: id})
	}
	d.places = placesIn(d.system.World)
	return d.observed(ctx)
}

// tidy removes what the run wrote, unless it failed: then the logs say why.
func (d *demo) tidy(failure error) error {
	if failure == nil {
		return os.RemoveAll(d.dir)
	}
	if errors.As(failure, &cluster.Refusal{}) { // nothing was started
		return Refusal{errors.Join(failure, os.RemoveAll(d.dir))}
	}
	fmt.Fprintln(d.config.Out, "logs:", d.dir)
	return failure
}

// observed runs the demo beside those who read statuses and the truth.
func (d *demo) observed(ctx context.Context) error {
	var err error
	d.statuses, err = newStatuses(d.system, d.pace, d.recorder, d.logger)
	if err != nil {
		return err
	}
	defer d.statuses.reader.Close()
	d.operator = &operator{system: d.system, away: d.statuses.away, back: d.statuses.back}
	return d.run(ctx)
}

// run declares the samples, goes through the script while messages flow, waits for the rest, and gives the verdict.
func (d *demo) run(ctx context.Context) error {
	d.progress = &progress{
		out: d.config.Out, terminal: isTerminal(d.config.Out), total: d.config.Messages, begin: time.Now(),
		counts: d.recorder.counts, owners: d.owners,
	}
	d.progress.announce(fmt.Sprintf(
		"kubectl apply -k %s; kubectl wait --for=condition=Ready producerbinding/%s consumergroup/%s",
		d.config.Samples, binding, group))
	if err := d.operator.apply(ctx, d.config.Samples); err != nil {
		return err
	}
	way, err := d.operator.enter(ctx, d.system.Proxy)
	if err != nil {
		return err
	}
	defer way.close()
	d.topic = way
	d.progress.announce(fmt.Sprintf("Ready: %s lines of %s by HTTP to ProducerBinding %q, into topic %q of %d "+
		"partitions, through ConsumerGroup %q to an HTTP sink",
		number(d.config.Messages), d.input.name, binding, lines, len(d.partitions), group))
	watching, blind := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { d.statuses.run(watching) })
	windows, err := d.flow(ctx)
	if err == nil {
		err = d.conclude(ctx, windows)
	}
	blind()
	watch.Wait()
	if err != nil {
		return err
	}
	return d.judge(ctx)
}

// conclude collects what the run comes to.
func (d *demo) conclude(ctx context.Context, windows []ledger.Window) (err error) {
	d.outcome.Account = d.recorder.account(windows)
	d.outcome.entering = d.recorder.entered()
	d.outcome.sent, d.outcome.bound = d.config.Messages, d.system.World.Kafka07 == nil
	if d.outcome.inTopic, err = inTopic(d.system.World, d.partitions); err != nil {
		return err
	}
	d.outcome.uncommitted = d.uncommitted(ctx)
	d.outcome.caughtUp = d.awaitStatus(ctx)
	d.outcome.first = d.recorder.first()
	d.outcome.checks, d.outcome.lies = d.statuses.found()
	return nil
}

// judge prints the table, and lets everything go on with KEEP.
func (d *demo) judge(ctx context.Context) error {
	limits := d.pace.limits()
	well := printTable(d.config.Out, verdict(d.outcome, limits))
	fmt.Fprintf(d.config.Out, "  pauses: %s\n", d.pace.why)
	for _, line := range evidence(d.outcome, limits) {
		fmt.Fprintln(d.config.Out, "  "+line)
	}
	fmt.Fprintf(d.config.Out, "  %.0f s in all\n", time.Since(d.progress.begin).Seconds())
	if d.config.Keep {
		d.advise()
		d.keep(ctx, d.publisher())
	}
	if !well {
		return ErrBroken
	}
	return nil
}

func (d *demo) publisher() *publisher {
	return &publisher{
		topic: d.topic, input: d.input, recorder: d.recorder, places: d.places,
	}
}

// flow publishes while the script plays, and returns once everything has arrived, or nothing more does.
func (d *demo) flow(ctx context.Context) ([]ledger.Window, error) {
	showing, hide := context.WithCancel(ctx)
	publishing, stop := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	running.Go(func() { d.progress.run(showing) })
	running.Go(func() {
		if err := d.publisher().run(publishing, d.config.Messages, length(d.phases)); err != nil {
			stop(publishFailure{err})
		}
	})
	windows, err := play(publishing, d.phases, d.operator, d.progress.announce)
	if err == nil {
		d.progress.announce("the rest")
		err = d.settle(publishing)
	}
	stop(nil)
	hide()
	running.Wait()
	return windows, err
}

// settle waits until everything is published and delivered, or nothing has moved for so long that it never will.
func (d *demo) settle(ctx context.Context) error {
	last, moved := -1, time.Now()
	for {
		published, delivered := d.recorder.counts()
		if published == d.config.Messages && delivered >= published {
			return nil
		}
		if published+delivered != last {
			last, moved = published+delivered, time.Now()
		}
		if time.Since(moved) > d.pace.stalled() {
			return nil // the table tells what is missing
		}
		pause(ctx, beat)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
