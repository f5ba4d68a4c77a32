// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What is fetched unless Config says otherwise.
const (
	// DefaultFetchMaxBytes bounds the answer of one broker. One fetch is buffered for each broker while another is
	// being worked on, so the memory is brokers x 2 x FetchMaxBytes of compressed bytes: 3 x 2 x 16 MiB = 96 MiB.
	// Smaller answers would cost throughput where a round trip is long: 16 MiB at 100 ms are still 160 MiB/s, more
	// than 1 Gbit/s carries.
	DefaultFetchMaxBytes = 16 << 20
	// DefaultFetchMaxPartitionBytes is Kafka's own default for the largest message; a broker sends a larger one all the
	// same.
	DefaultFetchMaxPartitionBytes = 1 << 20
	// DefaultFetchMaxWait is how long a broker holds a fetch without news. A fetch that was withdrawn (a partition
	// was removed) keeps its connection busy for as long, so this is the pause that a change of owners costs the
	// partitions that stay: half of the second that is allowed. Idle, it costs each broker 2 requests a second.
	DefaultFetchMaxWait = 500 * time.Millisecond
	// DefaultMaxMessageBytes is Kafka's own default of message.max.bytes.
	DefaultMaxMessageBytes = 1_000_012
)

const (
	// franz-go makes no smaller batches, nor larger requests: 100 MiB, which brokers take by default, less 64 KiB for
	// what a request has besides its batch.
	minBatchBytes = 512
	maxBatchBytes = 100<<20 - 64<<10

	// The largest answer read: a fetch plus one message over the limits, which brokers always send whole.
	// 16 MiB + 64 MiB leaves room for messages sixty times the broker's default.
	maxReadBytesAboveFetch = 64 << 20
	// What one batch may grow to when it is decompressed. 1 MiB of zeros compressed 256-fold; a bomb ends there.
	maxDecompressBytes = 256 << 20

	// A dial that takes longer than a third of the time in which everything must heal (10 s) is as good as failed.
	dialTimeout = 3 * time.Second
	// A broker gets this long to answer beyond what the request itself allows (FetchMaxWait).
	requestOverhead = 5 * time.Second

	// Retries begin at a tenth of a second, for a leader that moves, and end at 2 s, so that a cause that went away is
	// noticed well within 10 s: 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, ...
	retryFloor = 100 * time.Millisecond
	retryCap   = 2 * time.Second
	// Metadata is asked for anew at most this often where a broker does not answer.
	metadataMinAge = time.Second
	// Leaders that move are noticed by errors, new partitions by what ZooKeeper says; this is the net under both.
	metadataMaxAge = time.Minute
)

// Config says how brokers are reached and how much is fetched at a time. Only Brokers is required.
type Config struct {
	// Brokers are addresses host:port to begin with; SetBrokers follows what the cluster registers.
	Brokers []string
	// ClientID names this client in the brokers' logs and quotas. Default "samsa".
	ClientID string
	// TLS encrypts all connections where set. Its ServerName, if empty, is the host that is dialed.
	TLS *tls.Config
	// SASL authenticates every connection where set. Kafka 0.10 and newer.
	SASL *SASL
	// Admission paces attempts at brokers that refuse certificates or credentials, and tells of them. Clients of one
	// cluster share it; default: one of its own.
	Admission *Admission
	// Release is the Kafka of brokers that cannot say what they understand. Default: they can.
	Release Release
	// Dial makes connections in place of net.Dialer, below TLS.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger receives what franz-go has to tell; default: nothing. Errors of partitions come out of Poll and are not
	// logged here.
	Logger *slog.Logger

	// Compression is that of what Append writes. Default none.
	Compression kafka.Compression
	// MaxMessageBytes bounds a message that is written, in bytes, before compression. Default 1,000,012, which is what
	// brokers take unless configured otherwise.
	MaxMessageBytes int

	// FetchMaxBytes bounds the answer of one broker, in bytes as compressed. Default 16 MiB.
	FetchMaxBytes int32
	// FetchMaxPartitionBytes bounds one partition's share in it. Default 1 MiB.
	FetchMaxPartitionBytes int32
	// FetchMaxWait is how long a broker may hold a fetch that has nothing to bring. Default 500 ms, at least 10 ms.
	FetchMaxWait time.Duration
}

func (c Config) withDefaults() Config {
	if c.ClientID == "" {
		c.ClientID = "samsa"
	}
	if c.Admission == nil {
		c.Admission = NewAdmission()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.FetchMaxBytes <= 0 {
		c.FetchMaxBytes = DefaultFetchMaxBytes
	}
	if c.FetchMaxPartitionBytes <= 0 {
		c.FetchMaxPartitionBytes = DefaultFetchMaxPartitionBytes
	}
	c.FetchMaxPartitionBytes = min(c.FetchMaxPartitionBytes, c.FetchMaxBytes)
	if c.MaxMessageBytes <= 0 {
		c.MaxMessageBytes = DefaultMaxMessageBytes
	}
	c.MaxMessageBytes = max(min(c.MaxMessageBytes, maxBatchBytes), minBatchBytes)
	if c.FetchMaxWait <= 0 {
		c.FetchMaxWait = DefaultFetchMaxWait
	}
	return c
}

// codec is the compression in franz-go's words.
func (c Config) codec() kgo.CompressionCodec {
	switch c.Compression {
	case kafka.Gzip:
		return kgo.GzipCompression()
	case kafka.Snappy:
		return kgo.SnappyCompression()
	case kafka.Uncompressed:
	}
	return kgo.NoCompression()
}

// Options are those by which any client of franz-go reaches the brokers of a configuration as this package does: to
// begin with config.Brokers, which have to be given, by TLS and SASL, with the same patience. What is fetched and
// written is left to the caller.
func Options(config Config) []kgo.Opt { return config.withDefaults().common(config.Brokers) }

// common are the options that fetching and producing share.
func (c Config) common(brokers []string) []kgo.Opt {
	options := []kgo.Opt{
		kgo.SeedBrokers(brokers...),
		kgo.ClientID(c.ClientID),
		kgo.Dialer(c.dial),
		kgo.WithHooks(admits{c.Admission, c.SASL}),
		kgo.WithLogger(logger{c.Logger}),
		kgo.RequestTimeoutOverhead(requestOverhead),
		kgo.RetryBackoffFn(backoff),
		kgo.MetadataMinAge(metadataMinAge),
		kgo.MetadataMaxAge(metadataMaxAge),
		// Or franz-go would push its own metrics to the brokers; ours are the worker's.
		kgo.DisableClientMetrics(),
	}
	if c.SASL != nil {
		options = append(options, kgo.SASL(mechanism{c.SASL, c.Admission}))
	}
	return append(options, c.Release.options()...)
}
