// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/go-zookeeper/zk"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Partitions reads the partitions of a topic, in the order of kafka.Partition.Compare: those of Kafka 0.7, which are
// named <broker>-<number>, as strings. A topic of Kafka 0.7 that no broker has at the moment exists, and its list is
// empty and not nil; a broker whose number of partitions cannot be understood is left out.
//
// It fails with kind NoNode if there is no such topic, and with Malformed if what stands there cannot be understood, of
// no broker. Hint is called, as by Observe, when that changes; of each session and topic the newest hint counts.
func (s *Session) Partitions(ctx context.Context, topic string, tell func()) ([]kafka.Partition, error) {
	const op = "read the partitions"
	path := layout.Topic(topic)
	h := hinting("partitions", tell)
	found, err := s.read(ctx, path, h)
	if err != nil {
		return nil, failure(op, path, err)
	}
	if len(found.data) > 0 {
		partitions, err := layout.DecodeTopic(topic, found.data)
		if err != nil {
			return nil, &Error{Op: op, Path: path, Kind: Malformed, Err: err}
		}
		return partitions, nil
	}
	bare, err := s.readBare(ctx, []string{topic}, h)
	if err != nil {
		return nil, err
	}
	switch partitions := bare.partitions[0]; {
	case len(bare.problems) > 0 && len(partitions) == 0:
		bad := bare.problems[0]
		return nil, &Error{Op: op, Path: bad.Path, Kind: Malformed, Err: errors.New(bad.Reason)}
	case partitions == nil:
		return nil, failure(op, path, zk.ErrNoNode)
	default:
		return partitions, nil
	}
}

func (s *Session) observeTopics(ctx context.Context, request ObserveRequest, h *hint, view *layout.View) error {
	if request.Told != nil {
		maps.Copy(view.Partitions, request.Told)
		return nil
	}
	paths := make([]string, len(request.Topics))
	for i, topic := range request.Topics {
		paths[i] = layout.Topic(topic)
	}
	topics := make([][]kafka.Partition, len(request.Topics))
	bare := make([]bool, len(request.Topics))
	problems, err := s.visit(ctx, paths, h, func(i int, found node) (err error) {
		if bare[i] = len(found.data) == 0; !bare[i] {
			topics[i], err = layout.DecodeTopic(request.Topics[i], found.data)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, partitions := range topics {
		if partitions != nil {
			view.Partitions[request.Topics[i]] = partitions
		}
	}
	view.Problems = append(view.Problems, problemsOf(paths, problems)...)
	return s.observeBare(ctx, request.Topics, bare, h, view)
}

// observeBare reads those of the topics that have no data.
func (s *Session) observeBare(ctx context.Context, topics []string, bare []bool, h *hint, view *layout.View) error {
	var names []string
	for i, topic := range topics {
		if bare[i] {
			names = append(names, topic)
		}
	}
	if names == nil {
		return nil
	}
	found, err := s.readBare(ctx, names, h)
	if err != nil {
		return err
	}
	for i, partitions := range found.partitions {
		if partitions != nil {
			view.Partitions[names[i]] = partitions
		}
	}
	view.Problems = append(view.Problems, found.problems...)
	return nil
}

// bareTopics are topics whose nodes hold no data: those of Kafka 0.7, below which each broker that has the topic says
// how many of its partitions it has.
type bareTopics struct {
	// partitions are those of each topic, sorted: empty where no broker has it, nil where there is no such topic (any
	// more), or where its brokers could not be told.
	partitions [][]kafka.Partition
	problems   []layout.Problem
}

// readBare reads topics whose nodes hold no data. With a hint it leaves a watch on the list of each one's brokers, and
// on what each of them registered.
//
// First the lists of all topics, then the nodes of all brokers: one topic takes two round trips, and so do hundreds.
func (s *Session) readBare(ctx context.Context, topics []string, h *hint) (bareTopics, error) {
	found := bareTopics{partitions: make([][]kafka.Partition, len(topics))}
	paths, brokers := make([]string, len(topics)), make([][]string, len(topics))
	for i, topic := range topics {
		paths[i] = layout.Topic(topic)
	}
	failures := make([]error, len(topics))
	err := s.inParallel(ctx, len(topics), func(ctx context.Context, i int) error {
		names, err := s.children(ctx, paths[i], h)
		switch kind := KindOf(err); {
		case err == nil:
			if failures[i] = layout.CheckTopic07(names); failures[i] == nil {
				found.partitions[i], brokers[i] = []kafka.Partition{}, names
			}
		case kind == NoNode: // gone since it was read: that watch has fired
		case kind == Denied, kind == Malformed:
			failures[i] = explain(err)
		default:
			return failure("list", paths[i], err)
		}
		return nil
	})
	if err != nil {
		return bareTopics{}, err
	}
	found.problems = problemsOf(paths, failures)
	if err := s.readCounts(ctx, topics, brokers, h, &found); err != nil {
		return bareTopics{}, err
	}
	return found, nil
}

// readCounts reads what the brokers of topics registered. That one is gone since it was listed is no problem: the watch
// on the list has fired.
func (s *Session) readCounts(
	ctx context.Context, topics []string, brokers [][]string, h *hint, found *bareTopics,
) error {
	type registration struct {
		topic  int
		broker string
	}
	var all []registration
	var paths []string
	for i, topic := range topics {
		slices.Sort(brokers[i])
		for _, broker := range brokers[i] {
			all = append(all, registration{i, broker})
			paths = append(paths, layout.TopicBroker(topic, broker))
		}
	}
	counts := make([]int, len(all))
	problems, err := s.visit(ctx, paths, h, func(i int, at node) (err error) {
		counts[i], err = layout.DecodeTopic07(all[i].broker, at.data)
		return err
	})
	if err != nil {
		return err
	}
	for i, of := range all {
		into := &found.partitions[of.topic]
		// In the order of the brokers' names, so that every member leaves out the same.
		if len(*into)+counts[i] > layout.MaxPartitions07 {
			problems[i] = layout.ErrTooManyPartitions
			continue
		}
		*into = layout.Partitions07(*into, topics[of.topic], of.broker, counts[i])
	}
	for _, list := range found.partitions {
		slices.SortFunc(list, func(a, b kafka.Partition) int { return strings.Compare(a.ID, b.ID) })
	}
	found.problems = append(found.problems, problemsOf(paths, problems)...)
	return nil
}
