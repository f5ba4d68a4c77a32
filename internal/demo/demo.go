// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
)

const (
	group      = "demo"
	lines      = "lines"
	partitions = 12
	// brokers are two, so that fetches have more than one to go to.
	brokers = 2
	// startWithin is what ZooKeeper and Kafka in this process may take to be there: some hundred times what they need.
	startWithin = 15 * time.Second
	// stalledAfter is how long nothing may arrive in the end before what is missing counts as lost: three sessions.
	stalledAfter = 3 * session
	// trickle is how fast messages flow after the end, with KEEP.
	trickle = 100 // a second
)

// ErrBroken says that the table shows something that must not be.
var ErrBroken = errors.New("a promise was broken; see the table")

// MaxMessages bounds Config.Messages: at the script's length they are 185,000 a second, more than a laptop delivers.
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
	// Binary is the samsa binary that the workers run.
	Binary string
	// Out gets the progress and the table.
	Out io.Writer
}

func (c Config) check() error {
	var faults []error
	if c.Messages < 1 || c.Messages > MaxMessages {
		faults = append(faults, fmt.Errorf("messages: %d is not from 1 to %s", c.Messages, number(MaxMessages)))
	}
	if _, err := os.Stat(c.Binary); err != nil {
		faults = append(faults, fmt.Errorf("samsa: %w; build it (make build), or name it with --samsa", err))
	}
	return errors.Join(faults...)
}

// demo is a demo that runs.
type demo struct {
	config   Config
	phases   []phase
	limits   bounds
	dir      string
	logger   *slog.Logger
	input    *input
	recorder *recorder
	world    *world.World
	cluster  *client.Cluster
	workers  *workers
	progress *progress
}

// Run runs the demo. The error is a Refusal if it cannot begin, and ErrBroken if it went through and the table is not
// as promised.
func Run(ctx context.Context, config Config) error { return perform(ctx, config, script(), limits) }

// perform runs the demo with a script and the limits it is held to.
func perform(ctx context.Context, config Config, phases []phase, limits bounds) (err error) {
	if err := config.check(); err != nil {
		return Refusal{err}
	}
	d := &demo{config: config, phases: phases, limits: limits, recorder: newRecorder()}
	if d.input, err = openInput(ctx, config.Input, config.Messages); err != nil {
		if ctx.Err() == nil {
			err = Refusal{err}
		}
		return err
	}
	defer d.input.close()
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

	sink, err := serve(ctx, d.recorder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.close()) }()
	if err := d.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	d.workers = newWorkers(config.Binary, d.dir, d.workerConfig(sink.url))
	defer d.workers.close(d.logger)
	return d.run(ctx)
}

// tidy removes what the run wrote, unless it failed: then the logs say why.
func (d *demo) tidy(failure error) error {
	if failure == nil {
		return os.RemoveAll(d.dir)
	}
	fmt.Fprintln(d.config.Out, "logs:", d.dir)
	return failure
}

// open starts ZooKeeper and Kafka, and the client that publishes.
func (d *demo) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	opened, err := world.Start(ctx, world.Config{
		Tick: tick, Brokers: brokers, Topics: map[string]int32{lines: partitions}, Logger: d.logger,
	})
	if err != nil {
		return err
	}
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: opened.Connect(), Logger: d.logger})
	if err != nil {
		return errors.Join(err, opened.Close())
	}
	d.world, d.cluster = opened, cluster
	return nil
}

func (d *demo) close() error { return errors.Join(d.cluster.Close(), d.world.Close()) }

func (d *demo) workerConfig(sink string) worker.Config {
	config := worker.Default()
	config.Group, config.Topics = group, []string{lines}
	config.Cluster.ZooKeeper = &worker.ZooKeeper{Connect: d.world.Connect(), SessionTimeout: worker.Duration(session)}
	config.Sink.HTTP = &worker.HTTPSink{URL: sink, Format: worker.FormatCloudEventsBinary}
	config.Listen = "127.0.0.1:0"
	return config
}

// run goes through the script while messages flow, waits for the rest, and gives the verdict.
func (d *demo) run(ctx context.Context) error {
	d.progress = &progress{
		out: d.config.Out, terminal: isTerminal(d.config.Out), total: d.config.Messages, begin: time.Now(),
		counts: d.recorder.counts, owners: d.owners,
	}
	fmt.Fprintf(d.config.Out, "%s lines of %s to topic %q of %d partitions, through group %q to an HTTP sink\n",
		number(d.config.Messages), d.input.name, lines, partitions, group)
	if err := d.workers.start(ctx, opening...); err != nil {
		return err
	}
	windows, err := d.flow(ctx)
	if err != nil {
		return err
	}
	well := printTable(d.config.Out, verdict(d.recorder.account(windows), d.uncommitted(ctx), d.limits))
	fmt.Fprintf(d.config.Out, "  %.0f s in all\n", time.Since(d.progress.begin).Seconds())
	if d.config.Keep {
		d.advise()
		d.keep(ctx, &publisher{topic: d.cluster.Topic(lines), input: d.input, recorder: d.recorder})
	}
	if err := d.workers.drain(context.WithoutCancel(ctx), d.workers.names()...); err != nil {
		return err
	}
	if !well {
		return ErrBroken
	}
	return nil
}

// flow publishes while the script plays, and returns once everything has arrived, or nothing more does.
func (d *demo) flow(ctx context.Context) ([]ledger.Window, error) {
	showing, hide := context.WithCancel(ctx)
	publishing, stop := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	running.Go(func() { d.progress.run(showing) })
	running.Go(func() {
		p := &publisher{topic: d.cluster.Topic(lines), input: d.input, recorder: d.recorder}
		if err := p.run(publishing, d.config.Messages, length(d.phases)); err != nil {
			stop(publishFailure{err})
		}
	})
	windows, err := play(publishing, d.phases, d.workers, d.progress.announce)
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
		if time.Since(moved) > stalledAfter {
			return nil // the table tells what is missing
		}
		pause(ctx, beat)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// server is the sink's HTTP server.
type server struct {
	url    string
	server *http.Server
	ended  chan error
}

// serve makes the recorder reachable on a port of its own.
func serve(ctx context.Context, handler http.Handler) (*server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s := &server{
		url:    "http://" + listener.Addr().String() + "/lines",
		server: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute},
		ended:  make(chan error, 1),
	}
	go func() { s.ended <- s.server.Serve(listener) }()
	return s, nil
}

// close ends the server. Its clients are gone by now, or frozen: nothing is worth waiting for.
func (s *server) close() error {
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
