// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"slices"

	"github.com/go-zookeeper/zk"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// Brokers reads the live brokers, by id, and the registrations that cannot be understood. Hint is called, as by
// Observe, when one comes, goes or changes; of each session the newest hint counts. No brokers at all is not an
// error.
func (s *Session) Brokers(ctx context.Context, tell func()) ([]layout.BrokerRegistration, []layout.Problem, error) {
	h := hinting("brokers", tell)
	ids, err := s.list(ctx, layout.Brokers, h)
	if err != nil {
		return nil, nil, err
	}
	paths := make([]string, len(ids))
	for i, id := range ids {
		paths[i] = layout.Broker(id)
	}
	found := make([]*layout.BrokerRegistration, len(ids))
	problems, err := s.visit(ctx, paths, h, func(i int, at node) error {
		broker, err := layout.DecodeBroker(ids[i], at.data)
		if err == nil {
			found[i] = &broker
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	var brokers []layout.BrokerRegistration
	for _, broker := range found {
		if broker != nil {
			brokers = append(brokers, *broker)
		}
	}
	return brokers, problemsOf(paths, problems), nil
}

// Topics reads the names of all topics, sorted. Hint is called, as by Observe, when one comes or goes; of each
// session the newest hint counts.
func (s *Session) Topics(ctx context.Context, tell func()) ([]string, error) {
	return s.FollowTopics(ctx, "", tell)
}

// FollowTopics is Topics for one of several parties, each of which has its own hint.
func (s *Session) FollowTopics(ctx context.Context, party string, tell func()) ([]string, error) {
	return s.list(ctx, layout.Topics, hinting("topics "+party, tell))
}

// list lists a directory, sorted. One that does not exist yet is empty, and watched.
func (s *Session) list(ctx context.Context, path string, h *hint) ([]string, error) {
	names, err := s.children(ctx, path, h)
	if errors.Is(err, zk.ErrNoNode) {
		if _, err = s.read(ctx, path, h); err == nil {
			names, err = s.children(ctx, path, h)
		}
	}
	if errors.Is(err, zk.ErrNoNode) {
		return nil, nil
	}
	slices.Sort(names)
	return names, failure("list", path, err)
}
