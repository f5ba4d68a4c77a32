// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Inspect reads the members of the group, and of the topics the partitions, their owners and committed positions; and
// it asks the brokers for where the logs begin and end. It fails if ZooKeeper, or the coordinator of a group that
// brokers keep, cannot be read before ctx ends. What the brokers do not tell is left unknown, with EndErr set, and is
// no failure; nor is a node that cannot be understood, which is a problem and concerns what it stands for alone.
//
// Where tell is not nil it is called when members, owners, or a topic's partitions change, or the connection to
// ZooKeeper is lost: once or more, from another goroutine, perhaps before Inspect returns. It must not block, nor call
// Inspect or Forget itself. It says no more than that another look is worth while, and only the newest tell of a Group
// counts. Committed positions and ends are not watched. Brokers tell nothing by themselves: a group that they keep is
// looked at every 5 s. When the group is of no more interest, see Forget.
func (g *Group) Inspect(ctx context.Context, topics []string, tell func()) (GroupView, error) {
	if err := g.checkTopics(topics); err != nil {
		return GroupView{}, err
	}
	topics = slices.Compact(slices.Sorted(slices.Values(topics)))
	if g.byBrokers() {
		view, err := g.inspectCoordinated(ctx, topics, tell)
		if err != nil {
			return GroupView{}, fmt.Errorf("inspect group %s: %w", g.name, err)
		}
		return view, nil
	}
	session, err := g.cluster.directory.session(ctx)
	if err != nil {
		return GroupView{}, fmt.Errorf("inspect group %s: %w", g.name, err)
	}
	told, err := g.cluster.directory.told(ctx, topics)
	if err != nil {
		return GroupView{}, fmt.Errorf("inspect group %s: %w", g.name, err)
	}
	found, err := session.Inspect(ctx, registry.InspectRequest{
		Group: g.name, Topics: topics, Told: told, Party: g.party,
	}, tell)
	if err != nil {
		return GroupView{}, fmt.Errorf("inspect group %s: %w", g.name, err)
	}
	partitions := slices.SortedFunc(values(found.Partitions), kafka.Partition.Compare)
	return describe(found, topics, partitions, g.cluster.bounds(ctx, partitions)), nil
}

// Forget says that the group is of no more interest: the last tell is not called any more.
func (g *Group) Forget() {
	if g.byBrokers() {
		g.polled.forget()
	}
	if g.coordination != CoordinationZooKeeper {
		return
	}
	if session := g.cluster.registry.State().Session; session != nil {
		session.Forget(g.name, g.party)
	}
}

func (g *Group) checkTopics(topics []string) error {
	errs := []error{g.check()}
	for i, topic := range topics {
		if err := layout.CheckTopic(topic); err != nil {
			errs = append(errs, fmt.Errorf("topics[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

func values(lists map[string][]kafka.Partition) func(yield func(kafka.Partition) bool) {
	return func(yield func(kafka.Partition) bool) {
		for list := range maps.Values(lists) {
			for _, partition := range list {
				if !yield(partition) {
					return
				}
			}
		}
	}
}

// describe says what the findings mean.
func describe(
	found layout.Inspection, topics []string, partitions []kafka.Partition, logs bounds,
) GroupView {
	agreed := layout.Agreed(found.Members)
	view := GroupView{
		Members: members(found), Begun: found.Begun, Strategy: agreed.Strategy, Why: agreed.Why,
		Missing: missing(found, topics), Problems: found.Problems, EndErr: logs.err,
		Partitions: make([]GroupPartition, len(partitions)),
	}
	isMember := func(id string) bool {
		_, ok := slices.BinarySearchFunc(view.Members, id, func(m GroupMember, id string) int {
			return strings.Compare(m.ID, id)
		})
		return ok
	}
	for i, partition := range partitions {
		p := GroupPartition{Partition: partition, Committed: -1, Malformed: found.Malformed[partition]}
		if committed, ok := found.Committed[partition]; ok {
			p.Committed = committed
		}
		if claim, ok := found.Owners[partition]; ok {
			owner, known := layout.MemberOf(claim.Thread, isMember)
			if !known {
				owner = claim.Thread
			}
			p.Owner, p.Stray, p.Token = owner, !known, claim.Token
		}
		p.Earliest, p.End = logs.of(partition)
		p.Lag = p.lag()
		view.Partitions[i] = p
	}
	return view
}

func (p GroupPartition) lag() int64 {
	if p.Earliest < 0 || p.End < 0 || p.Malformed {
		return -1
	}
	return max(p.End-max(p.Committed, p.Earliest), 0)
}

func members(found layout.Inspection) []GroupMember {
	all := make([]GroupMember, 0, len(found.Members)+len(found.Unreadable))
	for _, r := range found.Members {
		all = append(all, GroupMember{
			ID: r.ID, Pod: r.Pod, Foreign: r.Foreign, Leaving: r.Leaving, Topics: r.SubscribedTopics(),
		})
	}
	for _, id := range found.Unreadable {
		m := memberNamed(found.Group, id)
		m.Unreadable = true
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b GroupMember) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// memberNamed is what an id alone says of a member.
func memberNamed(group, id string) GroupMember {
	r, ours := layout.ParseMemberID(group, id)
	if !ours {
		return GroupMember{ID: id, Pod: id, Foreign: true}
	}
	return GroupMember{ID: id, Pod: r.Pod}
}

// missing are the topics that do not exist. One whose node cannot be understood does.
func missing(found layout.Inspection, topics []string) (none []string) {
	for _, topic := range topics {
		_, exists := found.Partitions[topic]
		if !exists && !slices.ContainsFunc(found.Problems, func(p layout.Problem) bool {
			return p.Path == layout.Topic(topic)
		}) {
			none = append(none, topic)
		}
	}
	return none
}
