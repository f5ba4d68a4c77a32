// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"math"
	"slices"
)

// Range is the assignment of Kafka's own ZooKeeper consumers, to the letter, so that samsa's members can share a group
// with them: kafka.consumer.RangeAssignor (PartitionAssignor.scala) of 0.8.2 and later, and the same arithmetic in
// ZookeeperConsumerConnector.rebalance of 0.7 to 0.8.1. For each topic, the partitions are sorted (numbers as numbers;
// 0.7's ids as strings), the thread ids of all subscribed members are sorted as strings ("m-10" before "m-2", by
// ConsumerThreadId.compare, which compares toString), and each thread gets a run of partitions/threads of them, the
// first partitions%threads threads one more.
//
// Each ID counts as a member here, also if several have one Name: Kafka's consumers know no names.
func Range(members []Member, partitions []Partition) Assignment {
	all := canonical(members)
	assignment := make(Assignment, len(partitions))
	byTopic := map[string][]Partition{}
	for _, p := range distinct(partitions) {
		byTopic[p.Topic] = append(byTopic[p.Topic], p)
	}
	for topic, sorted := range byTopic {
		threads, count := threadsOf(all, topic, len(sorted))
		assignRuns(assignment, sorted, threads, count)
	}
	return assignment
}

// assignRuns gives each of the count threads its run of the partitions; threads holds as many of them as get any.
func assignRuns(into Assignment, partitions []Partition, threads []Thread, count int64) {
	if count == 0 {
		return
	}
	share, extra := int64(len(partitions))/count, int64(len(partitions))%count
	for i, thread := range threads {
		run := share
		if int64(i) < extra {
			run++
		}
		for _, p := range partitions[:run] {
			into[p] = thread
		}
		partitions = partitions[run:]
	}
}

// threadsOf returns the first limit threads that consume the topic, in Kafka's order, and how many there are in all.
// Only limit of them can get a partition, so a registration that claims millions of threads costs no memory.
func threadsOf(members []Member, topic string, limit int) (threads []Thread, count int64) {
	for _, m := range members {
		// Kafka reads the number as a 32-bit integer; the bound keeps the sum of many within 64 bits.
		n := min(m.Topics[topic], math.MaxInt32)
		count += int64(n)
		for _, index := range firstIndexes(n, limit) {
			threads = append(threads, Thread{Member: m.ID, Index: index})
		}
	}
	slices.SortFunc(threads, func(a, b Thread) int { return compareStrings(a.String(), b.String()) })
	return threads[:min(limit, len(threads))], count
}

// firstIndexes returns the first limit numbers of 0 to n-1 in the order of their decimal strings: 0, 1, 10, 100, 11...
func firstIndexes(n, limit int) []int {
	var indexes []int
	var visit func(from, to int)
	visit = func(from, to int) {
		for i := from; i <= to && i < n && len(indexes) < limit; i++ {
			indexes = append(indexes, i)
			if i > 0 {
				visit(10*i, 10*i+9)
			}
		}
	}
	visit(0, 9)
	return indexes
}
