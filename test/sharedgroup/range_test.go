// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
)

// partition is one partition of the cluster.
type partition struct {
	topic string
	id    int
}

func (p partition) String() string { return p.topic + "/" + strconv.Itoa(p.id) }

// registration is what a member's node says, in Kafka's form.
type registration struct {
	Subscription map[string]int `json:"subscription"`
	Pattern      string         `json:"pattern"`
}

func parseRegistration(data string) (r registration, err error) {
	if err := json.Unmarshal([]byte(data), &r); err != nil {
		return r, fmt.Errorf("registration %q: %w", data, err)
	}
	return r, nil
}

// rangeOf says which thread owns which partition, out of the members' registrations and the number of partitions of
// each topic: RangeAssignor of kafka.consumer.PartitionAssignor as it is written there, and none of samsa's code. (Ids
// here are ASCII, for which Go and Java sort alike.)
func rangeOf(members map[string]registration, topics map[string]int) map[partition]string {
	owners := map[partition]string{}
	for topic, count := range topics {
		var threads []string
		for id, member := range members {
			for i := range member.Subscription[topic] {
				threads = append(threads, fmt.Sprintf("%s-%d", id, i))
			}
		}
		if len(threads) == 0 {
			continue
		}
		slices.Sort(threads)
		perThread, withExtra := count/len(threads), count%len(threads)
		for position, thread := range threads {
			start := perThread*position + min(position, withExtra)
			parts := perThread
			if position+1 <= withExtra {
				parts++
			}
			for i := start; i < start+parts; i++ {
				owners[partition{topic, i}] = thread
			}
		}
	}
	return owners
}

func TestRangeOf(t *testing.T) {
	members := map[string]registration{
		"b": {Subscription: map[string]int{"t": 1}}, "a": {Subscription: map[string]int{"t": 2, "u": 1}},
	}
	got := rangeOf(members, map[string]int{"t": 4, "u": 1, "v": 3})
	want := map[partition]string{
		{"t", 0}: "a-0", {"t", 1}: "a-0", {"t", 2}: "a-1", {"t", 3}: "b-0", {"u", 0}: "a-0",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
