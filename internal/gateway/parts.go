// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
)

// parts are what a gateway is made of.
type parts struct {
	config   Config
	logger   *slog.Logger
	cluster  *client.Cluster
	producer *client.Producer
	verifier caller.Verifier
	metrics  *Metrics
	ready    *readiness
	entrance *entrance
	// handler is one for which there are no brokers, until it is known which Kafka this is.
	handler atomic.Pointer[handling.Handler]
	// draining says that handler was drained.
	draining atomic.Bool
	// window and peers are nil where Idempotency-Keys are ignored.
	window *window.Window
	peers  *peers
	// transport reaches other replicas, in requests that prepare has changed, unless stays says that they stay.
	transport       *http.Transport
	prepare         func(in, out *http.Request)
	stays           func(r *http.Request) bool
	public, private *http.Server
}

func assemble(config Config, listening net.Addr, logger *slog.Logger) (*parts, error) {
	p := &parts{config: config, logger: logger, entrance: new(entrance)}
	secured, err := config.serverTLS(logger)
	if err != nil {
		return nil, err
	}
	if p.transport, err = config.transport(secured, logger); err != nil {
		return nil, err
	}
	if p.verifier, err = config.Auth.verifier(logger); err != nil {
		return nil, err
	}
	if config.Auth.Type == AuthMTLS && config.HTTP.TLS != nil {
		b := &behalf{Verifier: p.verifier, key: func() ([]byte, error) { return secretOf(secured) }, now: time.Now}
		p.verifier, p.prepare, p.stays = b, b.prepare, b.stays
	}
	producing, err := config.Produce.config()
	if err != nil {
		return nil, fmt.Errorf("produce: %w", err)
	}
	if length := config.Idempotency.Window; length != nil { // until then a key is remembered
		producing.Settle = time.Duration(*length)
	}
	if p.cluster, err = config.Cluster.Connect(logger); err != nil {
		return nil, err
	}
	p.metrics = NewMetrics(func() int { return p.producer.Buffered() }) // which is there before anybody asks
	producing.Observe = p.metrics.outcome
	if p.producer, err = p.cluster.Topic(config.Topic).Producer(producing); err != nil {
		return nil, errors.Join(err, p.cluster.Close())
	}
	p.ready = &readiness{state: p.cluster.State}
	if err := p.wait(); err != nil {
		p.producer.Close()
		return nil, errors.Join(err, p.cluster.Close())
	}
	p.remember(listening)
	p.public = handling.NewServer("", p.entrance)
	p.public.TLSConfig = secured
	p.public.ReadTimeout = time.Duration(config.HTTP.BodyTimeout)
	p.public.ReadHeaderTimeout = min(p.public.ReadHeaderTimeout, p.public.ReadTimeout)
	p.private = handling.NewServer("", inner(p.entrance, p.metrics))
	for _, server := range []*http.Server{p.public, p.private} {
		server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	}
	return p, nil
}

// wait answers callers while it is not known which Kafka this is.
func (p *parts) wait() error {
	handler, err := p.open(away{p.metrics}, nil, true, func() error { return cmp.Or(p.ready.err(), errAway) })
	if err != nil {
		return err
	}
	p.handler.Store(handler)
	p.entrance.open(handler)
	return nil
}

// remember makes the window, and what says whose turn it is.
func (p *parts) remember(listening net.Addr) {
	length := p.config.Idempotency.Window
	if length == nil || *length <= 0 {
		return
	}
	p.window = window.New(window.Config{
		Length: time.Duration(*length), Slack: time.Duration(p.config.Produce.Timeout) + clocksApart,
	})
	self := selfOf(listening)
	p.peers = &peers{
		self: self, lookup: net.DefaultResolver.LookupHost, giveUp: p.producer.GiveUpDoubts, logger: p.logger,
		shares: window.NewShares(window.SharesConfig{Self: self, Hold: p.config.hold(), Begin: startHold}),
	}
	if p.config.Idempotency.Peers != "" {
		p.peers.names = strings.Split(p.config.Idempotency.Peers, ",")
	}
}

// rebuilder is nil where messages carry no headers: then keys that move are at least once.
func (p *parts) rebuilder(headers bool) func(context.Context) error {
	if !headers {
		return nil
	}
	return func(ctx context.Context) error { return rebuild(ctx, p.cluster, p.config.Topic, p.window) }
}

// forwarder stands before the handler.
func (p *parts) forwarder(handler http.Handler) http.Handler {
	scheme := "http"
	if p.config.HTTP.TLS != nil {
		scheme = "https"
	}
	return window.NewForwarder(window.ForwarderConfig{
		Self: p.peers.self, Shares: p.peers.shares, Next: handler, Transport: p.transport, Scheme: scheme,
		Stays: p.stays, Prepare: p.prepare, Answered: p.metrics.answered, Logger: p.logger,
	})
}

func (l Limits) limiter() *caller.Limiter { return caller.NewLimiter(caller.Limits(l), time.Now) }
