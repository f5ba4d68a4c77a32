// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"slices"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// groupsRoot holds one directory for each consumer group.
const groupsRoot = "/consumers"

// GroupCount is a consumer group, and how many members it has.
type GroupCount struct {
	Name string
	// Members is their number, -1 where the credentials do not suffice to tell.
	Members int
}

// Groups reads the names of all consumer groups, sorted, and counts their live members. A group is what has a
// directory: that of one whose members have gone stays, with their positions.
func (s *Session) Groups(ctx context.Context) ([]GroupCount, error) {
	names, err := s.list(ctx, groupsRoot, nil)
	if err != nil {
		return nil, err
	}
	groups := make([]GroupCount, len(names))
	err = s.inParallel(ctx, len(names), func(ctx context.Context, i int) error {
		members, err := s.list(ctx, layout.Members(names[i]), nil)
		groups[i] = GroupCount{Name: names[i], Members: len(members)}
		if KindOf(err) == Denied {
			groups[i].Members = -1
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return groups, nil
}

// GroupTopics reads the topics of which a group has claims or positions, sorted. It fails with kind NoNode if there is
// no such group. What its members subscribe to is theirs to tell: see Inspect.
func (s *Session) GroupTopics(ctx context.Context, group string) ([]string, error) {
	path := layout.Group(group)
	if _, err := s.read(ctx, path, nil); err != nil {
		return nil, failure("find", path, err)
	}
	var topics []string
	for _, directory := range []string{layout.AllOwners(group), layout.AllOffsets(group)} {
		names, err := s.list(ctx, directory, nil)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if layout.CheckTopic(name) == nil { // anybody may leave anything there
				topics = append(topics, name)
			}
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics), nil
}
