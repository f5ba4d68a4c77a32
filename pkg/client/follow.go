// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry"
)

const (
	// maxMatching bounds the topics that a pattern makes a member consume: at 255 bytes each their registration stays at a
	// quarter of what a node may hold, and every member reads a node for each of them twice a session.
	maxMatching = 1000
	// followPause is the wait after a hint: topics are made in bunches, and each change of what is consumed makes every
	// member of the group read the group again.
	followPause = 200 * time.Millisecond
)

// followTopics tells the member which topics match the pattern, and tells it again when that changes, until ctx ends.
func (c *Consumer) followTopics(ctx context.Context) {
	directory := c.cluster.directory
	if directory.byBrokers() {
		c.followAsking(ctx)
		return
	}
	for ctx.Err() == nil {
		changed := c.cluster.registry.Changed()
		session := c.cluster.registry.State().Session
		if session == nil {
			directory.pause(ctx, directoryResync, changed, nil)
			continue
		}
		hint := make(chan struct{}, 1)
		// As for the group itself: what bounds how long a watch that got lost can hide a change is half a session, less up
		// to a fifth of that so that members spread.
		wait := session.Timeout()/2 - rand.N(session.Timeout()/10)
		if err := c.readTopics(ctx, session, hint); err != nil {
			wait = directoryRetry
		}
		directory.pause(ctx, wait, session.Done(), hint)
		directory.pause(ctx, followPause, nil, nil)
	}
}

// followAsking is followTopics where nobody tells, so that the brokers are asked.
func (c *Consumer) followAsking(ctx context.Context) {
	for ctx.Err() == nil {
		wait := askInterval - rand.N(askInterval/5) // so that members spread
		topics, err := c.cluster.topicsOf(ctx)
		if err != nil {
			wait = directoryRetry
		}
		if ctx.Err() == nil {
			c.matchTopics(topics, err)
		}
		c.cluster.directory.pause(ctx, wait, nil, nil)
	}
}

// matchTopics tells the member which of all topics match.
func (c *Consumer) matchTopics(topics []string, err error) {
	if err != nil {
		c.noteTopics(fmt.Errorf("read topics: %w", err))
		return
	}
	topics, err = bounded(MatchTopics(c.config.Pattern, topics))
	c.noteTopics(err)
	c.events.send(group.SetTopics{Topics: topics})
}

func (c *Consumer) readTopics(ctx context.Context, session *registry.Session, hint chan<- struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, session.Timeout()/answersPerSession)
	defer cancel()
	party := c.config.Group + " " + c.config.Name
	topics, err := session.FollowTopics(ctx, party, func() {
		select {
		case hint <- struct{}{}:
		default:
		}
	})
	if registry.KindOf(err) == registry.Lost { // the next session tells
		return err
	}
	c.matchTopics(topics, err)
	return err
}

// bounded gives as many topics as there may be, and an error if there are more.
func bounded(topics []string) ([]string, error) {
	if len(topics) <= maxMatching {
		return topics, nil
	}
	return topics[:maxMatching], fmt.Errorf(
		"%d topics match the pattern, and only the first %d are consumed; make it narrower", len(topics), maxMatching)
}

func (c *Consumer) noteTopics(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.topicsErr = err
}
