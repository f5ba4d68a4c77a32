// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/metadata"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// askInterval is how often the brokers are asked who they are and which partitions topics have: nobody tells when that
	// changes. A request of a millisecond, from each process that follows the cluster, so 200 of them are 40 a second;
	// half of the 10 s in which everything is to be noticed.
	askInterval = 5 * time.Second
	// askedStands is how long the answer about a topic stands without another: two that were due have failed then.
	askedStands = 2*askInterval + directoryTimeout
	// askedFor is how long a topic is asked about that nobody asks for any more.
	askedFor = time.Minute
)

// asked is what is known of a topic where brokers told of it, besides its partitions.
type asked struct {
	// id tells it from another of its name, made later; zero where brokers know none.
	id [16]byte
	// wanted is when somebody last asked for it.
	wanted time.Time
	// missed says that the last broker asked did not know it. The next one may: news takes its time among them, too.
	missed bool
}

// byBrokers says that the brokers themselves tell who they are, and not the registry.
func (d directory) byBrokers() bool { return len(d.bootstrap) > 0 }

// runAsking asks the brokers again and again, until ctx ends.
func (d directory) runAsking(ctx context.Context) {
	for ctx.Err() == nil {
		wait := askInterval
		if err := d.ask(ctx); err != nil {
			wait = directoryRetry
		}
		d.pause(ctx, wait, nil, nil)
	}
}

// ask asks for the brokers and for the topics that somebody wants.
func (d directory) ask(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, directoryTimeout)
	defer cancel()
	question := metadata.Question{Topics: d.wantedTopics(time.Now())}
	view, err := d.asking.Read(asking, question)
	if ctx.Err() != nil { // closed, which is not a failure
		return nil
	}
	if err != nil {
		d.update(nil, d.kafkaNow(), err)
		return err
	}
	d.mu.Lock()
	d.clusterID = view.ClusterID
	for _, topic := range question.Topics {
		d.learn(topic, view.Topics[topic])
	}
	d.mu.Unlock()
	release := d.asking.Release()
	live := make(map[string]Broker, len(view.Brokers))
	for id, address := range view.Brokers {
		live[id] = Broker{ID: id, Address: address, release: release}
	}
	d.update(live, era{dialect: layout.Modern, known: true}, nil)
	return nil
}

// wantedTopics are those that somebody asked for lately. The others are forgotten.
func (d directory) wantedTopics(now time.Time) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.topics, func(_ string, known *topicRead) bool { return now.Sub(known.wanted) > askedFor })
	return slices.Sorted(maps.Keys(d.topics))
}

// learn notes what a broker told of a topic that is wanted. The caller holds mu.
func (d directory) learn(topic string, told metadata.Topic) {
	known := d.topics[topic]
	switch {
	case known == nil:
		return
	case errors.Is(told.Err, metadata.ErrNoTopic) && known.missed:
		delete(d.topics, topic)
		d.announce()
		return
	case errors.Is(told.Err, metadata.ErrNoTopic):
		known.missed = true
		return
	case told.Err != nil:
		return
	}
	read := readOf(topic, told, known)
	read.wanted = known.wanted
	d.topics[topic] = read
	if !slices.Equal(read.partitions, known.partitions) {
		d.announce()
	}
}

// readOf is a reading of a topic. Partitions are never taken away from one, so of the same topic a broker that tells
// fewer has not heard yet.
func readOf(topic string, told metadata.Topic, before *topicRead) *topicRead {
	now := time.Now()
	read := &topicRead{at: now, asked: asked{id: told.ID, wanted: now}}
	for _, number := range told.Partitions {
		read.partitions = append(read.partitions, kafka.Partition{Topic: topic, ID: strconv.Itoa(int(number))})
	}
	slices.SortFunc(read.partitions, kafka.Partition.Compare)
	same := before != nil && before.id == told.ID && told.ID != [16]byte{}
	if same && len(before.partitions) > len(read.partitions) {
		read.partitions = before.partitions
	}
	return read
}

