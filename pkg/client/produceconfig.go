// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// defaultProduceTimeout is three times the 10 s in which a cluster that lost a broker heals.
	defaultProduceTimeout = 30 * time.Second
	// defaultSettle is how long people take who bring brokers back that do not come back by themselves.
	defaultSettle = 5 * time.Minute
	// defaultMaxBuffered is 64 batches of Kafka's largest (1 MiB): half a second of what a gigabit link carries.
	defaultMaxBuffered = 64 << 20
)

// Acks is when a message counts as written. The zero value is AcksAll.
type Acks uint8

// What Kafka knows of them. In Kafka 0.7, where a message has one broker, AcksAll and AcksLeader are the same.
const (
	// AcksAll waits for every replica that is in sync.
	AcksAll Acks = iota
	// AcksLeader waits for the leader alone: what only that had is lost with it.
	AcksLeader
	// AcksNone waits for nobody: that a message was written is never known.
	AcksNone
)

// String gives the name that ParseAcks reads.
func (a Acks) String() string {
	switch a {
	case AcksLeader:
		return "leader"
	case AcksNone:
		return "none"
	case AcksAll:
	}
	return "all"
}

// ParseAcks reads the name of one: all, leader or none.
func ParseAcks(name string) (Acks, error) {
	for _, a := range []Acks{AcksAll, AcksLeader, AcksNone} {
		if name == a.String() {
			return a, nil
		}
	}
	return 0, fmt.Errorf("acks %q: want all, leader or none", name)
}

// ProducerConfig says how a Producer writes. The zero value is good.
type ProducerConfig struct {
	// Partitioner chooses the partitions of messages that name none. With ByKey those of one key go to one partition, as
	// Kafka's own producer has it.
	Partitioner Partitioner
	// KeyedMoves lets a message with a key go to another partition while the one that its key says has no leader. By
	// default it waits, and is refused (kafka.ErrUnavailable) when its time is over. Matters with ByKey alone.
	KeyedMoves bool
	// Acks is when a message counts as written.
	Acks Acks
	// Compression is that of what is written together.
	Compression kafka.Compression
	// Linger is how long a message may wait for others to be sent with, at most a tenth of Timeout. Default 0: what comes
	// while a request is underway goes with the next.
	Linger time.Duration
	// Timeout is that of one message, from Produce to its outcome. Default 30 s, at least 1 s.
	Timeout time.Duration
	// Settle is how long after Timeout a message of ProduceSettled is repeated of which it is unknown whether it was
	// written. Default 5 min.
	Settle time.Duration
	// MaxBuffered bounds the bytes of key, value and headers of messages that have no outcome yet, a few for each message
	// besides. Default 64 MiB.
	MaxBuffered int
	// Observe, if not nil, is told each message's outcome before its own done is: for metrics, say. It is called from many
	// goroutines at once, and must not block.
	Observe func(Produced, error)
}

func (c ProducerConfig) withDefaults() (ProducerConfig, error) {
	if c.Timeout == 0 {
		c.Timeout = defaultProduceTimeout
	}
	if c.Settle == 0 {
		c.Settle = defaultSettle
	}
	if c.MaxBuffered == 0 {
		c.MaxBuffered = defaultMaxBuffered
	}
	var errs []error
	if c.Timeout < time.Second {
		errs = append(errs, fmt.Errorf("timeout %s: want 1s or more", c.Timeout))
	}
	if c.Linger < 0 || c.Linger > c.Timeout/10 {
		errs = append(errs, fmt.Errorf("linger %s: want 0 to %s, a tenth of the timeout", c.Linger, c.Timeout/10))
	}
	if c.Settle < 0 {
		errs = append(errs, fmt.Errorf("settle %s: want a time", c.Settle))
	}
	if c.MaxBuffered < 0 {
		errs = append(errs, fmt.Errorf("max buffered %d: want bytes", c.MaxBuffered))
	}
	if err := errors.Join(errs...); err != nil {
		return c, fmt.Errorf("producer configuration: %w", err)
	}
	return c, nil
}
