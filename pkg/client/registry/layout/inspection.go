// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"strings"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Inspection is what one look at a group from outside found: its view, whose Owners are those of all partitions of the
// topics asked for, and its positions.
type Inspection struct {
	View
	Group string
	// Unreadable are the ids of live members whose registration could not be understood. They are members all the same.
	Unreadable []string
	// Committed are the committed positions; a partition that has none is missing.
	Committed map[kafka.Partition]int64
	// Malformed are the partitions whose position could not be understood, each with a Problem.
	Malformed map[kafka.Partition]bool
}

// MemberOf names the member that a thread belongs to. Kafka's members, and samsa's, put a number behind their id for
// each thread; others claim by their id alone. It reports false if the thread is nobody's who is a member.
func MemberOf(thread string, isMember func(id string) bool) (id string, ok bool) {
	if isMember(thread) {
		return thread, true
	}
	id, number, ok := cutLast(thread, "-")
	if !ok || number == "" || strings.Trim(number, "0123456789") != "" || !isMember(id) {
		return "", false
	}
	return id, true
}
