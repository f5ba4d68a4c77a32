// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// GroupInUseError says that a group has members, so that it cannot be deleted.
type GroupInUseError struct {
	Group string
	// Members are all of them, by id. What only their registrations would tell, their topics, is left out.
	Members []GroupMember
}

// namedMembers is how many members the text names: it stands in a status.
const namedMembers = 3

// Error implements error. It names members by what stays the same over their sessions.
func (e *GroupInUseError) Error() string {
	names := make([]string, len(e.Members))
	for i, member := range e.Members {
		names[i] = member.Pod
	}
	slices.Sort(names)
	names = slices.Compact(names)
	text := strings.Join(names[:min(len(names), namedMembers)], ", ")
	if more := len(names) - namedMembers; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("group %s is in use by %s: end its members first", e.Group, text)
}

// Delete removes everything that ZooKeeper, or the group's coordinator, holds of the group: its positions, what is left
// of claims, and the marker that says where it began; so that the next member begins anew. That there is nothing is
// success. If it was cut short, repeat it.
//
// While the group has members it fails with *GroupInUseError, and nothing is removed. That is so too for a member that
// joins meanwhile, except that a group of more than 500 partitions may have been removed in part by then; where the
// servers have no transactions (see ClusterState.Fenced), one that joins at the very moment may be overlooked. Brokers
// delete a group as a whole, from Kafka 1.1 on.
func (g *Group) Delete(ctx context.Context) error {
	if err := g.check(); err != nil {
		return err
	}
	if g.byBrokers() {
		return g.deleteCoordinated(ctx)
	}
	session, err := g.cluster.directory.session(ctx)
	if err != nil {
		return fmt.Errorf("delete group %s: %w", g.name, err)
	}
	ids, err := session.RemoveGroup(ctx, g.name)
	if err != nil {
		return fmt.Errorf("delete group %s: %w", g.name, err)
	}
	if len(ids) == 0 {
		return nil
	}
	inUse := &GroupInUseError{Group: g.name, Members: make([]GroupMember, len(ids))}
	for i, id := range ids {
		inUse.Members[i] = memberNamed(g.name, id)
	}
	return inUse
}
