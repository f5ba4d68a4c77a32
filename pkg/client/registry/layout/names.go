// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	// maxName bounds a group's and a member's name: both stand in the member's id, which with 2 x 200 + 40 bytes stays
	// far below what any tool that prints a tree of ZooKeeper can show.
	maxName = 200
	// maxTopicName is Kafka's own: 255 bytes of a file's name less "-" and the partition's number.
	maxTopicName = 249
)

// topicName is Kafka's rule for names of topics.
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// CheckName says why a name cannot stand in a path of ZooKeeper as a group's or a member's, and what to do; nil if it
// can.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("is empty; name it")
	case len(name) > maxName:
		return fmt.Errorf("has %d bytes; shorten it to %d", len(name), maxName)
	case name == "." || name == "..":
		return fmt.Errorf("is %q, which ZooKeeper refuses; choose another", name)
	case !utf8.ValidString(name):
		return fmt.Errorf("%q is no UTF-8 text; choose another", name)
	}
	if i := strings.IndexFunc(name, unfitForNode); i >= 0 {
		bad, _ := utf8.DecodeRuneInString(name[i:])
		return fmt.Errorf("%q holds %q, which no node of ZooKeeper may; remove it", name, bad)
	}
	return nil
}

// unfitForNode is PathUtils.validatePath of ZooKeeper for one part of a path, and '/' which would make two of it. Java
// looks at UTF-16, so whatever lies beyond U+FFFF are surrogates to it, and refused.
func unfitForNode(r rune) bool {
	return r == '/' || r < 0x20 || r >= 0x7f && r <= 0x9f || r >= 0xd800 && r <= 0xf8ff || r >= 0xfff0
}

// CheckTopic says why a name is no topic's, by Kafka's own rule; nil if it is.
func CheckTopic(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return fmt.Errorf("is %q, which is no topic's name", name)
	case len(name) > maxTopicName:
		return fmt.Errorf("has %d characters; topics have at most %d", len(name), maxTopicName)
	case !topicName.MatchString(name):
		return fmt.Errorf("%q is no topic's name; those are made of letters, digits, '.', '_' and '-'", name)
	}
	return nil
}
