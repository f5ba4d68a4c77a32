// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// broker is a group coordinator as Kafka's is, in the simulation's time: one group, classic protocol.
type broker struct {
	world      *world
	state      string // Empty, Preparing, Completing, Stable
	generation int32
	protocol   string
	leader     string
	members    map[string]*enrolled
	pending    map[string]bool
	deadline   time.Time
	ids        int
	offsets    map[kafka.Partition]int64
	// deposed says that it is not the coordinator any more, and does not know: it answers from memory, and can write
	// nothing.
	deposed bool
	// short is what a coordinator before 0.10.1 does: the session bounds a round.
	short bool
}

type enrolled struct {
	id, client         string
	session, rebalance time.Duration
	protocols          []Protocol
	expires            time.Time
	join               func(Joined)
	sync               func(Synced)
	assignment         []byte
}

func (b *broker) sorted() []*enrolled {
	var all []*enrolled
	for _, member := range b.members {
		all = append(all, member)
	}
	slices.SortFunc(all, func(a, b *enrolled) int { return cmp.Compare(a.id, b.id) })
	return all
}

// depose makes another broker the coordinator, which knows what was written and begins to count sessions anew.
func (b *broker) depose() *broker {
	successor := &broker{
		world: b.world, state: b.state, generation: b.generation, protocol: b.protocol, leader: b.leader,
		members: map[string]*enrolled{}, pending: map[string]bool{}, offsets: map[kafka.Partition]int64{},
		ids: b.ids + 1000, short: b.short,
	}
	for id, member := range b.members {
		again := *member
		again.join, again.sync = nil, nil
		successor.members[id] = &again
		successor.touch(&again)
	}
	maps.Copy(successor.offsets, b.offsets)
	if successor.state == "Preparing" || successor.state == "Completing" { // as it was before the round
		successor.state = "Stable"
		successor.prepare()
	}
	b.deposed = true
	return successor
}

func (b *broker) join(client string, command Join, reply func(Joined)) {
	if b.deposed {
		return
	}
	answer := func(verdict Verdict, text string) {
		reply(Joined{Member: command.Member, Answer: Answer{verdict, fmt.Errorf("%s", text)}})
	}
	if command.Member == "" {
		b.ids++
		id := fmt.Sprintf("%s-%04d", client, b.ids)
		b.pending[id] = true
		reply(Joined{Member: id, Answer: Answer{Verdict: Named}})
		return
	}
	member := b.members[command.Member]
	if member == nil && !b.pending[command.Member] {
		answer(Expelled, "unknown member")
		return
	}
	if !b.common(command) {
		answer(Refused, "inconsistent protocol")
		return
	}
	delete(b.pending, command.Member)
	known := member != nil
	if !known {
		member = &enrolled{id: command.Member, client: client}
		b.members[member.id] = member
	}
	same := known && slices.EqualFunc(member.protocols, command.Protocols, func(a, b Protocol) bool {
		return a.Name == b.Name && bytes.Equal(a.Metadata, b.Metadata)
	})
	member.session, member.rebalance, member.protocols = command.Session, command.Rebalance, command.Protocols
	if b.short {
		member.rebalance = member.session
	}
	b.touch(member)
	if same && (b.state == "Completing" || b.state == "Stable" && b.leader != member.id) {
		reply(b.joined(member))
		return
	}
	if member.join != nil {
		member.join(Joined{Answer: Answer{Unavailable, fmt.Errorf("joined again")}})
	}
	member.join = reply
	b.prepare()
	b.complete(false)
}

// common reports whether all members and the one that comes have a protocol in common.
func (b *broker) common(command Join) bool {
	for _, offered := range command.Protocols {
		if b.allOffer(offered.Name, command.Member) {
			return true
		}
	}
	return false
}

func (b *broker) allOffer(name, but string) bool {
	for _, member := range b.members {
		if member.id != but && !slices.ContainsFunc(member.protocols, func(p Protocol) bool { return p.Name == name }) {
			return false
		}
	}
	return true
}

func (b *broker) touch(member *enrolled) { member.expires = b.world.now.Add(member.session) }

func (b *broker) prepare() {
	if b.state == "Preparing" {
		return
	}
	for _, member := range b.sorted() {
		if member.sync != nil {
			member.sync(Synced{Answer: Answer{Rebalancing, fmt.Errorf("round")}})
			member.sync = nil
		}
	}
	b.state = "Preparing"
	longest := time.Duration(0)
	for _, member := range b.members {
		longest = max(longest, member.rebalance)
	}
	b.deadline = b.world.now.Add(longest)
}

