// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/balance"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// feed is how members and partitions fit: whether there is a partition for every member.
type feed struct {
	// members share out partitions, and idle of them get none. foreign says that not all of them are samsa's pods.
	members, idle int
	foreign       bool
	// groups is how many groups there are; each has all partitions for itself.
	groups int
	// mixed says that not all members consume the same topics.
	mixed bool
	// ranged says that each topic is shared out for itself, so that the first members get one of each topic and the last
	// none of any.
	ranged bool
	// sizes are those of the topics, by name.
	sizes []size
}

// size is how many partitions a topic has.
type size struct {
	topic      string
	partitions int
	// brokers counts those that have partitions of the topic where each has its own, as in Kafka 0.7, from least to most
	// of them; 0 where partitions are the topic's.
	brokers, least, most int
}

// add counts in what one group shares out. All groups of a ConsumerGroup have the same topics.
func (f *feed) add(view *client.GroupView) {
	partitions := make([]kafka.Partition, len(view.Partitions))
	for i := range view.Partitions {
		partitions[i] = view.Partitions[i].Partition
	}
	f.sizes = sizesOf(partitions)
	f.ranged = view.Strategy == layout.Range
	sharing := f.sharing(view.Members)
	f.groups++
	f.members += len(sharing)
	f.idle += f.hungry(sharing, partitions)
}

// sharing are the members that take part: not those on their way out, and not those of other topics.
func (f *feed) sharing(members []client.GroupMember) (sharing []balance.Member) {
	names := map[string]bool{}
	for i := range members {
		m := &members[i]
		subscribed := map[string]int{}
		for _, s := range f.sizes {
			if slices.Contains(m.Topics, s.topic) {
				subscribed[s.topic] = 1 // of a foreign member's threads nothing is known here: one is the least
			}
		}
		if m.Leaving || m.Unreadable || len(subscribed) == 0 {
			continue
		}
		if !f.ranged && names[m.Pod] {
			continue // a registration of a session that is about to expire, or of its successor
		}
		names[m.Pod] = true
		f.foreign = f.foreign || m.Foreign
		sharing = append(sharing, balance.Member{ID: m.ID, Name: m.Pod, Topics: subscribed})
	}
	return sharing
}

// hungry counts the members that get nothing. Mostly a subtraction tells; else the assignment itself does, since
// members compute the same one.
func (f *feed) hungry(sharing []balance.Member, partitions []kafka.Partition) int {
	alike := !slices.ContainsFunc(sharing, func(m balance.Member) bool { return len(m.Topics) != len(f.sizes) })
	switch {
	case !alike:
		f.mixed = true
	case f.ranged:
		return max(0, len(sharing)-f.largest().partitions)
	default:
		return max(0, len(sharing)-len(partitions))
	}
	all := make([]balance.Partition, len(partitions))
	for i, p := range partitions {
		all[i] = balance.Partition{Topic: p.Topic, ID: p.ID}
	}
	assign := balance.Sticky
	if f.ranged {
		assign = balance.Range
	}
	fed := map[string]bool{}
	for thread := range maps.Values(assign(sharing, all)) {
		fed[thread.Member] = true
	}
	return len(sharing) - len(fed)
}

// sizesOf counts the partitions of each topic, sorted by topic.
func sizesOf(partitions []kafka.Partition) (sizes []size) {
	counts := map[string]map[string]int{} // by topic and broker
	for _, p := range partitions {
		broker, _ := brokerOf(p.ID)
		if counts[p.Topic] == nil {
			counts[p.Topic] = map[string]int{}
		}
		counts[p.Topic][broker]++
	}
	for _, topic := range slices.Sorted(maps.Keys(counts)) {
		own := slices.Sorted(maps.Values(counts[topic]))
		s := size{topic: topic}
		for _, count := range own {
			s.partitions += count
		}
		if _, shared := counts[topic][""]; !shared {
			s.brokers, s.least, s.most = len(own), own[0], own[len(own)-1]
		}
		sizes = append(sizes, s)
	}
	return sizes
}

