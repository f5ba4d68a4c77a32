// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Producer is what messages are handed to: a client.Producer. It calls done exactly once, with a *kafka.Refused if the
// message was certainly not written. From then on the message's bytes, its headers' among them, may be another's.
type Producer interface {
	Produce(ctx context.Context, message kafka.Message, done func(client.Produced, error))
}

// Settler is a Producer that says later what became of a message of which done was told that this is unknown: exactly
// once, after done. With it, who sends a message again with its Idempotency-Key waits for that, and is told.
type Settler interface {
	ProduceSettled(ctx context.Context, message kafka.Message, done, settled func(client.Produced, error))
}

// Config is what a Handler is made of. Topic, Producer and Verifier must be there.
type Config struct {
	// Topic is the one topic that is published to.
	Topic string
	// Producer should be a Settler where there is a Window.
	Producer Producer
	// Verifier knows the callers; caller.Anonymous asks nobody for a name.
	Verifier caller.Verifier
	// Security is what the document says of how callers prove to Verifier who they are. Default: that there are several
	// ways.
	Security Security
	// Limiter keeps each caller to its limits; nil limits nobody.
	Limiter *caller.Limiter
	// Window remembers Idempotency-Keys; nil: the header is ignored.
	Window *window.Window
	// Scope tells the keys that come here from those of others who publish to the same topic. All replicas have the same.
	Scope string
	// Turn, if not nil, says why this replica may not answer for a request's Idempotency-Key, with a *window.Moved. It is
	// asked when the body is there, which may take longer than other replicas wait that take over its key.
	Turn func(key string) error
	// NoHeaders says that the brokers store no headers, as before Kafka 0.11. Messages with headers are then refused,
	// CloudEvents become JSON, and what is written with an Idempotency-Key does not carry it.
	NoHeaders bool

	// MaxBodyBytes is the longest body, and the longest message of a stream. Default 1 MiB, which is what brokers take.
	MaxBodyBytes int64
	// MaxBatch is how many messages one body may hold. Default 10,000: with the 100 bytes of a small record that is a
	// body of 1 MiB, and some 3 MB of memory until it is answered.
	MaxBatch int
	// MaxHeldBytes is how much of bodies is held at a time, of all requests together; what is more is answered with 429,
	// and streams are not read on: of those no more than 20 MiB are underway, and half of this at most. It is memory
	// besides the producer's own. Default 64 MiB: 64 bodies of the largest. No less than one stream of the largest
	// messages needs: twice MaxBodyBytes, and 128 KiB.
	MaxHeldBytes int64
	// RequestTimeout is how long an answer waits for the producer once the body is there. It should be a little longer
	// than the producer's own, which knows better what became of the message. Default 35 s.
	RequestTimeout time.Duration

	// StreamIdle is how long a stream may go without a whole message before it is ended. Default 1 min.
	StreamIdle time.Duration

	// Ready says why the gateway should get no requests now; nil if it should. It must not block. Default: it always
	// should, until Drain.
	Ready func() error
	// Observe is told of every request that was answered, for metrics. It must not block. Default: nobody is.
	Observe func(Observation)
	// Logger is told what callers are not: why brokers refused. Default: nothing is logged.
	Logger *slog.Logger
	// Now tells the time. Default time.Now.
	Now func() time.Time
}

// Security is a way to prove who one is: the name that it has in the document.
type Security string

// The ways.
const (
	// SecurityAny says nothing.
	SecurityAny Security = ""
	// SecurityToken is a bearer token, SecurityBasic a name with a password, SecurityCertificate what the client shows.
	SecurityToken       Security = "token"
	SecurityBasic       Security = "basic"
	SecurityCertificate Security = "certificate"
	// SecurityNone is for everybody.
	SecurityNone Security = "none"
)

// Observation is one request that was answered.
type Observation struct {
	// Route is the pattern that the request's path fits: "/", "/topics/{topic}", ...; empty if none.
	Route string
	// Status is that of the answer.
	Status int
	// Messages is how many the request held, Written how many of them a broker holds, or, where it cannot tell, was sent.
	Messages, Written int
	// Bytes are those of the body.
	Bytes int64
	// Elapsed is from the end of the request's header to the end of the answer.
	Elapsed time.Duration
}

const (
	defaultBodyBytes      = 1 << 20
	defaultBatch          = 10_000
	defaultHeldBytes      = 64 << 20
	defaultRequestTimeout = 35 * time.Second
	defaultStreamIdle     = time.Minute
)

// topicNames are those that Kafka allows; nothing in them needs an escape in JSON or a path.
var topicNames = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func (c Config) withDefaults() (Config, error) {
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, defaultBodyBytes)
	c.MaxBatch = cmp.Or(c.MaxBatch, defaultBatch)
	c.MaxHeldBytes = max(cmp.Or(c.MaxHeldBytes, defaultHeldBytes), 2*c.MaxBodyBytes+arenaBytes)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, defaultRequestTimeout)
	c.StreamIdle = cmp.Or(c.StreamIdle, defaultStreamIdle)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, c.validate()
}

// mostBodyBytes keeps lengths within 32 bits: brokers take no more.
const mostBodyBytes = 1<<30 - 1

func (c Config) validate() error {
	switch {
	case !topicNames.MatchString(c.Topic):
		return fmt.Errorf("gateway: topic %q: want letters, digits, dots, underscores and hyphens, at most 249", c.Topic)
	case c.Producer == nil:
		return errors.New("gateway: there must be a producer")
	case c.Verifier == nil:
		return errors.New("gateway: there must be a verifier; caller.Anonymous() asks nobody for a name")
	case !slices.Contains([]Security{
		SecurityAny, SecurityToken, SecurityBasic, SecurityCertificate, SecurityNone,
	}, c.Security):
		return fmt.Errorf("gateway: security %q: want token, basic, certificate, none, or nothing", c.Security)
	case c.MaxBodyBytes < 1 || c.MaxBodyBytes > mostBodyBytes:
		return fmt.Errorf("gateway: a body of at most %d bytes: want 1 to %d", c.MaxBodyBytes, mostBodyBytes)
	case c.MaxBatch < 1:
		return fmt.Errorf("gateway: a batch of at most %d messages: want 1 or more", c.MaxBatch)
	case c.RequestTimeout < 0 || c.StreamIdle < 0:
		return fmt.Errorf("gateway: timeouts of %s and %s: want more than none", c.RequestTimeout, c.StreamIdle)
	}
	return nil
}
