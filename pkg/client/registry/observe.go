// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
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
	// Told are the partitions of topics as brokers told them, in place of what stands in ZooKeeper; a topic that is not
	// among them does not exist. Nil: ZooKeeper knows.
	Told map[string][]kafka.Partition
	// Partitions are those whose claims are read and watched, Unwatched those whose claims are read alone.
	Partitions, Unwatched []kafka.Partition
	// Party tells several observers of one group apart; of each, the newest hint counts. Empty is a party too.
	Party string
}

// Observe reads the members of a group, the partitions of topics, the claims on partitions, and whether the group has
// begun. A node that cannot be understood is a Problem of the view and is skipped.
//
// It leaves watches: on the members, on the list of all topics if a member subscribes by a pattern, on each of the
// topics (also one that does not exist), on the brokers below each topic of Kafka 0.7, and on the claim of each
// partition (also one that nobody claims). When any of it changes, or the connection is lost, hint is called: once or
// more, from another goroutine, perhaps before Observe returns. It must not block. A hint is only that: what has
// changed, the next Observe tells.
func (s *Session) Observe(ctx context.Context, request ObserveRequest, tell func()) (layout.View, error) {
	h := hinting("observe "+request.Group+" "+request.Party, tell)
	view := layout.View{Partitions: make(map[string][]kafka.Partition, len(request.Topics))}
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

// maxThread bounds how much of a claim's data is kept: a member's id has at most two names of 200 bytes and 40 more,
// and a node may hold a MiB, times the partitions of a group.
const maxThread = 1 << 10

// unreadableClaim stands for the owner of a claim that is there and cannot be read.
const unreadableClaim = "unreadable"

var errPermanentClaim = errors.New(
	"the claim is not ephemeral, so it outlives its owner: delete it when no consumer holds the partition")

func (s *Session) observeMembers(ctx context.Context, request ObserveRequest, h *hint, view *layout.View) error {
	ids, err := s.list(ctx, layout.Members(request.Group), h)
	if err != nil {
		return err
	}
	paths := make([]string, len(ids))
	for i, id := range ids {
		paths[i] = layout.Member(request.Group, id)
	}
	members := make([]*layout.Registration, len(ids))
	problems, err := s.visit(ctx, paths, nil, func(i int, found node) error {
		member, err := layout.DecodeMember(request.Group, ids[i], found.data)
		if err == nil {
			members[i] = &member
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := s.expandPatterns(ctx, members, problems, h); err != nil {
		return err
	}
	for i, member := range members {
		if member != nil && problems[i] == nil { // who left in between is not there: then the watch has fired
			view.Members = append(view.Members, *member)
		}
	}
	view.Problems = append(view.Problems, problemsOf(paths, problems)...)
	return nil
}

// expandPatterns gives the members that subscribe by a pattern the topics that it means now, as they themselves do with
// each rebalance. The list of topics is read, and watched, only where there is such a member; one that may not be read
// is a problem of theirs.
func (s *Session) expandPatterns(
	ctx context.Context, members []*layout.Registration, problems []error, h *hint,
) error {
	byPattern := func(member *layout.Registration) bool { return member != nil && member.Pattern != nil }
	if !slices.ContainsFunc(members, byPattern) {
		return nil
	}
	topics, failed := s.list(ctx, layout.Topics, h)
	if kind := KindOf(failed); failed != nil && kind != Denied && kind != Malformed {
		return failed
	}
	for i, member := range members {
		switch {
		case !byPattern(member):
		case failed != nil:
			problems[i] = fmt.Errorf("the topics of its pattern cannot be told: %w", failed)
		case ctx.Err() != nil: // matching takes time of its own
			return failure("observe", layout.Topics, context.Cause(ctx))
		default:
			member.Topics = make(map[string]int)
			for _, topic := range topics {
				if member.Pattern.Matches(topic) {
					member.Topics[topic] = member.Pattern.Threads
				}
			}
		}
	}
	return nil
}

func (s *Session) observeOwners(ctx context.Context, request ObserveRequest, h *hint, view *layout.View) error {
	if err := s.readOwners(ctx, request.Group, request.Partitions, h, view); err != nil {
		return err
	}
	return s.readOwners(ctx, request.Group, request.Unwatched, nil, view)
}

// readOwners reads the claims on partitions, with a watch on each where somebody wants a hint.
func (s *Session) readOwners(
	ctx context.Context, group string, partitions []kafka.Partition, h *hint, view *layout.View,
) error {
	paths := make([]string, len(partitions))
	for i, p := range partitions {
		paths[i] = layout.Owner(group, p)
	}
	owners := make([]layout.Ownership, len(partitions))
	problems, err := s.visit(ctx, paths, h, func(i int, claim node) error {
		claim.data = claim.data[:min(len(claim.data), maxThread)]
		if owners[i] = owned(claim); owners[i].Session == 0 {
			return errPermanentClaim
		}
		return nil
	})
	if err != nil {
		return err
	}
	if view.Owners == nil {
		view.Owners = make(map[kafka.Partition]layout.Ownership, len(partitions))
	}
	for i, p := range partitions {
		switch {
		case owners[i] != layout.Ownership{}:
			view.Owners[p] = owners[i]
		case problems[i] != nil: // somebody's, but nobody can say whose
			view.Owners[p] = layout.Ownership{Thread: unreadableClaim}
		}
	}
	view.Problems = append(view.Problems, problemsOf(paths, problems)...)
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

// Begun tells whether the start positions of a group are decided.
func (s *Session) Begun(ctx context.Context, group string) (bool, error) {
	var view layout.View
	err := s.observeBirth(ctx, ObserveRequest{Group: group}, nil, &view)
	return view.Begun, err
}

// visit reads nodes, several at a time, and gives each that exists to take, concurrently. What take refuses, and a node
// that may not be read, or cannot be, is a problem of its own: it must not keep the others from being read. What nodes
// hold is let go as it was taken: a node may hold a MiB, and a group hundreds of nodes.
func (s *Session) visit(
	ctx context.Context, paths []string, h *hint, take func(i int, found node) error,
) (problems []error, err error) {
	problems = make([]error, len(paths))
	return problems, s.inParallel(ctx, len(paths), func(ctx context.Context, i int) error {
		found, err := s.read(ctx, paths[i], h)
		kind := KindOf(err)
		switch {
		case err == nil:
			problems[i] = take(i, found)
		case errors.Is(err, zk.ErrNoNode):
		case kind == Denied, kind == Malformed:
			problems[i] = explain(err)
		default:
			return failure("observe", paths[i], err)
		}
		return nil
	})
}

// inParallel does n things, several at a time.
func (s *Session) inParallel(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// problemsOf are the problems of nodes that had any.
func problemsOf(paths []string, failures []error) (problems []layout.Problem) {
	for i, err := range failures {
		if err != nil {
			problems = append(problems, layout.Problem{Path: paths[i], Reason: err.Error()})
		}
	}
	return problems
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
