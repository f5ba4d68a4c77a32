// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
)

// ListeningMessage is the log's line that tells, as "address", where the worker answers.
const ListeningMessage = "Listening"

// Run works until ctx ends, then drains. It ends in this order, for these reasons:
//
//  1. Fetching stops: what is not begun is the next owner's.
//  2. What is at the sink finishes, within the drain timeout: cutting it off would deliver it twice.
//  3. The position is committed and the claim released, in one transaction: whoever sees the claim gone sees the
//     position.
//  4. The member leaves the group; until then others would have computed their share as if it stayed.
//  5. The sink, then the session close: nothing uses them any more.
//  6. The server ends: it has told all the while how the draining goes.
//
// The error is nil if all of that happened, however long the cluster may have been out of reach before.
func Run(ctx context.Context, config Config, logger *slog.Logger) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	w, err := assemble(config, logger) //nolint:contextcheck // the session outlives ctx: leaving takes requests too
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	logger.Info(ListeningMessage, "address", listener.Addr().String())

	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	// What shows how the worker ends has to outlast its end.
	showing, stopShowing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopShowing()
	var shows sync.WaitGroup
	shows.Go(func() { w.monitor.Run(showing) })
	shows.Go(func() {
		// A worker that nobody can ask is a worker that fails.
		end(w.server.Run(showing, listener))
	})

	err = w.work(working, logger)
	stopShowing()
	shows.Wait()
	if failure := context.Cause(working); ctx.Err() == nil && !errors.Is(failure, context.Canceled) {
		err = errors.Join(failure, err)
	}
	return err
}

// parts are what a worker is made of.
type parts struct {
	cluster  *client.Cluster
	consumer *client.Consumer
	pump     *pump.Pump
	sink     interface{ Close() error }
	// reach is nil for a sink that is always there.
	reach   *reach
	monitor *Monitor
	server  *Server
}

func assemble(config Config, logger *slog.Logger) (*parts, error) {
	target, err := config.sink(logger)
	if err != nil {
		return nil, err
	}
	joining, err := config.consumer()
	if err != nil {
		return nil, errors.Join(err, target.Close())
	}
	cluster, err := config.Cluster.Connect(logger)
	if err != nil {
		return nil, errors.Join(err, target.Close())
	}
	consumer, err := cluster.Consumer(joining)
	if err != nil {
		return nil, errors.Join(err, target.Close(), cluster.Close())
	}
	source := &live{config: config, consumer: consumer, now: time.Now}
	source.tally.metrics = NewMetrics(source)
	if target, ok := target.(prober); ok {
		source.reach = newReach(target)
		source.tally.reach = source.reach
	}
	source.pump = pump.New(pump.Config{
		Sink: target, InitialBackoff: time.Duration(config.Delivery.Retry.InitialBackoff),
		MaxBackoff: time.Duration(config.Delivery.Retry.MaxBackoff), Observer: &source.tally, Logger: logger,
		OutOfRange: config.OutOfRange.rule(),
	})
	monitor := NewMonitor(source, logger)
	return &parts{
		cluster: cluster, consumer: consumer, pump: source.pump, sink: target, reach: source.reach, monitor: monitor,
		server: NewServer(source, monitor, source.tally.metrics, logger),
	}, nil
}

// work consumes until ctx ends, and then until everything is handed over.
func (w *parts) work(ctx context.Context, logger *slog.Logger) error {
	stop := context.AfterFunc(ctx, func() { logger.Info("Draining", "reason", context.Cause(ctx)) })
	defer stop()
	var probing sync.WaitGroup
	if w.reach != nil {
		probing.Go(func() { w.reach.run(ctx) })
	}
	err := w.consumer.Run(ctx, w.pump)
	w.pump.Wait()
	probing.Wait()
	err = errors.Join(err, w.sink.Close(), w.cluster.Close())
	if err == nil {
		logger.Info("Left the group")
	}
	return err
}

func (c Config) consumer() (client.ConsumerConfig, error) {
	consumer := client.ConsumerConfig{
		Group: c.GroupName(), Coordination: c.Coordination.client(), Topics: c.Topics, Name: c.Member,
		Strategy: layout.Sticky, Start: kafka.Earliest(),
		CommitInterval: time.Duration(c.CommitInterval), DrainTimeout: time.Duration(c.DrainTimeout),
	}
	if c.TopicPattern != "" {
		pattern, err := client.CompilePattern(c.TopicPattern)
		if err != nil {
			return client.ConsumerConfig{}, fmt.Errorf("topicPattern: %w", err)
		}
		consumer.Pattern = pattern
	}
	if c.Assignment == AssignRange {
		consumer.Strategy = layout.Range
	}
	if c.Start == StartLatest {
		consumer.Start = kafka.Latest()
	}
	return consumer, nil
}

// coordinator is where the group is kept: with brokers, or in ZooKeeper.
func (c Config) coordinator() (server string, brokers bool) {
	zk := c.Cluster.ZooKeeper
	if zk != nil && c.Coordination != CoordinationKafka {
		return zk.Connect, false
	}
	if len(c.Cluster.BootstrapServers) == 0 {
		return "the brokers registered at " + zk.Connect, true
	}
	return strings.Join(c.Cluster.BootstrapServers, ","), true
}

func (r OutOfRange) rule() lane.Rule {
	switch r {
	case OutOfRangeBlock:
		return lane.BlockOutOfRange
	case OutOfRangeEarliest:
		return lane.ToEarliest
	case OutOfRangeLatest:
		return lane.ToLatest
	case OutOfRangeNearest:
		return lane.ToNearest
	case OutOfRangeEarliestOrBlock:
	}
	return lane.EarliestOrBlock
}
