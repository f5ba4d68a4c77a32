// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package balance decides which member of a ZooKeeper consumer group owns which partition.
//
// Nobody hands out partitions in such a group: every member reads the same members and partitions from the registry
// and computes the whole assignment by itself. So both functions here are pure, and their results are part of the
// wire contract: two members that compute differently leave a partition unowned, or fight for it. Neither the order
// of the input nor duplicates in it matter.
//
// [Range] is what Kafka's own old consumers compute; [Sticky] is for groups in which all members are samsa's.
// Both are safe for concurrent use and keep no reference to their arguments.
package balance

import (
	"cmp"
	"slices"
	"strconv"
)

// Member is one registration below /consumers/<group>/ids.
type Member struct {
	// ID is the name of the registration's node, unique in the group. Should it be given twice, both count as one
	// member with the topics of both.
	ID string
	// Name survives the session: the pod's name. For foreign members, and when empty, it is the ID.
	Name string
	// Born is when the session registered, in milliseconds since 1970, as the ID tells. Only Sticky reads it.
	Born int64
	// Topics maps a topic to the number of threads (Kafka says streams) the member consumes it with.
	// A number below 1 is no subscription.
	Topics map[string]int
}

// Partition names one partition of the cluster. ID is a number in decimal, or 0.7's "<broker>-<number>".
type Partition struct{ Topic, ID string }

// Thread is one consuming thread of a member, the unit that owns partitions in the registry.
type Thread struct {
	Member string // the member's ID
	Index  int    // from 0
}

// String is the thread id as owner nodes hold it: "<member>-<index>".
func (t Thread) String() string { return t.Member + "-" + strconv.Itoa(t.Index) }

// Assignment gives each partition its owner. A partition of a topic that no member subscribes to is missing.
type Assignment map[Partition]Thread

// Of lists what the member with this ID owns, by topic and then in the order of [Range].
func (a Assignment) Of(member string) []Partition {
	var owned []Partition
	for p, t := range a {
		if t.Member == member {
			owned = append(owned, p)
		}
	}
	slices.SortFunc(owned, comparePartitions)
	return owned
}

// canonical makes one member of each ID, whatever the order of the input, sorted by ID.
func canonical(members []Member) []Member {
	byID := make(map[string]Member, len(members))
	for _, m := range members {
		merged := Member{ID: m.ID, Name: cmp.Or(m.Name, m.ID), Born: m.Born, Topics: map[string]int{}}
		if twin, ok := byID[m.ID]; ok {
			merged.Name, merged.Born, merged.Topics = max(merged.Name, twin.Name), max(merged.Born, twin.Born), twin.Topics
		}
		for topic, threads := range m.Topics {
			if threads > 0 {
				merged.Topics[topic] = max(threads, merged.Topics[topic])
			}
		}
		byID[m.ID] = merged
	}
	all := make([]Member, 0, len(byID))
	for _, m := range byID {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// distinct returns the partitions sorted, each once.
func distinct(partitions []Partition) []Partition {
	sorted := slices.Clone(partitions)
	slices.SortFunc(sorted, comparePartitions)
	return slices.Compact(sorted)
}
