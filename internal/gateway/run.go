// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// The log's lines that tell, as "address", where callers, and probes and Prometheus, connect to.
const (
	ListeningMessage         = "Listening"
	ListeningInternalMessage = "Listening for probes"
)

const (
	// answerSlack is how much longer a request waits than the producer, which knows better what became of the message.
	answerSlack = time.Second
	// lateRequests is how long requests that were on their way when it began to drain still get an answer: a server that
	// shuts down hangs up on them, and whoever sent one could not know that it was not taken. Half a second is many times
	// what a request travels within a cluster.
	lateRequests = 500 * time.Millisecond
	// goodbye bounds how long probes' and Prometheus's answers under way may take at the end: they take milliseconds.
	goodbye = 2 * time.Second
)

// Run works until ctx ends, then leaves. It ends in this order, for these reasons:
//
//  1. Readiness fails, while requests are still taken: who routes them has to learn of it first. Each answer ends its
//     connection.
//  2. New requests are refused, for a moment with an answer, those underway get theirs.
//  3. What the producer still holds is written: of streams that went away, say.
//  4. The other replicas are followed no more, the connections to brokers end.
//  5. The server of probes ends: it has told all the while how that goes.
//
// The error is nil if all of that happened, however long the cluster may have been out of reach before.
func Run(ctx context.Context, config Config, logger *slog.Logger) error {
	listen := &net.ListenConfig{}
	public, err := listen.Listen(ctx, "tcp", config.HTTP.Address)
	if err != nil {
		return fmt.Errorf("http.address: %w", err)
	}
	private, err := listen.Listen(ctx, "tcp", config.HTTP.InternalAddress)
	if err != nil {
		return errors.Join(fmt.Errorf("http.internalAddress: %w", err), public.Close())
	}
	p, err := assemble(config, public.Addr(), logger) //nolint:contextcheck // what is underway outlives ctx
	if err != nil {
		return errors.Join(err, public.Close(), private.Close())
	}
	logger.Info(ListeningMessage, "address", public.Addr().String())
	logger.Info(ListeningInternalMessage, "address", private.Addr().String())
	return p.run(ctx, public, private)
}

// run serves on both listeners, which it closes.
func (p *parts) run(ctx context.Context, public, private net.Listener) error {
	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	// What follows the cluster has to outlast the requests.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { p.follow(following) })
	served := make(chan error, 1)
	go func() {
		err := serve(p.public, public)
		end(err) // a gateway that nobody can reach is a gateway that fails
		served <- err
	}()
	probed := make(chan error, 1)
	go func() {
		err := serve(p.private, private)
		end(err)
		probed <- err
	}()
	<-working.Done()
	p.logger.Info("Draining", "reason", context.Cause(working))
	err := p.leave(ctx)
	err = errors.Join(err, <-served)
	stop()
	all.Wait()
	err = errors.Join(err, p.cluster.Close())
	farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	err = errors.Join(err, p.private.Shutdown(farewell), <-probed)
	if err == nil {
		p.logger.Info("Left")
	}
	return err
}

