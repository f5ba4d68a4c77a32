// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// ProtocolType is what groups of consumers call themselves, whoever they are made of.
const ProtocolType = "consumer"

// ClientPrefix is how the client id of a member of samsa's begins, which the pod's name follows: the coordinator tells
// everybody who asks, also while a round is under way.
const ClientPrefix = "samsa/"

// own is the protocol of groups of samsa's members alone; a coordinator chooses it only if all members offer it. It is
// cooperative, and its sharing is package balance's: so a pod that comes back gets its partitions back.
const own = "samsa"

const cooperativeSticky = "cooperative-sticky"

// cooperative reports whether members keep through a round what they hold.
func cooperative(protocol string) bool { return protocol == own || protocol == cooperativeSticky }

// balancers are what Kafka's own consumers, and those built on librdkafka, know: by preference.
func balancers() []kgo.GroupBalancer {
	return []kgo.GroupBalancer{
		kgo.CooperativeStickyBalancer(), kgo.RangeBalancer(), kgo.RoundRobinBalancer(), kgo.StickyBalancer(),
	}
}

// card is what a member of samsa's says of itself in its metadata, where other assignors leave room for their own.
type card struct {
	Pod string `json:"pod"`
	// Born is when this membership began, in milliseconds since 1970.
	Born     int64  `json:"born"`
	Strategy string `json:"strategy"`
	// Session is the session's timeout in milliseconds.
	Session int64 `json:"session"`
	Leaving bool  `json:"leaving,omitempty"`
}

// protocols are all that the member offers, best first. It says the same as long as the same is true, so that asking
// twice is no news to the coordinator.
func (m *Member) protocols() []Protocol {
	if m.born == 0 {
		m.born = m.now.UnixMilli()
	}
	topics := slices.Clone(m.topics)
	if m.leaving {
		topics = nil
	}
	user, _ := json.Marshal(card{ // of strings and numbers
		Pod: m.config.Pod, Born: m.born, Strategy: string(rune(m.config.Strategy)),
		Session: m.config.Session.Milliseconds(), Leaving: m.leaving,
	})
	metadata := kmsg.NewConsumerMemberMetadata()
	metadata.Version, metadata.Topics, metadata.UserData = 1, topics, user
	for topic, numbers := range byTopic(m.round.listed) {
		owned := kmsg.NewConsumerMemberMetadataOwnedPartition()
		owned.Topic, owned.Partitions = topic, numbers
		metadata.OwnedPartitions = append(metadata.OwnedPartitions, owned)
	}
	slices.SortFunc(metadata.OwnedPartitions, func(a, b kmsg.ConsumerMemberMetadataOwnedPartition) int {
		return strings.Compare(a.Topic, b.Topic)
	})
	ours := metadata.AppendTo(nil)
	offered := make([]Protocol, 0, 5)
	offered = append(offered, Protocol{own, ours})
	for _, balancer := range balancers() {
		said := ours
		switch balancer.ProtocolName() {
		case cooperativeSticky, "sticky": // they read what is in the room for assignors
			said = balancer.JoinGroupMetadata(slices.Clone(topics), byTopic(m.round.listed), max(m.generation, -1))
		}
		offered = append(offered, Protocol{balancer.ProtocolName(), said})
	}
	return offered
}

// byTopic writes partitions as the protocol does.
func byTopic(partitions []kafka.Partition) map[string][]int32 {
	topics := map[string][]int32{}
	for _, partition := range partitions {
		if number, err := strconv.ParseInt(partition.ID, 10, 32); err == nil {
			topics[partition.Topic] = append(topics[partition.Topic], int32(number))
		}
	}
	for _, numbers := range topics {
		slices.Sort(numbers)
	}
	return topics
}

func partitionOf(topic string, number int32) kafka.Partition {
	return kafka.Partition{Topic: topic, ID: strconv.Itoa(int(number))}
}

// decodeAssignment reads what falls to a member.
func decodeAssignment(assignment []byte) (map[kafka.Partition]bool, error) {
	partitions := map[kafka.Partition]bool{}
	if len(assignment) == 0 { // how some leaders say that there is nothing
		return partitions, nil
	}
	topics, err := kgo.ParseConsumerSyncAssignment(assignment)
	if err != nil {
		return nil, fmt.Errorf("what the group's leader gave this member cannot be understood: %w", err)
	}
	for topic, numbers := range topics {
		for _, number := range numbers {
			partitions[partitionOf(topic, number)] = true
		}
	}
	return partitions, nil
}

// Assigned are the partitions that fell to a member, sorted; none where that cannot be understood.
func (p Peer) Assigned() []kafka.Partition {
	assigned, _ := decodeAssignment(p.Assignment)
	return sortedPartitions(assigned)
}

func sortedPartitions(set map[kafka.Partition]bool) []kafka.Partition {
	all := make([]kafka.Partition, 0, len(set))
	for partition := range set {
		all = append(all, partition)
	}
	slices.SortFunc(all, kafka.Partition.Compare)
	return all
}

// ours reports whether a member is samsa's, as its client id says.
func (p Peer) ours() bool { return strings.HasPrefix(p.Client, ClientPrefix) }

// metadata reads what a member said.
func (p Peer) metadata() (kmsg.ConsumerMemberMetadata, bool) {
	metadata := kmsg.NewConsumerMemberMetadata()
	if err := metadata.ReadFrom(p.Metadata); err == nil {
		return metadata, true
	}
	// Some clients claim version 1 and leave out what it added.
	if !bytes.HasPrefix(p.Metadata, []byte{0, 1}) {
		return metadata, false
	}
	older := append([]byte{0, 0}, p.Metadata[2:]...)
	metadata = kmsg.NewConsumerMemberMetadata()
	return metadata, metadata.ReadFrom(older) == nil
}

func (p Peer) topics() []string {
	metadata, _ := p.metadata()
	return metadata.Topics
}

// owned are the partitions that a member kept through the round.
func (p Peer) owned() []kafka.Partition {
	metadata, _ := p.metadata()
	var owned []kafka.Partition
	for _, topic := range metadata.OwnedPartitions {
		for _, number := range topic.Partitions {
			owned = append(owned, partitionOf(topic.Topic, number))
		}
	}
	return owned
}

func (p Peer) card() card {
	var said card
	if metadata, ok := p.metadata(); ok {
		_ = json.Unmarshal(metadata.UserData, &said) // it may be another assignor's
	}
	return said
}

func (p Peer) leaves() bool { return p.card().Leaving }

// session is a member's session timeout, or what it is taken for where it does not say.
func (p Peer) session(otherwise time.Duration) time.Duration {
	if said := p.card().Session; said > 0 {
		return max(time.Duration(said)*time.Millisecond, otherwise)
	}
	return otherwise
}

// Registration describes a member in the words of groups in ZooKeeper.
func (p Peer) Registration() layout.Registration {
	said := p.card()
	r := layout.Registration{ID: p.ID, Pod: p.ID, Foreign: !p.ours(), Strategy: layout.Range, Topics: map[string]int{}}
	if !r.Foreign {
		r.Pod = strings.TrimPrefix(p.Client, ClientPrefix)
		r.Born, r.Leaving, r.Strategy = said.Born, said.Leaving, said.strategy()
	}
	for _, topic := range p.topics() {
		r.Topics[topic] = 1
	}
	return r
}

func (c card) strategy() layout.Strategy {
	if c.Strategy == string(rune(layout.Range)) {
		return layout.Range
	}
	return layout.Sticky
}
