// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"unicode/utf16"
)

// MaxTopicLength is the longest name of a topic that a broker takes unless configured otherwise, in UTF-16 units: its
// max.topic.name.length is 255.
const MaxTopicLength = 255

// CheckTopic says why a broker would refuse a topic's name, after Kafka's TopicNameValidator. Kafka's own clients
// cannot write names with other than ASCII characters.
func CheckTopic(name string) error {
	if name == "" {
		return fmt.Errorf("topic %q: the name is empty", name)
	}
	if name == "." || name == ".." {
		return fmt.Errorf("topic %q: the name is that of a directory", name)
	}
	units := 0
	for _, c := range name {
		if illegalInTopic(c) {
			return fmt.Errorf("topic %q: the name has the character %U, which brokers refuse", name, c)
		}
		units += max(1, utf16.RuneLen(c))
	}
	if units > MaxTopicLength {
		return fmt.Errorf("topic %.32q...: the name has %d characters, brokers take %d", name, units, MaxTopicLength)
	}
	return nil
}

// illegalInTopic: what cannot be in the name of a file or a node of ZooKeeper. U+FFFD, to which broken UTF-8 decodes
// both here and in Java, is among it.
func illegalInTopic(c rune) bool {
	return c == '/' || c <= 0x1F || c >= 0x7F && c <= 0x9F || c >= 0xD800 && c <= 0xF8FF || c >= 0xFFF0 && c <= 0xFFFF
}