// pause lets others work. It ends by itself, for what is underway must be waited for anyway.
func pause(length time.Duration) {
	if length <= 0 {
		return
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	<-timer.C
}

// serve is nil for the end that was asked for.
func serve(server *http.Server, listener net.Listener) error {
	var err error
	if server.TLSConfig != nil {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("server on %s: %w", listener.Addr(), err)
}

// leave answers what is underway, and writes what was taken.
func (p *parts) leave(ctx context.Context) error {
	p.ready.leaving.Store(true)
	p.entrance.leaving.Store(true)
	ctx = context.WithoutCancel(ctx)
	pause(time.Duration(p.config.HTTP.DrainDelay))
	p.draining.Store(true)
	p.handler.Load().Drain()
	pause(lateRequests)
	// A body has its time to come, and then the request's own.
	finish, cancel := context.WithTimeout(ctx, time.Duration(p.config.HTTP.BodyTimeout)+p.requestTimeout())
	defer cancel()
	err := p.public.Shutdown(finish)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests cut off: %w", err), p.public.Close())
	}
	flush, cancel := context.WithTimeout(ctx, time.Duration(p.config.Produce.Timeout)+answerSlack)
	defer cancel()
	if flushed := p.producer.Flush(flush); flushed != nil {
		err = errors.Join(err, fmt.Errorf("not all messages have an outcome: %w", flushed))
	}
	p.producer.Close() //nolint:contextcheck // it ends by itself, within produce.timeout
	p.transport.CloseIdleConnections()
	return err
}

// requestTimeout is how long a request waits for the producer.
func (p *parts) requestTimeout() time.Duration {
	return time.Duration(max(p.config.HTTP.RequestTimeout, p.config.Produce.Timeout)) + answerSlack
}

// follow waits until it is known which Kafka this is, lets callers in, and follows the other replicas.
func (p *parts) follow(ctx context.Context) {
	headers, ok := p.meet(ctx)
	if !ok {
		return
	}
	handler, err := p.open(p.producer, p.window, headers, p.ready.err)
	if err != nil {
		p.logger.Error("The gateway cannot begin", "error", err) // the configuration was checked: a defect
		return
	}
	p.handler.Store(handler)
	if p.draining.Load() { // the one before was
		handler.Drain()
	}
	if p.window == nil {
		p.entrance.open(handler)
		<-ctx.Done()
		return
	}
	if p.peers.rebuild = p.rebuilder(headers); p.peers.rebuild != nil {
		p.peers.greet = func(ctx context.Context) error { return greet(ctx, p.cluster, p.config.Topic) }
	}
	p.entrance.open(p.forwarder(handler))
	p.peers.run(ctx)
}

// meet waits for the brokers to say which Kafka they are; false if ctx ends before.
func (p *parts) meet(ctx context.Context) (headers, ok bool) {
	ticker := time.NewTicker(meetEvery)
	defer ticker.Stop()
	for {
		changed := p.cluster.Changed()
		if headers, known := storesHeaders(p.cluster.State()); known {
			return headers, true
		}
		select {
		case <-ctx.Done():
			return false, false
		case <-changed:
		case <-ticker.C:
		}
	}
}

// meetEvery is how often brokers are looked at that have not said what they are: not every change of that is told.
const meetEvery = 100 * time.Millisecond

// open makes the handler.
func (p *parts) open(
	producer handling.Producer, keys *window.Window, headers bool, ready func() error,
) (*handling.Handler, error) {
	limits := p.config.Limits
	var turn func(key string) error
	if keys != nil && p.peers != nil {
		turn = p.peers.shares.Check
	}
	return handling.New(handling.Config{
		Topic: p.config.Topic, Producer: producer, Verifier: p.verifier,
		Limiter: limits.limiter(), Window: keys, Scope: p.config.Idempotency.Scope, Turn: turn, NoHeaders: !headers,
		StreamIdle:     2 * time.Duration(p.config.HTTP.BodyTimeout),
		MaxBodyBytes:   int64(p.config.HTTP.MaxBodyBytes),
		MaxHeldBytes:   int64(max(p.config.Produce.MaxBufferedBytes, p.config.HTTP.MaxBodyBytes)),
		RequestTimeout: p.requestTimeout(), Ready: ready, Observe: p.metrics.observe, Logger: p.logger,
		Security: p.config.Auth.security(),
	})
}

func (p *Produce) config() (client.ProducerConfig, error) {
	made := client.ProducerConfig{
		KeyedMoves: p.KeyedMoves, Linger: time.Duration(p.Linger), Timeout: time.Duration(p.Timeout),
		MaxBuffered: p.MaxBufferedBytes,
	}
	var errs [3]error
	made.Partitioner, errs[0] = client.ParsePartitioner(p.Partitioner)
	made.Acks, errs[1] = client.ParseAcks(p.Acks)
	made.Compression, errs[2] = kafka.ParseCompression(p.Compression)
	return made, errors.Join(errs[:]...)
}
