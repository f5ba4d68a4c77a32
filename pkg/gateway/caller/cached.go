// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// freshDefault is how long an account that was deleted may go on publishing: as long as Kubernetes' own API server
	// remembers what a webhook said (10 s), a tenth of a review a second for each token in use.
	freshDefault = 10 * time.Second
	// graceDefault outlasts the restart of a control plane with one node, and an upgrade of one.
	graceDefault = 5 * time.Minute
	// mostAccepted and mostRefused bound memory: 4,096 callers at 400 bytes are 1.6 MB. Refusals have a memory of their
	// own, so that who sends garbage pushes nobody out.
	mostAccepted = 4096
	mostRefused  = 1024
	// mostAsked is how many questions are underway at most: whoever sends garbage, always other garbage, must not make
	// this process bring down who answers.
	mostAsked = 16
	// askTimeout bounds a question. Kubernetes answers in milliseconds.
	askTimeout = 5 * time.Second
)

// CacheConfig says how long verdicts are believed. The zero value is good.
type CacheConfig struct {
	// Fresh is how long a verdict holds without a new question, for and against; default 10 s.
	Fresh time.Duration
	// Grace is how long one in favor still holds while nobody can be asked, so that publishing does not end where the
	// control plane does; default 5 min. Never beyond the token's own end.
	Grace time.Duration
	// Now tells the time; default time.Now.
	Now func() time.Time
}

// Cached asks tokens once for each token and a while, and once for many requests with one token that come together.
func Cached(tokens TokenVerifier, config CacheConfig) TokenVerifier {
	if config.Fresh <= 0 {
		config.Fresh = freshDefault
	}
	if config.Grace <= 0 {
		config.Grace = graceDefault
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &cached{
		tokens: tokens, config: config, accepted: newRecent[answer](mostAccepted), refused: newRecent[answer](mostRefused),
		places: make(chan struct{}, mostAsked),
	}
}

type cached struct {
	tokens            TokenVerifier
	config            CacheConfig
	accepted, refused *recent[answer]
	flight            singleflight.Group
	places            chan struct{}
}

// answer is what was said of a token, and when.
type answer struct {
	verdict Verdict
	err     error
	at      time.Time
}

// VerifyToken implements TokenVerifier.
func (c *cached) VerifyToken(ctx context.Context, token string) (Verdict, error) {
	key := sum(sha256.Sum256([]byte(token)))
	if known, ok := c.known(key); ok {
		return known.verdict, known.err
	}
	// The question outlives whoever asks it first: others wait for its answer.
	asking := c.flight.DoChan(string(key[:]), func() (any, error) {
		return c.ask(context.WithoutCancel(ctx), key, token), nil
	})
	select {
	case <-ctx.Done():
		return Verdict{}, ctx.Err()
	case result := <-asking:
		if result.Err != nil {
			return Verdict{}, result.Err
		}
		said := result.Val.(answer) //nolint:forcetypeassert // of ask
		return said.verdict, said.err
	}
}

// known gives an answer that still holds.
func (c *cached) known(key sum) (answer, bool) {
	now := c.config.Now()
	if said, ok := c.accepted.get(key); ok {
		if said.verdict.expired(now) {
			c.accepted.forget(key)
			return answer{err: errExpired()}, true
		}
		return said, now.Sub(said.at) < c.config.Fresh
	}
	said, ok := c.refused.get(key)
	return said, ok && now.Sub(said.at) < c.config.Fresh
}

func (c *cached) ask(ctx context.Context, key sum, token string) answer {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return c.fallBack(key, unavailable("too many tokens are being verified; come back in a moment"))
	}
	if known, ok := c.known(key); ok {
		return known
	}
	at := c.config.Now()
	verdict, err := c.tokens.VerifyToken(ctx, token)
	said := answer{verdict: verdict, err: err, at: at}
	switch {
	case err == nil:
		c.refused.forget(key)
		c.accepted.put(key, said)
	case errors.Is(err, ErrUnauthenticated), errors.Is(err, ErrForbidden):
		c.accepted.forget(key)
		c.refused.put(key, said)
	case errors.Is(err, ErrUnavailable):
		return c.fallBack(key, err)
	default: // the end of the question's own time, say
		return c.fallBack(key, fmt.Errorf("%w: %w", ErrUnavailable, err))
	}
	return said
}

// fallBack is for when nobody can be asked: the last answer, if it was in favor and not long ago.
func (c *cached) fallBack(key sum, err error) answer {
	now := c.config.Now()
	if said, ok := c.accepted.get(key); ok && now.Sub(said.at) < c.config.Fresh+c.config.Grace &&
		!said.verdict.expired(now) {
		return said
	}
	return answer{err: err}
}

func (v Verdict) expired(now time.Time) bool { return !v.Expires.IsZero() && !now.Before(v.Expires) }

func errExpired() error {
	return InvalidToken("the token has expired; read it again from where it is renewed")
}
