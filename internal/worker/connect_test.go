// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"log/slog"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink/discard"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
	"github.com/samsa-dev/samsa/pkg/sink/logsink"
)

func TestWhoCoordinates(t *testing.T) {
	zk := &ZooKeeper{Connect: "zk:2181"}
	for _, c := range []struct {
		config  Config
		server  string
		brokers bool
	}{
		{Config{Cluster: Cluster{ZooKeeper: zk}, Coordination: CoordinationAuto}, "zk:2181", false},
		{Config{Cluster: Cluster{ZooKeeper: zk}, Coordination: CoordinationKafka}, "the brokers registered at zk:2181", true},
		{Config{Cluster: Cluster{BootstrapServers: []string{"a:1", "b:1"}}}, "a:1,b:1", true},
	} {
		if server, brokers := c.config.coordinator(); server != c.server || brokers != c.brokers {
			t.Errorf("got %s, %v", server, brokers)
		}
	}
	for word, want := range map[Coordination]client.Coordination{
		CoordinationAuto: client.CoordinationAuto, CoordinationKafka: client.CoordinationKafka,
		CoordinationZooKeeper: client.CoordinationZooKeeper,
	} {
		if got := word.client(); got != want {
			t.Errorf("%s: got %q", word, got)
		}
	}
}

func TestEachWordHasItsRule(t *testing.T) {
	for word, want := range map[OutOfRange]lane.Rule{
		OutOfRangeEarliestOrBlock: lane.EarliestOrBlock, OutOfRangeBlock: lane.BlockOutOfRange,
		OutOfRangeEarliest: lane.ToEarliest, OutOfRangeLatest: lane.ToLatest, OutOfRangeNearest: lane.ToNearest,
	} {
		if got := word.rule(); got != want {
			t.Errorf("%s: got %d, want %d", word, got, want)
		}
	}
}

func TestSinks(t *testing.T) {
	for _, c := range []struct {
		sink Sink
		is   func(any) bool
	}{
		{Sink{Log: &LogSink{}}, func(s any) bool { _, ok := s.(*logsink.Sink); return ok }},
		{Sink{Discard: &DiscardSink{}}, func(s any) bool { _, ok := s.(discard.Sink); return ok }},
		{Sink{HTTP: &HTTPSink{URL: "http://b"}}, func(s any) bool { _, ok := s.(*httpsink.Sink); return ok }},
		{Sink{Binding: &BindingSink{URL: "http://b"}}, func(s any) bool { _, ok := s.(*httpsink.Sink); return ok }},
	} {
		config := Default()
		config.Sink = c.sink
		opened, err := config.sink(slog.New(slog.DiscardHandler))
		if err != nil || !c.is(opened) {
			t.Errorf("got %T, %v", opened, err)
			continue
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
}
