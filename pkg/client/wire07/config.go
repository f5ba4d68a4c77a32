// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"log/slog"
	"net"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// DefaultMaxMessageBytes is what a broker of 0.7 takes at most unless configured otherwise: max.message.size.
const DefaultMaxMessageBytes = 1_000_000

// Config says how brokers are reached and how much is moved at a time. Only Brokers is required.
type Config struct {
	// Brokers maps the ids of the live brokers to their addresses, host:port; SetBrokers follows what they register.
	Brokers map[string]string
	// Dial makes connections in place of net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger is told of connections that were dropped, and why. Default: nothing is logged.
	Logger *slog.Logger

	// MaxMessageBytes bounds the payload of a message, in bytes; of a compressed wrapper, its compressed payload. A
	// larger one is refused before it is sent, since a broker drops it without a word; and a fetch grows up to it.
	// Default 1,000,000.
	MaxMessageBytes int
	// FetchMaxPartitionBytes is how much is asked for of each partition at a time, in bytes. Default 1 MiB.
	FetchMaxPartitionBytes int
	// Compression is that of what Append writes: one wrapper for each call. Default none.
	Compression kafka.Compression
}
