// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// ErrNoGroup says that nothing in ZooKeeper, or nothing that the brokers hold, is a group's.
var ErrNoGroup = errors.New("the group does not exist")

// Groups are all consumer groups that are kept where the cluster keeps groups unless told otherwise: see GroupsIn.
func (c *Cluster) Groups(ctx context.Context) ([]registry.GroupCount, error) {
	return c.GroupsIn(ctx, CoordinationAuto)
}

// GroupsIn are all consumer groups that are kept there, by name, with the number of their live members. It waits for
// ZooKeeper, or the brokers, as long as ctx allows.
func (c *Cluster) GroupsIn(ctx context.Context, coordination Coordination) ([]registry.GroupCount, error) {
	where, err := c.Resolve(coordination)
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	if where == CoordinationKafka {
		return c.coordinatedGroups(ctx)
	}
	session, err := c.directory.session(ctx)
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	groups, err := session.Groups(ctx)
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	return groups, nil
}

// Topics are those that the group has to do with, sorted: that its members subscribe to, and that it has claims or
// positions of. The error is ErrNoGroup if there is no such group.
func (g *Group) Topics(ctx context.Context) ([]string, error) {
	topics, err := g.topics(ctx)
	if registry.KindOf(err) == registry.NoNode {
		err = ErrNoGroup
	}
	if err != nil {
		return nil, fmt.Errorf("topics of group %s: %w", g.name, err)
	}
	return topics, nil
}

func (g *Group) topics(ctx context.Context) ([]string, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	if g.byBrokers() {
		return g.coordinatedTopics(ctx)
	}
	session, err := g.cluster.directory.session(ctx)
	if err != nil {
		return nil, err
	}
	topics, err := session.GroupTopics(ctx, g.name)
	if err != nil {
		return nil, err
	}
	// With a party of its own: no hint of who watches the group is lost.
	found, err := session.Inspect(ctx, registry.InspectRequest{Group: g.name, Party: "topics of " + g.party}, nil)
	if err != nil {
		return nil, err
	}
	for _, member := range found.Members {
		for _, topic := range member.SubscribedTopics() {
			if layout.CheckTopic(topic) == nil {
				topics = append(topics, topic)
			}
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics), nil
}
