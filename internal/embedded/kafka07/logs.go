// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// logs are all partitions of a broker. After kafka.log.LogManager of 0.7.2.
type logs struct {
	config Config
	// created is told of each topic that gets its first partition.
	created func(topic string)

	// mu guards the map; a log guards itself.
	mu      sync.Mutex
	byTopic map[string]map[int32]*log
}

func newLogs(config Config, created func(topic string)) *logs {
	return &logs{config: config, created: created, byTopic: make(map[string]map[int32]*log)}
}

func (s *logs) put(l *log) {
	if s.byTopic[l.topic] == nil {
		s.byTopic[l.topic] = make(map[int32]*log)
	}
	s.byTopic[l.topic][l.partition] = l
}

// check says why a broker does not know such a partition.
func (s *logs) check(topic string, partition int32) error {
	if err := protocol.CheckTopic(topic); err != nil {
		return fmt.Errorf("%w: %w", protocol.Unknown, err)
	}
	if count := s.config.partitions(topic); partition < 0 || partition >= count {
		return fmt.Errorf("%w: %s has 0 to %d here, not %d", protocol.WrongPartition, topic, count-1, partition)
	}
	return nil
}

// find gives a partition's log; nil if nothing was ever written to it.
func (s *logs) find(topic string, partition int32) (*log, error) {
	if err := s.check(topic, partition); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byTopic[topic][partition], nil
}

// findOrMake makes the log, and with it perhaps the topic, where there is none.
func (s *logs) findOrMake(topic string, partition int32) (*log, error) {
	if err := s.check(topic, partition); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.byTopic[topic][partition]; l != nil {
		return l, nil
	}
	dir := ""
	if s.config.Dir != "" {
		dir = filepath.Join(s.config.Dir, fmt.Sprintf("%s-%d", topic, partition))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("log directory: %w", err)
		}
	}
	l, err := newLog(s.config, dir, topic, partition, nil)
	if err != nil {
		return nil, err
	}
	isNew := s.byTopic[topic] == nil
	s.put(l)
	if isNew {
		s.created(topic)
	}
	return l, nil
}

func (s *logs) topics() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	topics := make([]string, 0, len(s.byTopic))
	for topic := range s.byTopic {
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	return topics
}

func (s *logs) all() []*log {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*log
	for _, partitions := range s.byTopic {
		for _, l := range partitions {
			list = append(list, l)
		}
	}
	return list
}

func (s *logs) close() {
	for _, l := range s.all() {
		l.close()
	}
}
