// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/balance"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// foreign is a member that is not samsa's: Kafka's own old consumer. It takes what Range gives it as soon as it is
// free, and lets go of what does not fall to it any more. What it consumes does not matter here: it leaves positions as
// they are.
type foreign struct {
	*world
	id      string
	session *zsession
	gone    bool
	share   map[kafka.Partition]bool
}

func (w *world) foreignComesOrGoes() {
	if w.foreign != nil && !w.foreign.gone {
		w.foreign.leave()
		return
	}
	f := &foreign{world: w, id: groupName + "_old-host-1", share: map[kafka.Partition]bool{}}
	f.session = w.server.open("foreign", nil)
	w.foreign = f
	w.disturbance("a foreign member joins")
	w.server.make(layout.Member(groupName, f.id), layout.EncodeMember(w.topicNames(), 0), f.session.id)
	f.work()
}

// concerns reports whether a partition falls to the foreign member.
func (f *foreign) concerns(p kafka.Partition) bool { return !f.gone && f.share[p] }

func (f *foreign) leave() {
	if !f.gone {
		f.gone = true
		f.disturbance("a foreign member leaves")
		f.server.end(f.session, "closed")
	}
}

func (f *foreign) work() {
	if f.gone {
		return
	}
	f.server.touch(f.session)
	f.balance()
	for _, log := range f.logs {
		node, path := f.ownerNode(log.partition), layout.Owner(groupName, log.partition)
		mine := node != nil && node.owner == f.session.id
		switch share := f.share[log.partition]; {
		case share && node == nil:
			f.server.make(path, []byte(f.id+"-0"), f.session.id)
		case !share && mine:
			f.server.remove(path)
			f.disturbance("a foreign member lets go of " + log.partition.String())
		}
	}
	f.after(f.between(100*time.Millisecond, 500*time.Millisecond), f.work)
}

// balance computes what falls to the foreign member, from the registry as it is.
func (f *foreign) balance() {
	var members []balance.Member
	for _, path := range f.server.children(layout.Members(groupName)) {
		if r := f.server.nodes[path].member; r != nil {
			members = append(members, balance.Member{ID: r.ID, Name: r.Pod, Born: r.Born, Topics: r.Topics})
		}
	}
	partitions := make([]balance.Partition, 0, len(f.logs))
	for _, log := range f.logs {
		partitions = append(partitions, balance.Partition(log.partition))
	}
	clear(f.share)
	for _, p := range balance.Range(members, partitions).Of(f.id) {
		f.share[kafka.Partition(p)] = true
	}
}
