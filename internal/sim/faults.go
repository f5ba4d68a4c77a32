// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// migration is who wrote the positions that a group found when it began.
const migration = "migration"

// monitorInterval is how often is looked who owns what.
const monitorInterval = 100 * time.Millisecond

// pod is a stable name under which processes run, one at a time.
type pod struct {
	name    string
	runs    int
	process *process
}

func (p *pod) label() string { return fmt.Sprintf("%s#%d", p.name, p.runs) }

func (p *pod) alive() bool { return p.process != nil && !p.process.dead && !p.process.left }

// build makes what is there at the beginning: topics with messages, perhaps an older consumer's positions, pods, and
// the first members.
func (w *world) build() {
	w.producing = true
	w.sink.ill = map[kafka.Partition]illness{}
	w.owned = map[kafka.Partition]string{}
	for topic, partitions := range w.profile.topics {
		for n := range partitions {
			log := w.addPartition(partitionName(topic, n))
			for range w.rand.IntN(12) {
				w.appendTo(log)
			}
			if w.profile.migrated && w.chance(0.7) {
				w.place(log)
			}
		}
	}
	for i := range w.profile.pods {
		w.pods = append(w.pods, &pod{name: fmt.Sprintf("worker-%d", i)})
	}
	for _, pod := range w.pods[:w.profile.members] {
		w.after(w.between(0, 2*w.profile.latency), func() { w.restart(pod) })
	}
	w.monitor()
}

// place is a position from before the group was samsa's.
func (w *world) place(log *log) {
	position := log.born
	if n := len(log.messages); n > 0 {
		position = log.messages[w.rand.IntN(n)].Next
	}
	node := w.server.make(layout.Offset(groupName, log.partition), layout.FormatOffset(position), 0)
	w.record(positionMade{By: migration, Partition: log.partition, Position: position, Zxid: node.mzxid})
}

// monitor looks who owns what.
func (w *world) monitor() {
	for _, log := range w.logs {
		owner := w.owner(log.partition)
		before, known := w.owned[log.partition]
		if !known || before != owner {
			w.owned[log.partition] = owner
			w.record(ownership{Partition: log.partition, Owned: owner != "", By: owner})
		}
	}
	for _, p := range w.processes {
		if p.capable() != p.wasCapable {
			p.wasCapable = !p.wasCapable
			w.record(capability{By: p.name, Has: p.wasCapable})
		}
	}
	w.after(monitorInterval, w.monitor)
}

// owner is the process that looks after a partition now. One that falls to a foreign member is that member's affair;
// one that nobody is to consume needs no owner.
func (w *world) owner(partition kafka.Partition) string {
	if w.foreign != nil && w.foreign.concerns(partition) {
		return "foreign"
	}
	if !w.wanted(partition.Topic) {
		return "nobody"
	}
	node := w.ownerNode(partition)
	if node == nil {
		return ""
	}
	for _, pod := range w.pods {
		if pod.process != nil && pod.process.owns(partition, node) {
			return pod.process.name
		}
	}
	return ""
}

// disturbance notes that something was not as it should be until now.
func (w *world) disturbance(what string) { w.record(fault{What: what}) }

// fewest is how many things happen in a run at least, besides the steps that it has to take.
const fewest = 15

// disturb lets things happen until there were enough steps: some in a burst, then now and then a time in which all must
// come back to order.
func (w *world) disturb() {
	for n := 0; w.broken == nil && (n < fewest || w.steps < w.options.Steps); {
		pace := []time.Duration{100 * time.Millisecond, 2 * time.Second}[w.rand.IntN(2)]
		for range 1 + w.rand.IntN(5) {
			w.runUntil(w.now+w.between(0, pace), w.never)
			w.happen()
			n++
		}
		rest := 2 * time.Second
		if w.chance(0.3) {
			rest = w.profile.recovery() * 3 / 2
		}
		w.runUntil(w.now+w.between(0, rest), w.never)
	}
}

func (w *world) never() bool { return false }

// happen lets one thing happen: planned changes always, faults in worlds that are not calm.
func (w *world) happen() {
	planned := []func(){w.join, w.join, w.leave, w.grow, w.commitNow, w.sicken}
	if w.profile.foreign {
		planned = append(planned, w.foreignComesOrGoes)
	}
	if w.profile.pattern {
		planned = append(planned, w.appear, w.change, w.change)
	}
	faults := []func(){
		w.killOne, w.freezeOne, w.freezeOne, w.breakOne, w.breakOne, w.deafenOne, w.slowOne, w.blockOne, w.failServer,
	}
	if w.profile.operated {
		faults = append(faults, w.seek, w.seek, w.garble)
	}
	if i := w.rand.IntN(len(planned) + len(faults)); i < len(planned) || w.profile.calm {
		planned[i%len(planned)]()
	} else {
		faults[i-len(planned)]()
	}
}

