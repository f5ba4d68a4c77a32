// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// What a broker does unless configured otherwise, as in kafka.server.KafkaConfig.
const (
	defaultPartitions     = 1
	defaultFlushMessages  = 500
	defaultFlushScheduler = 3 * time.Second
	defaultMaxMessage     = 1_000_000
	defaultSegmentSize    = 512 << 20
	// A week, both for retention and for how long a segment is written to.
	defaultAge           = 7 * 24 * time.Hour
	defaultCleanInterval = 10 * time.Minute
	// The real one's is 6 s as well.
	defaultSessionTimeout = 6 * time.Second
)

// Config says how a broker runs. The zero value is broker 0 on a free port of this machine, without ZooKeeper, in
// memory, with the real one's defaults. In brackets is what the real one calls it.
type Config struct {
	// Addr is where it listens. Default 127.0.0.1:0.
	Addr string
	// ID is the broker's number [brokerid].
	ID int32
	// Host is the name that it registers in ZooKeeper [hostname]. Default is the listener's.
	Host string
	// ZooKeeper is a connect string, host:port,…[/chroot], where the broker registers [zk.connect]. Empty: nowhere.
	ZooKeeper string
	// SessionTimeout is of the broker's session [zk.sessiontimeout.ms]. Default 6 s.
	SessionTimeout time.Duration

	// Partitions is the number that a topic has on this broker [num.partitions]. Default 1.
	Partitions int32
	// TopicPartitions overrides it for single topics [topic.partition.count.map].
	TopicPartitions map[string]int32
	// MaxMessageSize bounds the payload of a message, in bytes [max.message.size]. Default 1000000.
	MaxMessageSize int
	// MaxRequestSize bounds a request, in bytes [max.socket.request.bytes]. Default 100 MiB.
	MaxRequestSize int

	// FlushMessages is how many messages of a partition make it flush, which is what makes them visible
	// [log.flush.interval]. Default 500.
	FlushMessages int
	// FlushScheduler is how often it looks for what else to flush [log.default.flush.scheduler.interval.ms]. Default 3
	// s.
	FlushScheduler time.Duration
	// FlushAge is how long ago a partition's last flush must be for it to be flushed then
	// [log.default.flush.interval.ms]. Default is FlushScheduler.
	FlushAge time.Duration

	// SegmentSize is how large a segment is, in bytes, when the next is begun [log.file.size]. Default 512 MiB.
	SegmentSize int64
	// SegmentAge is for how long a segment is written to [log.roll.hours]. Default a week.
	SegmentAge time.Duration
	// Retention is how long ago the last write to a segment must be for it to be deleted [log.retention.hours]. Default
	// a week.
	Retention time.Duration
	// RetentionBytes bounds a partition; older segments are deleted [log.retention.size]. Default 0, no bound.
	RetentionBytes int64
	// CleanInterval is how often segments are deleted [log.cleanup.interval.mins]. Default 10 minutes.
	CleanInterval time.Duration

	// Dir is a directory for a copy of the log [log.dir]. A broker started on one that has a log goes on with it. Empty:
	// memory alone.
	Dir string

	// Clock is the time it lives by. Default is the machine's.
	Clock Clock
	// Random gives a number from 0 to n-1, for produces that leave the partition to the broker. Default is random.
	Random func(n int) int
	// Logger gets what is refused, and what ZooKeeper's client has to tell. Default: nothing.
	Logger *slog.Logger

	// counts are TopicPartitions, and what was declared since.
	counts *counts
}

func (c Config) withDefaults() (Config, error) {
	if c.Partitions < 0 || c.MaxMessageSize < 0 || c.MaxRequestSize < 0 || c.FlushMessages < 0 || c.SegmentSize < 0 {
		return c, errors.New("kafka07: a number in the configuration is negative, want 0 for the default")
	}
	for topic, count := range c.TopicPartitions {
		if count < 1 {
			return c, fmt.Errorf("kafka07: topic %s has %d partitions, want at least 1", topic, count)
		}
	}
	c.Addr = cmp.Or(c.Addr, "127.0.0.1:0")
	c.SessionTimeout = cmp.Or(c.SessionTimeout, defaultSessionTimeout)
	c.Partitions = cmp.Or(c.Partitions, defaultPartitions)
	c.MaxMessageSize = cmp.Or(c.MaxMessageSize, defaultMaxMessage)
	c.MaxRequestSize = cmp.Or(c.MaxRequestSize, protocol.MaxRequestSize)
	c.FlushMessages = cmp.Or(c.FlushMessages, defaultFlushMessages)
	c.FlushScheduler = cmp.Or(c.FlushScheduler, defaultFlushScheduler)
	c.FlushAge = cmp.Or(c.FlushAge, c.FlushScheduler)
	c.SegmentSize = cmp.Or(c.SegmentSize, defaultSegmentSize)
	c.SegmentAge = cmp.Or(c.SegmentAge, defaultAge)
	c.Retention = cmp.Or(c.Retention, defaultAge)
	c.CleanInterval = cmp.Or(c.CleanInterval, defaultCleanInterval)
	if c.Clock == nil {
		c.Clock = zookeeper.SystemClock{}
	}
	if c.Random == nil {
		c.Random = rand.IntN //nolint:gosec // spreading messages needs no secrets
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.counts = newCounts(c.TopicPartitions, c.Partitions)
	return c, nil
}

// partitions is the number of a topic's partitions on this broker.
func (c Config) partitions(topic string) int32 { return c.counts.of(topic) }