// askPartitions gives those of a topic. Who asked before gets what the directory keeps up to date; and while no broker
// answers, what was known before is as good.
func (d directory) askPartitions(ctx context.Context, topic string) ([]kafka.Partition, error) {
	if partitions, ok := d.recall(topic); ok {
		return partitions, nil
	}
	asking, cancel := context.WithTimeout(ctx, directoryTimeout)
	defer cancel()
	view, err := d.asking.Read(asking, metadata.Question{Topics: []string{topic}})
	told := view.Topics[topic]
	if err == nil {
		err = told.Err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.topics[topic]
	switch {
	case errors.Is(err, metadata.ErrNoTopic):
		delete(d.topics, topic)
		return nil, ErrNoTopic
	case errors.Is(err, metadata.ErrClosed):
		return nil, ErrClosed
	case err != nil && known != nil:
		return slices.Clone(known.partitions), nil
	case err != nil:
		return nil, err
	}
	read := readOf(topic, told, known)
	d.topics[topic] = read
	return slices.Clone(read.partitions), nil
}

// recall gives the partitions of a topic as they are known, if that is good enough.
func (d directory) recall(topic string) ([]kafka.Partition, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.topics[topic]
	if known == nil {
		return nil, false
	}
	known.wanted = time.Now()
	if d.failure == nil && time.Since(known.at) > askedStands || known.missed {
		return nil, false
	}
	return slices.Clone(known.partitions), true
}

// askTopics gives the names of all topics, sorted.
func (d directory) askTopics(ctx context.Context) ([]string, error) {
	asking, cancel := context.WithTimeout(ctx, directoryTimeout)
	defer cancel()
	view, err := d.asking.Read(asking, metadata.Question{All: true})
	switch {
	case errors.Is(err, metadata.ErrClosed):
		return nil, ErrClosed
	case err != nil:
		return nil, err
	}
	return slices.Sorted(maps.Keys(view.Topics)), nil
}

// tellAsking tells who asks the brokers where to begin: at the live ones, then at those of the configuration, and at
// last at those that were there once; so that any one of them that is there again is found.
func (d directory) tellAsking() {
	d.mu.Lock()
	live := d.live
	known := addresses(live)
	if d.byBrokers() {
		known = append(known, d.bootstrap...)
		known = append(known, slices.Sorted(maps.Values(d.addresses))...)
	}
	release := oldest(live)
	if d.byBrokers() { // it was found by asking
		release = d.asking.Release()
	}
	modern := d.asking != nil && d.kafka.known && d.kafka.dialect == layout.Modern
	d.mu.Unlock()
	if !modern || len(live) == 0 {
		return
	}
	if err := d.asking.Follow(unique(known), release); err != nil {
		d.logger.Warn("Broker addresses refused", "reason", err)
	}
}

// unique leaves the first of each.
func unique(texts []string) []string {
	seen := make(map[string]struct{}, len(texts))
	return slices.DeleteFunc(texts, func(text string) bool {
		_, again := seen[text]
		seen[text] = struct{}{}
		return again
	})
}

// releaseOf is how brokers are spoken to that registered in a format of this version: those of Kafka 0.8 and 0.9 cannot
// say what they understand.
func releaseOf(version int) wire.Release {
	switch version {
	case 1:
		return wire.Kafka08
	case 2:
		return wire.Kafka09
	}
	return wire.Negotiated
}

// oldest is how to speak so that every one of the brokers understands.
func oldest(live map[string]Broker) wire.Release {
	found := wire.Negotiated
	for _, broker := range live {
		switch broker.release {
		case wire.Kafka08:
			return wire.Kafka08
		case wire.Kafka09:
			found = wire.Kafka09
		case wire.Negotiated:
		}
	}
	return found
}

// id is what the brokers call the cluster, empty if they were not asked, or have no name for it.
func (d directory) id() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clusterID
}

// told gives the partitions of topics as a registry needs them that knows of groups alone; nil where it knows of topics
// too. Topics that do not exist are left out.
func (d directory) told(ctx context.Context, topics []string) (map[string][]kafka.Partition, error) {
	if !d.byBrokers() {
		return nil, nil
	}
	told := make(map[string][]kafka.Partition, len(topics))
	for _, topic := range topics {
		partitions, err := d.partitions(ctx, topic)
		switch {
		case errors.Is(err, ErrNoTopic):
		case err != nil:
			return nil, fmt.Errorf("partitions of topic %s: %w", topic, err)
		default:
			told[topic] = partitions
		}
	}
	return told, nil
}