func (w *world) pick(alive bool) *pod {
	var candidates []*pod
	for _, pod := range w.pods {
		if pod.alive() == alive {
			candidates = append(candidates, pod)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	return candidates[w.rand.IntN(len(candidates))]
}

func (w *world) living() int {
	n := 0
	for _, pod := range w.pods {
		if pod.alive() {
			n++
		}
	}
	return n
}

func (w *world) join() {
	if pod := w.pick(false); pod != nil {
		w.start(pod)
	}
}

// leave lets a process go in order. A calm world keeps one, and does not ask for what is not planned: a group without
// members.
func (w *world) leave() {
	if pod := w.pick(true); pod != nil && (w.living() > 1 || w.chance(0.2)) {
		p := pod.process
		p.post(func() { p.step(group.Leave{}) })
	}
}

func (w *world) grow() {
	topic := w.rand.IntN(len(w.profile.topics))
	if w.profile.topics[topic] < 8 {
		log := w.addPartition(partitionName(topic, w.profile.topics[topic]))
		w.profile.topics[topic]++
		w.server.fire(layout.Topic(log.partition.Topic))
	}
}

func (w *world) commitNow() {
	if pod := w.pick(true); pod != nil {
		p := pod.process
		p.post(func() { p.step(group.CommitNow{}) })
	}
}

// sicken makes the sink fail for some partitions, for a while.
func (w *world) sicken() {
	kinds := []ailment{refusing, choking, choking, hanging, unsure, slow}
	if w.profile.calm {
		kinds = []ailment{refusing, slow, slow}
	}
	kind := kinds[w.rand.IntN(len(kinds))]
	for _, log := range w.logs {
		if w.chance(0.4) {
			w.sink.ill[log.partition] = illness{until: w.now + w.between(0, 5*time.Second), kind: kind}
		}
	}
}

// strike lets something befall a process: now, or while it waits for an answer.
func (w *world) strike(p *process, what func()) {
	if w.chance(0.5) {
		what()
		return
	}
	p.ambush = what
	p.ambushKind = []group.Command{nil, group.Claim{}, group.Claim{}, group.Transact{}, group.Probe{}}[w.rand.IntN(5)]
}

func (w *world) killOne() {
	if pod := w.pick(true); pod != nil {
		p := pod.process
		w.strike(p, func() {
			p.kill()
			if w.chance(0.5) {
				w.after(w.between(0, w.profile.session), func() { w.restart(pod) })
			}
		})
	}
}

// restart runs a pod unless it is running.
func (w *world) restart(pod *pod) {
	if !pod.alive() {
		w.start(pod)
	}
}

// freezeOne stops a process for a moment, for about as long as a lease or a session, or for much longer.
func (w *world) freezeOne() {
	if pod := w.pick(true); pod != nil {
		p := pod.process
		d := []time.Duration{
			w.between(0, time.Second),
			w.between(w.profile.session/2, w.profile.session+w.profile.tick*2),
			w.between(w.profile.session, 3*w.profile.session),
		}[w.rand.IntN(3)]
		w.strike(p, func() { p.freeze(d) })
	}
}

func (w *world) connected() *client {
	if pod := w.pick(true); pod != nil && pod.process.client.conn != nil {
		return pod.process.client
	}
	return nil
}

func (w *world) breakOne() {
	if c := w.connected(); c != nil {
		w.strike(c.process, func() { c.fall("loses its connection") })
	}
}

// fall takes the connection there is, if any.
func (c *client) fall(how string) {
	c.disturbance(c.process.name + " " + how)
	c.process.post(func() {
		if c.conn != nil {
			c.conn.lose()
		}
	})
}

// deafenOne lets a connection lose everything, so that its client finds out by itself.
func (w *world) deafenOne() {
	if c := w.connected(); c != nil {
		w.strike(c.process, func() {
			if c.conn != nil {
				w.disturbance(c.process.name + " is not heard any more")
				c.conn.deaf = true
			}
		})
	}
}

func (w *world) slowOne() {
	if c := w.connected(); c != nil {
		conn := c.conn
		conn.slow = w.between(0, w.profile.session/3)
		w.disturbance(c.process.name + " is slow")
		w.after(w.between(0, w.profile.session), func() {
			conn.slow = 0
			w.disturbance(c.process.name + " is slow no more")
		})
	}
}

// blockOne cuts a process off for a while, perhaps for longer than its session.
func (w *world) blockOne() {
	if c := w.connected(); c != nil {
		c.blocked = w.now + w.between(0, 2*w.profile.session)
		w.at(c.blocked, func() { w.disturbance(c.process.name + " is cut off no more") })
		c.fall("is cut off")
	}
}

func (w *world) failServer() {
	if !w.server.down {
		w.server.fail(w.between(0, w.profile.session*3/2))
	}
}
