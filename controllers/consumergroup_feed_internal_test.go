// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// sharing is a group of so many pods that all consume these partitions.
func sharing(pods int, partitions ...kafka.Partition) client.GroupView {
	view := client.GroupView{Strategy: layout.Sticky}
	topics := map[string]bool{}
	var names []string
	for _, p := range partitions {
		view.Partitions = append(view.Partitions, client.GroupPartition{Partition: p})
		if !topics[p.Topic] {
			topics[p.Topic], names = true, append(names, p.Topic)
		}
	}
	for i := range pods {
		pod := fmt.Sprintf("billing-%d", i)
		view.Members = append(view.Members, client.GroupMember{ID: "id-" + pod, Pod: pod, Topics: names})
	}
	return view
}

// of are partitions of a topic: so many, or so many of each broker.
func of(topic string, brokers ...int) (partitions []kafka.Partition) {
	for broker, count := range brokers {
		for i := range count {
			id := fmt.Sprint(i)
			if len(brokers) > 1 {
				id = fmt.Sprintf("%d-%d", broker+1, i)
			}
			partitions = append(partitions, kafka.Partition{Topic: topic, ID: id})
		}
	}
	return partitions
}

func TestFed(t *testing.T) {
	both := func(more ...kafka.Partition) []kafka.Partition { return append(of("orders", 2), more...) }
	ranged := func(view client.GroupView) client.GroupView {
		view.Strategy = layout.Range
		return view
	}
	with := func(view client.GroupView, members ...client.GroupMember) client.GroupView {
		view.Members = append(view.Members, members...)
		return view
	}
	old := func(topics ...string) client.GroupMember {
		return client.GroupMember{ID: "zz-old", Pod: "zz-old", Foreign: true, Topics: topics}
	}
	for name, c := range map[string]struct {
		view client.GroupView
		fed  metav1.ConditionStatus
		says string
	}{
		"enough": {sharing(2, of("orders", 4)...), "True", "4 partitions for 2 members"},
		"nobody": {sharing(0, of("orders", 1)...), "True", "1 partition, and no member yet"},
		"too few": {sharing(3, of("orders", 2)...), "False",
			"2 partitions for 3 members: 1 pod idle; raise the number of partitions to 3, or lower spec.replicas to 2"},
		"0.7, enough": {sharing(3, of("orders", 2, 2)...), "True",
			"2 brokers x 2 partitions each = 4 partitions for 3 members"},
		"0.7, too few": {sharing(3, of("orders", 1, 1)...), "False", "2 brokers x 1 partition each = 2 partitions for " +
			"3 members: 1 pod idle; raise num.partitions of each broker to 2, or lower spec.replicas to 2"},
		"0.7, one broker left": {sharing(3, kafka.Partition{Topic: "orders", ID: "1-0"}), "False",
			"1 broker x 1 partition = 1 partition for 3 members: 2 pods idle; raise num.partitions of each broker to 3, " +
				"or lower spec.replicas to 1"},
		"0.7, uneven": {sharing(9, of("orders", 1, 3)...), "False", "2 brokers x 1 to 3 partitions each = 4 partitions for " +
			"9 members: 5 pods idle; raise num.partitions of each broker to 5, or lower spec.replicas to 4"},
		"topics together": {sharing(6, both(of("returns", 2)...)...), "False", "2 topics (orders: 2 partitions, returns: " +
			"2 partitions) = 4 partitions for 6 members: 2 pods idle; raise the number of partitions to 6, or " +
			"lower spec.replicas to 4"},
		"0.7, topics together": {sharing(6, append(of("orders", 1, 1), of("returns", 1, 1)...)...), "False",
			"2 topics (orders: 2 brokers x 1 partition each, returns: 2 brokers x 1 partition each) = 4 partitions for " +
				"6 members: 2 pods idle; raise num.partitions of each broker to 2, or lower spec.replicas to 4"},
		"topics one by one": {ranged(sharing(3, both(of("returns", 2)...)...)), "False",
			"2 partitions of orders, the largest of 2 topics that Range shares out one by one, for 3 members: 1 pod idle; " +
				"raise the number of partitions to 3, or lower spec.replicas to 2"},
		"a foreign member": {with(ranged(sharing(2, of("orders", 2)...)), old("orders")), "False",
			"2 partitions for 3 members: 1 member idle; raise the number of partitions to 3, or lower the number of " +
				"members to 2"},
		"a foreign member of another topic": {with(ranged(sharing(2, of("orders", 2)...)), old("audit")), "True",
			"2 partitions for 2 members"},
		"a foreign member of one topic": {with(ranged(sharing(1, both(of("returns", 1)...)...)), old("returns")), "False",
			"2 topics (orders: 2 partitions, returns: 1 partition) = 3 partitions for 2 members that do not all consume the " +
				"same topics: 1 member idle; raise the number of partitions of its topics, or lower the number of members to 1"},
		"a pod on its way out": {with(sharing(2, of("orders", 2)...),
			client.GroupMember{ID: "x", Pod: "billing-2", Leaving: true, Topics: []string{"orders"}}), "True",
			"2 partitions for 2 members"},
		"a pod's earlier session": {with(sharing(2, of("orders", 2)...),
			client.GroupMember{ID: "x", Pod: "billing-1", Topics: []string{"orders"}}), "True", "2 partitions for 2 members"},
		"a pod of one of the topics": {with(sharing(1, both(of("returns", 1)...)...),
			client.GroupMember{ID: "x", Pod: "billing-1", Topics: []string{"returns"}}), "True",
			"2 topics (orders: 2 partitions, returns: 1 partition) = 3 partitions for 2 members that do not all consume " +
				"the same topics"},
		"no partitions": {sharing(2), "Unknown", "there are no partitions to share out"},
	} {
		t.Run(name, func(t *testing.T) {
			var f feed
			f.add(&c.view)
			got := f.finding()
			if got.status != c.fed || got.message != c.says {
				t.Errorf("got %s, %s\nwant %s, %s", got.status, got.message, c.fed, c.says)
			}
		})
	}
}

// With semantics Topic each pod is alone in a group of its own.
func TestFedOfManyGroups(t *testing.T) {
	var f feed
	for range 3 {
		alone := sharing(1, of("orders", 2)...)
		f.add(&alone)
	}
	if got := f.finding(); got.status != metav1.ConditionTrue || got.message != "2 partitions for each of 3 members" {
		t.Errorf("got %s, %s", got.status, got.message)
	}
}
