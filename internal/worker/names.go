// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxName bounds group and member: both stand in the member's id, `<group>_samsa1s.<member>-<ms>-<hex>`, which with
	// 2 x 200 + 40 bytes stays far below what any tool that prints a tree of ZooKeeper can show.
	maxName = 200
	// maxTopics bounds the topics of one group: the registry reads each one's owners and offsets, and a worker re-reads
	// them all every session/2.
	maxTopics = 64
	// maxTopicName is Kafka's own: 255 bytes of a file's name less "-" and the partition's number.
	maxTopicName = 249
)

// topicName is Kafka's rule for names of topics.
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// checkName checks what becomes a part of a node's name in ZooKeeper.
func checkName(f *faults, path, name, whatToDo string) {
	switch {
	case name == "":
		f.add(path, "is missing; %s", whatToDo)
	case len(name) > maxName:
		f.add(path, "has %d bytes; shorten it to %d", len(name), maxName)
	case name == "." || name == "..":
		f.add(path, "is %q, which ZooKeeper refuses; choose another", name)
	case !utf8.ValidString(name):
		f.add(path, "%q is no UTF-8 text; choose another", name)
	default:
		if i := strings.IndexFunc(name, unfitForNode); i >= 0 {
			bad, _ := utf8.DecodeRuneInString(name[i:])
			f.add(path, "%q holds %q, which no node of ZooKeeper may; remove it", name, bad)
		}
	}
}

// unfitForNode is PathUtils.validatePath of ZooKeeper for one part of a path, and '/' which would make two of it.
func unfitForNode(r rune) bool {
	return r == '/' || r < 0x20 || r >= 0x7f && r <= 0x9f || r >= 0xd800 && r <= 0xf8ff || r >= 0xfff0 && r <= 0xffff
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
		switch {
		case topic == "" || topic == "." || topic == "..":
			f.add(path, "is %q, which is no topic's name", topic)
		case len(topic) > maxTopicName:
			f.add(path, "has %d characters; topics have at most %d", len(topic), maxTopicName)
		case !topicName.MatchString(topic):
			f.add(path, "%q is no topic's name; those are made of letters, digits, '.', '_' and '-'", topic)
		case slices.Index(topics, topic) < i:
			f.add(path, "%q is named twice; remove one", topic)
		}
	}
}
