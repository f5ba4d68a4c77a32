// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What applies unless Config says otherwise.
const (
	// DefaultMaxMessageBytes is what a broker of 0.7 takes at most unless configured otherwise: max.message.size.
	DefaultMaxMessageBytes = 1_000_000
	// DefaultFetchMaxPartitionBytes is what Kafka's own consumer rounds to with its fetch.size: one message of the
	// default's largest size and 4 % to spare.
	DefaultFetchMaxPartitionBytes = 1 << 20
)

const (
	// maxBytes bounds both sizes of Config: sizes on the wire are int32, and a fetch of a gigabyte is a mistake.
	maxBytes = 1 << 30

	// A dial that takes longer than a third of the time in which everything must heal (10 s) is as good as failed.
	dialTimeout = 3 * time.Second
	// answerTimeout is how long a broker may take until an answer begins. A healthy one reads from its page cache, some
	// ms, or from a disk, some 100 ms for a MULTIFETCH of ten partitions. 5 s and the 2 s to which reconnecting backs
	// off stay below the 10 s in which everything must heal.
	answerTimeout = 5 * time.Second
	// slowestRate is the least bytes per second at which an answer may arrive: 4 Mbit/s. A set of 1 MiB thus gets 2 s
	// more.
	slowestRate = 512 << 10
)

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
	// Default 1,000,000, at most 1 GiB.
	MaxMessageBytes int
	// FetchMaxPartitionBytes is how much is asked for of each partition at a time, in bytes. Default 1 MiB, at most 1
	// GiB.
	FetchMaxPartitionBytes int
	// Compression is that of what Append writes: one wrapper for each call. Default none.
	Compression kafka.Compression

	// patience is answerTimeout, but for tests.
	patience time.Duration
}

func (c Config) withDefaults() (Config, error) {
	for _, size := range []struct {
		field string
		bytes int
	}{{"MaxMessageBytes", c.MaxMessageBytes}, {"FetchMaxPartitionBytes", c.FetchMaxPartitionBytes}} {
		if size.bytes < 0 || size.bytes > maxBytes {
			return c, fmt.Errorf("%s is %d, want 1 to %d, or 0 for the default", size.field, size.bytes, maxBytes)
		}
	}
	c.MaxMessageBytes = cmp.Or(c.MaxMessageBytes, DefaultMaxMessageBytes)
	c.FetchMaxPartitionBytes = cmp.Or(c.FetchMaxPartitionBytes, DefaultFetchMaxPartitionBytes)
	c.patience = cmp.Or(c.patience, answerTimeout)
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
