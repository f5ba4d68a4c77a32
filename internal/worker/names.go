// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"slices"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/internal/configfile"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// maxTopics bounds the topics of one group: the registry reads each one's owners and offsets, and a worker re-reads
// them all every session/2.
const maxTopics = 64

// checkName checks what becomes a part of a node's name in ZooKeeper.
func checkName(f *configfile.Faults, path, name, whatToDo string) {
	if name == "" {
		f.Add(path, "is missing; %s", whatToDo)
		return
	}
	if err := layout.CheckName(name); err != nil {
		f.Add(path, "%v", err)
	}
}

// maxPattern bounds a pattern: what RE2 makes of it grows with its length.
const maxPattern = 256

func (c *Config) checkTopics(f *configfile.Faults) {
	switch {
	case f.Has("topics") || f.Has("topicPattern"):
		return
	case len(c.Topics) == 0 && c.TopicPattern == "":
		f.Add("topics", "is empty; name what the group consumes, as in [orders], or give topicPattern")
	case len(c.Topics) > 0 && c.TopicPattern != "":
		f.Add("topicPattern", "is given besides topics; keep one of them")
	}
	checkTopicNames(f, c.Topics)
	if c.TopicPattern == "" {
		return
	}
	if len(c.TopicPattern) > maxPattern {
		f.Add("topicPattern", "has %d bytes; shorten it to %d", len(c.TopicPattern), maxPattern)
	} else if _, err := client.CompilePattern(c.TopicPattern); err != nil {
		f.Add("topicPattern", "%v", err)
	}
}

func checkTopicNames(f *configfile.Faults, topics []string) {
	if len(topics) > maxTopics {
		f.Add("topics", "has %d names; a group consumes at most %d, make several groups", len(topics), maxTopics)
	}
	for i, topic := range topics {
		path := "topics[" + strconv.Itoa(i) + "]"
		if err := layout.CheckTopic(topic); err != nil {
			f.Add(path, "%v", err)
		} else if slices.Index(topics, topic) < i {
			f.Add(path, "%q is named twice; remove one", topic)
		}
	}
}

// GroupName is the group that this worker joins: with semantics Topic, one of its own.
func (c Config) GroupName() string {
	if c.Semantics == SemanticsTopic {
		return c.Group + "-" + ordinal(c.Member)
	}
	return c.Group
}

// ordinal is the number at the end of a name, empty if there is none.
func ordinal(name string) string { return name[len(strings.TrimRight(name, "0123456789")):] }

func (c *Config) checkOrdinal(f *configfile.Faults) {
	if c.Semantics != SemanticsTopic || f.Has("member") || f.Has("group") {
		return
	}
	if ordinal(c.Member) == "" {
		f.Add("member", "%q does not end in a number, which semantics Topic makes a group's name of; "+
			"name it like billing-0", c.Member)
		return
	}
	if err := layout.CheckName(c.GroupName()); err != nil {
		f.Add("group", "with semantics Topic, %v", err)
	}
}
