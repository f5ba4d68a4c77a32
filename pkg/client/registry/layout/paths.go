// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import "github.com/samsa-dev/samsa/pkg/kafka"

// The directories that brokers keep.
const (
	// Brokers holds one ephemeral node per live broker.
	Brokers = "/brokers/ids"
	// Topics holds one node per topic.
	Topics = "/brokers/topics"
)

// Broker is the path of one broker's registration.
func Broker(id string) string { return Brokers + "/" + id }

// Topic is the path of one topic's registration.
func Topic(topic string) string { return Topics + "/" + topic }

// Group is the directory of one consumer group.
func Group(group string) string { return "/consumers/" + group }

// Members is the directory of a group's live members.
func Members(group string) string { return Group(group) + "/ids" }

// Member is the path of one member's registration.
func Member(group, member string) string { return Members(group) + "/" + member }

// AllOwners is the directory of the claims: one directory per topic.
func AllOwners(group string) string { return Group(group) + "/owners" }

// Owners is the directory of the claims on one topic's partitions.
func Owners(group, topic string) string { return AllOwners(group) + "/" + topic }

// Owner is the path of the claim on one partition.
func Owner(group string, p kafka.Partition) string { return Owners(group, p.Topic) + "/" + p.ID }

// AllOffsets is the directory of the committed positions: one directory per topic.
func AllOffsets(group string) string { return Group(group) + "/offsets" }

// Offsets is the directory of the committed positions of one topic.
func Offsets(group, topic string) string { return AllOffsets(group) + "/" + topic }

// Offset is the path of the committed position of one partition.
func Offset(group string, p kafka.Partition) string { return Offsets(group, p.Topic) + "/" + p.ID }

// Birth is the path of the marker that says the group's start positions are decided.
func Birth(group string) string { return Group(group) + "/samsa" }
