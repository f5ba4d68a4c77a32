// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	// setupPause is between two looks at what a user has to mend (a missing chroot, an ACL): healed within 10 s, with
	// a margin, and no load on the server.
	setupPause = 2 * time.Second
	// multiPatience is how long a transaction may take before the servers are asked something else, to learn whether
	// they know transactions at all.
	multiPatience = time.Second
)

// establish makes a session usable and publishes it.
func (c *Client) establish(ctx context.Context, s *Session) error {
	sent, err := c.authenticate(ctx, s.link)
	if err != nil {
		return err
	}
	s.digest = sent
	if err := c.enter(ctx, s.link); err != nil {
		return err
	}
	fenced, err := knowsTransactions(ctx, s.link)
	if err != nil {
		return err
	}
	now, _ := s.look()
	s.id, s.fenced = now.session, fenced
	c.update(func(state *State) {
		*state = State{Session: s, Connected: true, Fenced: fenced, Warning: state.Warning}
	})
	// If the connection went meanwhile, that was reported too early: have it reported again.
	s.update(func(*condition) {})
	return nil
}

// enter waits until the chroot can be read.
func (c *Client) enter(ctx context.Context, l *link) error {
	for {
		_, err := persist(ctx, l, func(conn *zk.Conn) (node, error) { return get(conn, l.full("/")) })
		switch {
		case err == nil:
			return nil
		case errors.Is(err, zk.ErrNoNode):
			c.fail(NoChroot, fmt.Errorf("the chroot %s does not exist: correct the connect string, or create the node",
				l.chroot))
		case errors.Is(err, zk.ErrNoAuth):
			c.fail(Denied, fmt.Errorf("reading %s: %w", l.full("/"), explain(err)))
		default:
			return err
		}
		if err := l.pause(ctx, setupPause); err != nil {
			return err
		}
	}
}

// knowsTransactions finds out whether the servers do. Some refuse an operation they do not know; those of 3.3 drop it
// without an answer, and go on to answer what comes behind it.
func knowsTransactions(ctx context.Context, l *link) (bool, error) {
	probe := func(ctx context.Context) (bool, error) {
		return persist(ctx, l, func(conn *zk.Conn) (bool, error) {
			_, err := conn.Multi(&zk.CheckVersionRequest{Path: l.full("/"), Version: -1})
			if isUnimplemented(err) {
				return false, nil
			}
			return err == nil, err
		})
	}
	for {
		patient, cancel := context.WithTimeout(ctx, multiPatience)
		known, err := probe(patient)
		cancel()
		if err == nil || patient.Err() == nil || ctx.Err() != nil {
			return known, err
		}
		// Answers come in order: one to a later question means that there will be none to the first.
		if _, err := persist(ctx, l, func(conn *zk.Conn) (node, error) { return get(conn, l.full("/")) }); err == nil {
			return false, nil
		}
	}
}

// pause waits, but not longer than the link lasts.
func (l *link) pause(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	select {
	case <-l.done:
		return errOver
	case <-ctx.Done():
		return nil
	}
}

// unreachable says why there is no connection. Where nothing is known yet, what was said before stands.
func (c condition) unreachable(servers []string, before error) error {
	if c.denied {
		return unusable(Denied, explain(zk.ErrAuthFailed))
	}
	var reasons []string
	for _, server := range servers {
		if reason, ok := c.troubles[server]; ok {
			reasons = append(reasons, server+": "+reason)
		}
	}
	if len(reasons) == 0 && before != nil {
		return before
	}
	if len(reasons) == 0 {
		return unusable(Unavailable, errNotYet)
	}
	return unusable(Unavailable, errors.New(strings.Join(reasons, "; ")))
}
