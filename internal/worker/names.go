// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"slices"
	"strconv"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// maxTopics bounds the topics of one group: the registry reads each one's owners and offsets, and a worker re-reads
// them all every session/2.
const maxTopics = 64

// checkName checks what becomes a part of a node's name in ZooKeeper.
func checkName(f *faults, path, name, whatToDo string) {
	if name == "" {
		f.add(path, "is missing; %s", whatToDo)
		return
	}
	if err := layout.CheckName(name); err != nil {
		f.add(path, "%v", err)
	}
}

func checkTopics(f *faults, topics []string) {
	if len(topics) == 0 {
		f.add("topics", "is empty; name what the group consumes, as in [orders]")
	}
	if len(topics) > maxTopics {
		f.add("topics", "has %d names; a group consumes at most %d, make several groups", len(topics), maxTopics)
	}
	for i, topic := range topics {
		path := "topics[" + strconv.Itoa(i) + "]"
		if err := layout.CheckTopic(topic); err != nil {
			f.add(path, "%v", err)
		} else if slices.Index(topics, topic) < i {
			f.add(path, "%q is named twice; remove one", topic)
		}
	}
}