// complete ends the round if all have joined, or if the time is up: then without those that have not.
func (b *broker) complete(late bool) {
	if b.state != "Preparing" {
		return
	}
	for _, member := range b.sorted() {
		if member.join == nil && !late {
			return
		}
		if member.join == nil {
			delete(b.members, member.id)
		}
	}
	b.generation++
	if len(b.members) == 0 {
		b.state = "Empty"
		return
	}
	b.state = "Completing"
	all := b.sorted()
	if b.members[b.leader] == nil {
		b.leader = all[0].id
	}
	b.protocol = b.vote()
	for _, member := range all {
		reply := member.join
		member.join = nil
		b.touch(member)
		reply(b.joined(member))
	}
}

func (b *broker) joined(member *enrolled) Joined {
	answer := Joined{
		Member: member.id, Generation: b.generation, Protocol: b.protocol, Leads: member.id == b.leader, Short: b.short,
	}
	if answer.Leads {
		for _, other := range b.sorted() {
			answer.Members = append(answer.Members, Peer{ID: other.id, Metadata: other.metadata(b.protocol)})
		}
	}
	return answer
}

func (e *enrolled) metadata(protocol string) []byte {
	for _, p := range e.protocols {
		if p.Name == protocol {
			return p.Metadata
		}
	}
	return nil
}

func (b *broker) vote() string {
	votes := map[string]int{}
	for _, member := range b.members {
		for _, p := range member.protocols {
			if b.allOffer(p.Name, "") {
				votes[p.Name]++
				break
			}
		}
	}
	best := ""
	for name, n := range votes {
		if best == "" || n > votes[best] || n == votes[best] && name > best { // range over samsa: the hard case
			best = name
		}
	}
	return best
}

func (b *broker) sync(command Sync, reply func(Synced)) {
	if b.deposed {
		return
	}
	member := b.members[command.Member]
	switch {
	case member == nil:
		reply(Synced{Answer: Answer{Expelled, fmt.Errorf("unknown member")}})
	case command.Generation != b.generation:
		reply(Synced{Answer: Answer{Outdated, fmt.Errorf("illegal generation")}})
	case b.state == "Preparing":
		reply(Synced{Answer: Answer{Rebalancing, fmt.Errorf("round")}})
	case b.state == "Stable":
		reply(Synced{Assignment: member.assignment})
	default:
		member.sync = reply
		b.touch(member)
		if member.id != b.leader {
			return
		}
		for _, other := range b.members {
			other.assignment = nil
		}
		for _, share := range command.Shares {
			b.members[share.Member].assignment = share.Assignment
		}
		b.state = "Stable"
		b.world.settled(b)
		for _, other := range b.sorted() {
			if other.sync != nil {
				other.sync(Synced{Assignment: other.assignment})
				other.sync = nil
			}
		}
	}
}

func (b *broker) check(id string, generation int32) Verdict {
	member := b.members[id]
	switch {
	case member == nil:
		return Expelled
	case generation != b.generation:
		return Outdated
	}
	b.touch(member)
	return Accepted
}

func (b *broker) beat(command Beat) Verdict {
	if b.deposed && b.members[command.Member] != nil {
		return Accepted
	}
	verdict := b.check(command.Member, command.Generation)
	if verdict == Accepted && b.state == "Preparing" {
		return Rebalancing
	}
	return verdict
}

func (b *broker) commit(command Commit) Verdict {
	if b.deposed {
		return Unavailable
	}
	verdict := b.check(command.Member, command.Generation)
	if verdict != Accepted {
		return verdict
	}
	if b.state == "Completing" {
		return Rebalancing
	}
	for _, position := range command.Positions {
		b.world.committed(command.Member, position, b.offsets[position.Partition])
		b.offsets[position.Partition] = position.Offset
	}
	return Accepted
}

func (b *broker) describe() View {
	view := View{Stable: b.state == "Stable"}
	for _, member := range b.sorted() {
		peer := Peer{ID: member.id, Client: member.client}
		if view.Stable {
			view.Protocol = b.protocol
			peer.Metadata, peer.Assignment = member.metadata(b.protocol), member.assignment
		}
		view.Peers = append(view.Peers, peer)
	}
	return view
}

func (b *broker) leave(id string) Verdict {
	if b.deposed {
		return Unavailable
	}
	delete(b.pending, id)
	if b.members[id] == nil {
		return Expelled
	}
	b.remove(id)
	return Accepted
}

func (b *broker) remove(id string) {
	member := b.members[id]
	delete(b.members, id)
	if member.join != nil {
		member.join(Joined{Answer: Answer{Expelled, fmt.Errorf("expelled")}})
	}
	b.prepare()
	b.complete(false)
}

// tick expels who was silent for too long, and ends rounds that took too long.
func (b *broker) tick() {
	for _, member := range b.sorted() {
		if member.join == nil && !b.world.now.Before(member.expires) && b.members[member.id] != nil {
			b.remove(member.id)
		}
	}
	if b.state == "Preparing" && !b.world.now.Before(b.deadline) {
		b.complete(true)
	}
}
