// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/go-zookeeper/zk"
	"golang.org/x/sync/errgroup"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// inFlight is how many readings are under way at once: as many as the library queues, so that the round trip is paid
// once per 16 nodes and nobody else's request waits behind hundreds.
const inFlight = 16

// ObserveRequest says what to read of a group.
type ObserveRequest struct {
	Group string
	// Topics are those whose partitions are read.
	Topics []string
	// Partitions are those whose claims are read.
	Partitions []kafka.Partition
	// Party tells several observers of one group apart; of each, the newest hint counts. Empty is a party too.
	Party string
}

// Observe reads the members of a group, the partitions of topics, the claims on partitions, and whether the group has
// begun. A node that cannot be understood is a Problem of the view and is skipped.
//
// It leaves watches: on the members, on each of the topics (also one that does not exist), and on the claim of each
// partition (also one that nobody claims). When any of it changes, or the connection is lost, hint is called: once or
// more, from another goroutine, perhaps before Observe returns. It must not block. A hint is only that: what has
// changed, the next Observe tells.
func (s *Session) Observe(ctx context.Context, request ObserveRequest, tell func()) (layout.View, error) {
	h := hinting("observe "+request.Group+" "+request.Party, tell)
	view := layout.View{
		Partitions: make(map[string][]kafka.Partition, len(request.Topics)),
		Owners:     make(map[kafka.Partition]layout.Ownership, len(request.Partitions)),
	}
	for _, part := range []func(context.Context, ObserveRequest, *hint, *layout.View) error{
		s.observeMembers, s.observeTopics, s.observeOwners, s.observeBirth,
	} {
		if err := part(ctx, request, h, &view); err != nil {
			return layout.View{}, err
		}
	}
	slices.SortFunc(view.Problems, func(a, b layout.Problem) int { return cmp.Compare(a.Path, b.Path) })
	return view, nil
}

func (s *Session) observeMembers(ctx context.Context, request ObserveRequest, h *hint, view *layout.View) error {
	ids, err := s.list(ctx, layout.Members(request.Group), h)
	if err != nil {
		return err
	}
	paths := make([]string, len(ids))
	for i, id := range ids {
		paths[i] = layout.Member(request.Group, id)
	}
	nodes, err := s.readAll(ctx, paths, nil)
	if err != nil {
		return err
	}
	for i, found := range nodes {
		if found == nil {
			continue // it left in between; the watch has fired
		}
		member, err := layout.DecodeMember(request.Group, ids[i], found.data)
		if err != nil {
			view.Problems = append(view.Problems, layout.Problem{Path: paths[i], Reason: err.Error()})
			continue
		}
		view.Members = append(view.Members, member)
	}
	return nil
}

func (s *Session) observeTopics(ctx context.Context, request ObserveRequest, h *hint, view *layout.View) error {
	paths := make([]string, len(request.Topics))
	for i, topic := range request.Topics {
		paths[i] = layout.Topic(topic)
	}
	nodes, err := s.readAll(ctx, paths, h)
	if err != nil {
		return err
	}
	for i, found := range nodes {
		if found == nil {
			continue
		}
		partitions, err := layout.DecodeTopic(request.Topics[i], found.data)
		if err != nil {
			view.Problems = append(view.Problems, layout.Problem{Path: paths[i], Reason: err.Error()})
			continue
		}
		view.Partitions[request.Topics[i]] = partitions
	}
	return nil
}

func (s *Session) observeOwners(ctx context.Context, request ObserveRequest, h *hint, view *layout.View) error {
	paths := make([]string, len(request.Partitions))
	for i, p := range request.Partitions {
		paths[i] = layout.Owner(request.Group, p)
	}
	nodes, err := s.readAll(ctx, paths, h)
	if err != nil {
		return err
	}
	for i, found := range nodes {
		if found == nil {
			continue
		}
		owner := owned(*found)
		view.Owners[request.Partitions[i]] = owner
		if owner.Session == 0 {
			view.Problems = append(view.Problems, layout.Problem{
				Path:   paths[i],
				Reason: "the claim is not ephemeral, so it outlives its owner: delete it when no consumer holds the partition",
			})
		}
	}
	return nil
}

func (s *Session) observeBirth(ctx context.Context, request ObserveRequest, _ *hint, view *layout.View) error {
	path := layout.Birth(request.Group)
	_, err := s.read(ctx, path, nil)
	view.Begun = err == nil
	if errors.Is(err, zk.ErrNoNode) {
		return nil
	}
	return failure("observe", path, err)
}

// readAll reads nodes, several at a time; one that does not exist is nil.
func (s *Session) readAll(ctx context.Context, paths []string, h *hint) ([]*node, error) {
	nodes := make([]*node, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i, path := range paths {
		group.Go(func() error {
			found, err := s.read(ctx, path, h)
			switch {
			case err == nil:
				nodes[i] = &found
			case !errors.Is(err, zk.ErrNoNode):
				return failure("observe", path, err)
			}
			return nil
		})
	}
	return nodes, group.Wait()
}
