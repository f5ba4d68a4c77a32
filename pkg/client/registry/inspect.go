// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// InspectRequest says what to read of a group from outside.
type InspectRequest struct {
	Group string
	// Topics are those whose partitions, claims and positions are read.
	Topics []string
	// Told is as in ObserveRequest.
	Told map[string][]kafka.Partition
	// Party tells several onlookers of one group apart; of each, the newest hint counts. Empty is a party too.
	Party string
}

func (r InspectRequest) party() string { return "inspect " + r.Group + " " + r.Party }

// Inspect reads everything that stands about a group: members, the partitions of topics, the claims on all of them and
// their positions, and whether the group has begun. A node that cannot be understood is a Problem and is skipped.
//
// It leaves a watch on the members, on each topic, and on the list of each topic's claims: two for each topic, however
// many partitions it has; for one of Kafka 0.7 one more, and one for each of its brokers. If a member subscribes by a
// pattern, there is one on the list of all topics. Hint is called as by Observe when any of it changes; positions are
// not watched. Who is not interested any more may say so with Forget.
func (s *Session) Inspect(ctx context.Context, request InspectRequest, tell func()) (layout.Inspection, error) {
	h := hinting(request.party(), tell)
	found := layout.Inspection{
		Group: request.Group,
		View:  layout.View{Partitions: make(map[string][]kafka.Partition, len(request.Topics))},
	}
	observed := ObserveRequest{Group: request.Group, Topics: request.Topics, Told: request.Told}
	for _, part := range []func(context.Context, ObserveRequest, *hint, *layout.View) error{
		s.observeMembers, s.observeTopics, s.observeBirth,
	} {
		if err := part(ctx, observed, h, &found.View); err != nil {
			return layout.Inspection{}, err
		}
	}
	found.Unreadable = unreadable(request.Group, found.Problems)
	for _, part := range []func(context.Context, string, *hint, *layout.Inspection) error{
		s.inspectOwners, s.inspectOffsets,
	} {
		if err := part(ctx, request.Group, h, &found); err != nil {
			return layout.Inspection{}, err
		}
	}
	slices.SortFunc(found.Problems, func(a, b layout.Problem) int { return cmp.Compare(a.Path, b.Path) })
	return found, nil
}

// Forget drops the hints of a party that inspected a group. What the server still watches for it fires at most once,
// and tells nobody.
func (s *Session) Forget(group, party string) {
	s.watches.forget(InspectRequest{Group: group, Party: party}.party())
}

// unreadable are the members among what could not be understood.
func unreadable(group string, problems []layout.Problem) (ids []string) {
	for _, problem := range problems {
		if id, ok := strings.CutPrefix(problem.Path, layout.Members(group)+"/"); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// inspectOwners lists the claims on each topic, with a watch, and reads those on its partitions. Claims are made and
// deleted, never rewritten, so the list changes with every change of owner.
func (s *Session) inspectOwners(ctx context.Context, group string, h *hint, found *layout.Inspection) error {
	topics := sortedKeys(found.Partitions)
	listed := make([]map[string]bool, len(topics)) // nil where it could not be read
	problems := make([]error, len(topics))
	err := s.inParallel(ctx, len(topics), func(ctx context.Context, i int) error {
		names, err := s.list(ctx, layout.Owners(group, topics[i]), h)
		switch kind := KindOf(err); kind {
		case 0:
			listed[i] = make(map[string]bool, len(names))
			for _, name := range names {
				listed[i][name] = true
			}
		case Denied, Malformed:
			problems[i] = err
		default:
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	var claimed []kafka.Partition
	for i, topic := range topics {
		if problems[i] != nil {
			found.Problems = append(found.Problems, layout.Problem{
				Path: layout.Owners(group, topic), Reason: problems[i].Error(),
			})
		}
		for _, p := range found.Partitions[topic] {
			if listed[i] == nil || listed[i][p.ID] {
				claimed = append(claimed, p)
			}
		}
	}
	return s.readOwners(ctx, group, claimed, nil, &found.View)
}

// inspectOffsets reads the positions. What a node holds is read as it comes, so that not all of it is held at once.
func (s *Session) inspectOffsets(ctx context.Context, group string, _ *hint, found *layout.Inspection) error {
	var partitions []kafka.Partition
	for _, topic := range sortedKeys(found.Partitions) {
		partitions = append(partitions, found.Partitions[topic]...)
	}
	paths := make([]string, len(partitions))
	for i, p := range partitions {
		paths[i] = layout.Offset(group, p)
	}
	const none = -1
	offsets := slices.Repeat([]int64{none}, len(partitions))
	outcomes, err := s.visit(ctx, paths, nil, func(i int, position node) error {
		offset, err := layout.ParseOffset(position.data)
		if err == nil {
			offsets[i] = offset
		}
		return err
	})
	if err != nil {
		return err
	}
	found.Committed = make(map[kafka.Partition]int64, len(partitions))
	found.Malformed = make(map[kafka.Partition]bool)
	for i, p := range partitions {
		switch {
		case outcomes[i] != nil:
			found.Malformed[p] = true
		case offsets[i] != none:
			found.Committed[p] = offsets[i]
		}
	}
	found.Problems = append(found.Problems, problemsOf(paths, outcomes)...)
	return nil
}