// brokerOf is the broker in the name of a partition of Kafka 0.7, <broker>-<number>; false for later ones, which are
// numbers.
func brokerOf(partition string) (string, bool) {
	broker, _, found := strings.Cut(partition, "-")
	if !found {
		return "", false
	}
	return broker, true
}

func (f *feed) largest() size {
	return slices.MaxFunc(f.sizes, func(a, b size) int { return cmp.Compare(a.partitions, b.partitions) })
}

// finding is the condition Fed.
func (f *feed) finding() finding {
	switch {
	case f.groups == 0: // with semantics Topic, without pods
		return yes(v1alpha1.ReasonEnoughPartitions, "there is no member to feed")
	case len(f.sizes) == 0:
		return unknown(v1alpha1.ReasonTopicMissing, "there are no partitions to share out")
	case f.members == 0:
		return yes(v1alpha1.ReasonEnoughPartitions, "%s, and no member yet", f.arithmetic())
	case f.idle > 0:
		idle := plural(f.idle, "pod")
		if f.foreign {
			idle = plural(f.idle, "member")
		}
		return no(v1alpha1.ReasonTooFewPartitions, "%s for %s: %s idle; %s, or %s",
			f.arithmetic(), f.eaters(), idle, f.raise(), f.lower())
	}
	return yes(v1alpha1.ReasonEnoughPartitions, "%s for %s", f.arithmetic(), f.eaters())
}

// eaters are the members that the partitions are for.
func (f *feed) eaters() string {
	switch members := plural(f.members, "member"); {
	case f.groups > 1:
		return "each of " + members
	case f.mixed:
		return members + " that do not all consume the same topics"
	default:
		return members
	}
}

// arithmetic is how many partitions there are, and of what.
func (f *feed) arithmetic() string {
	if len(f.sizes) == 1 {
		return f.sizes[0].text()
	}
	if f.ranged && !f.mixed {
		largest := f.largest()
		return fmt.Sprintf("%s of %s, the largest of %d topics that Range shares out one by one,",
			largest.text(), largest.topic, len(f.sizes))
	}
	total, products := 0, make([]string, len(f.sizes))
	for i := range f.sizes {
		total += f.sizes[i].partitions
		products[i] = f.sizes[i].topic + ": " + f.sizes[i].product()
	}
	return fmt.Sprintf("%d topics (%s) = %s", len(f.sizes), names(products), plural(total, "partition"))
}

func (s *size) text() string {
	if s.brokers == 0 {
		return s.product()
	}
	return s.product() + " = " + plural(s.partitions, "partition")
}

// product is brokers x partitions, where that is how many there are.
func (s *size) product() string {
	switch {
	case s.brokers == 0:
		return plural(s.partitions, "partition")
	case s.brokers == 1:
		return "1 broker x " + plural(s.partitions, "partition")
	case s.least == s.most:
		return fmt.Sprintf("%d brokers x %s each", s.brokers, plural(s.most, "partition"))
	}
	return fmt.Sprintf("%d brokers x %d to %s each", s.brokers, s.least, plural(s.most, "partition"))
}

// raise is how many partitions would feed all: of the topic, or of all topics together if they are shared out
// together.
func (f *feed) raise() string {
	if f.mixed {
		return "raise the number of partitions of its topics"
	}
	brokers, partitions := 0, 0
	for i := range f.sizes {
		if f.ranged {
			brokers, partitions = max(brokers, f.sizes[i].brokers), max(partitions, f.sizes[i].partitions)
			continue
		}
		brokers += f.sizes[i].brokers
		partitions += f.sizes[i].partitions
	}
	if brokers > 0 {
		return fmt.Sprintf("raise num.partitions of each broker to %d", (f.members+brokers-1)/brokers)
	}
	return fmt.Sprintf("raise the number of partitions to %d", max(f.members, partitions+1))
}

// lower is how many members there are partitions for.
func (f *feed) lower() string {
	if f.foreign {
		return fmt.Sprintf("lower the number of members to %d", f.members-f.idle)
	}
	return fmt.Sprintf("lower spec.replicas to %d", f.members-f.idle)
}
