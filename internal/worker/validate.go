// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/internal/configfile"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// check reports what is wrong with a configuration, including the files it names.
func (c *Config) check(f *configfile.Faults) {
	checkName(f, "group", c.Group, "name the consumer group")
	checkName(f, "member", c.Member, "give this worker a name that is its own in the group")
	c.checkTopics(f)
	configfile.OneOf(f, "semantics", c.Semantics, SemanticsQueue, SemanticsTopic)
	c.checkOrdinal(f)
	c.Cluster.Check(f)
	c.checkCoordination(f)
	configfile.OneOf(f, "start", c.Start, StartEarliest, StartLatest)
	configfile.OneOf(f, "outOfRange", c.OutOfRange,
		OutOfRangeEarliestOrBlock, OutOfRangeBlock, OutOfRangeEarliest, OutOfRangeLatest, OutOfRangeNearest)
	configfile.OneOf(f, "assignment", c.Assignment, AssignSticky, AssignRange)
	// Below 100 ms ten members of one group make 100 transactions a second on an ensemble made for far fewer; above a
	// minute a crash delivers too much again.
	configfile.Between(f, "commitInterval", c.CommitInterval, 100*time.Millisecond, time.Minute)
	configfile.Between(f, "drainTimeout", c.DrainTimeout, 100*time.Millisecond, time.Hour)
	c.Delivery.check(f)
	c.Sink.check(f)
	configfile.CheckListen(f, "listen", c.Listen)
}

func (c *Config) checkCoordination(f *configfile.Faults) {
	configfile.OneOf(f, "coordination", c.Coordination, CoordinationAuto, CoordinationZooKeeper, CoordinationKafka)
	if c.Coordination == CoordinationZooKeeper && c.Cluster.ZooKeeper == nil {
		f.Add("coordination", "is ZooKeeper, and the cluster has none; give cluster.zookeeper, or make it %s",
			CoordinationKafka)
	}
}

func (d *Delivery) check(f *configfile.Faults) {
	configfile.Between(f, "delivery.timeout", d.Timeout, time.Millisecond, time.Hour)
	configfile.Between(f, "delivery.retry.initialBackoff", d.Retry.InitialBackoff, time.Millisecond, time.Hour)
	configfile.Between(f, "delivery.retry.maxBackoff", d.Retry.MaxBackoff, time.Millisecond, time.Hour)
	if d.Retry.MaxBackoff < d.Retry.InitialBackoff {
		f.Add("delivery.retry.maxBackoff", "%s is below initialBackoff %s; raise it or lower initialBackoff",
			d.Retry.MaxBackoff, d.Retry.InitialBackoff)
	}
}

func (s *Sink) check(f *configfile.Faults) {
	var chosen []string
	if s.HTTP != nil {
		chosen = append(chosen, "http")
		s.HTTP.check(f)
	}
	if s.Log != nil {
		chosen = append(chosen, "log")
	}
	if s.Discard != nil {
		chosen = append(chosen, "discard")
	}
	if s.Binding != nil {
		chosen = append(chosen, "producerBinding")
		s.Binding.check(f)
	}
	switch len(chosen) {
	case 0:
		f.Add("sink", "is not chosen; give one of `http: {url: ...}`, `log: {}`, `discard: {}`, "+
			"`producerBinding: {url: ..., scope: ...}`")
	case 1:
	default:
		f.Add("sink", "has %s; keep one, a message goes to one sink", strings.Join(chosen, " and "))
	}
}

// check leaves all but the format to the sink itself, which knows what it can send.
func (s *HTTPSink) check(f *configfile.Faults) {
	const path = "sink.http."
	configfile.OneOf(f, path+"format", s.Format, FormatRaw, FormatCloudEventsBinary)
	if s.URL == "" {
		f.Add(path+"url", "is missing; say where messages are posted to, as in http://billing/orders")
		return
	}
	if target, err := url.Parse(s.URL); err == nil && target.User != nil {
		f.Add(path+"url", "holds a user's name; send credentials as a header, a URL ends up in logs")
	}
	made, err := httpsink.New(s.config(Default().Delivery))
	if err == nil {
		_ = made.Close() // it never connected
		return
	}
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) {
		f.Add("sink.http", "%v", err)
		return
	}
	for _, problem := range list.Unwrap() {
		field, text, _ := strings.Cut(problem.Error(), ": ")
		f.Also(path+field, text)
	}
}
