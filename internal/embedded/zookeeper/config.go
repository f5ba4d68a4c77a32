// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"
)

const (
	defaultAddr = "127.0.0.1:0"
	// defaultTick makes sessions of 1 s to 10 s: short enough for tests, long enough for a busy laptop.
	defaultTick = 500 * time.Millisecond
	// defaultMaxConnections is some ten times what the demonstration uses (two for each of some 50 workers).
	defaultMaxConnections = 1024
	// defaultMaxFrame is ZooKeeper's jute.maxbuffer, one byte less than 1 MiB.
	defaultMaxFrame = 0xfffff
	// A session lasts from 2 to 20 ticks, as in ZooKeeper.
	minTicks, maxTicks = 2, 20
)

// Config says how a server runs. The zero value is a server on a free loopback port with the clock of the
// machine.
type Config struct {
	// Addr is the TCP address to listen on. Default 127.0.0.1:0, a free port.
	Addr string
	// Listen opens the listener, at the start and again at each Restart, then with the address of the first.
	// Here TLS or a network in memory comes in. Default is plain TCP.
	Listen func(ctx context.Context, addr string) (net.Listener, error)
	// TickTime is the grain of expiry; sessions last from 2 to 20 of it. At least 1 ms. Default 500 ms.
	TickTime time.Duration
	// Clock is the time the server lives by. Default is the clock of the machine.
	Clock Clock

	// DisableMulti makes the server answer a multi as servers that do not know an operation do: with the
	// error "unimplemented" (-6), after which they close the connection (UnimplementedRequestProcessor).
	DisableMulti bool
	// SilentMulti makes DisableMulti worse: the multi is dropped without an answer and the connection
	// lives on, as servers of 3.3, the last without multi, treat an operation they do not know. A client
	// then waits for ever unless it bounds the call.
	SilentMulti bool

	// MaxConnections bounds the open connections; one more is closed at once. Default 1024.
	MaxConnections int
	// MaxFrame bounds a request in bytes; a longer one closes the connection. Default 1 MiB - 1, as
	// jute.maxbuffer.
	MaxFrame int
	// Logger gets connections, sessions and faults at level Debug and refused input at Warn. Default none.
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.TickTime < 0 || c.TickTime > 0 && c.TickTime < time.Millisecond {
		return c, fmt.Errorf("zookeeper: tick time %v is too short, want at least 1ms", c.TickTime)
	}
	if c.MaxFrame < 0 || c.MaxConnections < 0 {
		return c, fmt.Errorf("zookeeper: negative bound (max frame %d, max connections %d), want 0 for the default",
			c.MaxFrame, c.MaxConnections)
	}
	setDefault(&c.Addr, defaultAddr)
	setDefault(&c.TickTime, defaultTick)
	setDefault(&c.MaxConnections, defaultMaxConnections)
	setDefault(&c.MaxFrame, defaultMaxFrame)
	if c.Clock == nil {
		c.Clock = SystemClock{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Listen == nil {
		c.Listen = listenTCP
	}
	return c, nil
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func listenTCP(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

// clampTimeout turns the session timeout a client asks for into the one it gets.
func (c Config) clampTimeout(ms int32) time.Duration {
	d := time.Duration(ms) * time.Millisecond
	return max(minTicks*c.TickTime, min(d, maxTicks*c.TickTime))
}
