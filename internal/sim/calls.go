// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"reflect"
	"slices"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var (
	errUnavailable = errors.New("no answer")
	errRefused     = errors.New("refused")
	errMalformed   = errors.New("not a position")
)

// answersPerSession bounds a command as the real driver does: a third of a session.
const answersPerSession = 3

// call is a command that is being carried out: some requests, one after the other, and one answer.
type call struct {
	*process
	command group.Command
	session int64
	over    bool
}

// ask carries out a command that only the server can answer. Each runs on its own, so two that were asked for at once
// may change places.
func (p *process) ask(command group.Command) {
	c := &call{process: p, command: command, session: p.client.session}
	p.later(p.profile.session/answersPerSession, c.fail)
	p.later(p.between(0, p.profile.latency/8), c.run)
	p.fallIntoAmbush(command)
}

func (p *process) fallIntoAmbush(command group.Command) {
	ambush := p.ambush
	if ambush == nil || p.ambushKind != nil && reflect.TypeOf(command) != reflect.TypeOf(p.ambushKind) {
		return
	}
	p.ambush = nil
	p.after(p.between(0, 2*p.profile.latency), ambush)
}

func (c *call) run() {
	switch command := c.command.(type) {
	case group.Register:
		c.register(command)
	case group.Probe:
		c.probe(command)
	case group.Observe:
		c.observe(command)
	case group.Claim:
		c.claim(command)
	case group.Transact:
		c.transact(command)
	case group.Read:
		c.read(command.Partition, func(r group.Reread) {
			r.Epoch = command.Epoch
			c.finish(r)
		})
	case group.Unregister:
		c.unregister(command)
	}
}

// send sends a request; then goes on with the answer.
func (c *call) send(carryOut func(session int64), then func()) { c.sendIn(0, carryOut, then) }

// sendIn sends a request in one session only.
func (c *call) sendIn(session int64, carryOut func(session int64), then func()) {
	if c.over {
		return
	}
	c.client.send(&request{carryOut: carryOut, bound: session, answer: func(ok bool) {
		switch {
		case c.over:
		case ok:
			then()
		default:
			c.fail()
		}
	}})
}

// finish answers the command, unless it was answered.
func (c *call) finish(event group.Event) {
	if !c.over {
		c.over = true
		c.step(event)
	}
}

// fail answers that nobody knows.
func (c *call) fail() {
	if c.over {
		return
	}
	c.disturbance(c.name + " has no answer")
	answer := group.Answer{Outcome: group.Unavailable, Err: errUnavailable}
	switch command := c.command.(type) {
	case group.Register:
		c.finish(group.Registered{Epoch: command.Epoch, Answer: answer})
	case group.Probe:
		c.finish(group.Probed{Epoch: command.Epoch, Answer: answer})
	case group.Observe:
		c.finish(group.Observed{Epoch: command.Epoch, Answer: answer})
	case group.Claim:
		c.finish(group.Claimed{Epoch: command.Epoch, Partition: command.Partition, Answer: answer})
	case group.Transact:
		c.finish(group.Transacted{Epoch: command.Epoch, ID: command.ID, Answer: answer})
	case group.Read:
		c.finish(group.Reread{Epoch: command.Epoch, Partition: command.Partition, Answer: answer})
	case group.Unregister:
		c.finish(group.Unregistered{Epoch: command.Epoch, Answer: answer})
	}
}

func (c *call) register(command group.Register) {
	path := layout.Member(groupName, command.ID)
	answer := group.Answer{}
	c.sendIn(c.session, func(session int64) {
		switch node := c.server.nodes[path]; {
		case node == nil:
			c.server.make(path, command.Data, session)
		case node.owner != session:
			answer = group.Answer{Outcome: group.Conflict, Err: errRefused}
		}
	}, func() { c.finish(group.Registered{Epoch: command.Epoch, Answer: answer}) })
}

func (c *call) probe(command group.Probe) {
	probed := group.Probed{Epoch: command.Epoch, Sent: c.clock()}
	c.send(func(session int64) {
		node := c.server.nodes[layout.Member(groupName, command.ID)]
		if node == nil || node.owner != session {
			probed.Answer = group.Answer{Outcome: group.Gone, Err: errRefused}
		}
	}, func() { c.finish(probed) })
}

func (c *call) unregister(command group.Unregister) {
	path := layout.Member(groupName, command.ID)
	c.send(func(int64) {
		if c.server.nodes[path] != nil {
			c.server.remove(path)
		}
	}, func() { c.finish(group.Unregistered{Epoch: command.Epoch}) })
}

// observe reads in three parts, at three times, as the real one does in many.
func (c *call) observe(command group.Observe) {
	view := layout.View{Partitions: map[string][]kafka.Partition{}, Owners: map[kafka.Partition]layout.Ownership{}}
	c.send(func(session int64) { c.viewMembers(session, &view) }, func() {
		c.send(func(session int64) { c.viewTopics(session, &view, command.Topics) }, func() {
			c.send(func(session int64) { c.viewOwners(session, &view, command) }, func() {
				c.finish(group.Observed{Epoch: command.Epoch, View: view})
			})
		})
	})
}

func (c *call) watchOn(session int64, path string) {
	c.server.watchOn(path, c.server.sessions[session].conn)
}

func (c *call) viewMembers(session int64, view *layout.View) {
	c.watchOn(session, layout.Members(groupName))
	for _, path := range c.server.children(layout.Members(groupName)) {
		if member := c.server.nodes[path].member; member != nil {
			view.Members = append(view.Members, *member)
		}
	}
}

func (c *call) viewTopics(session int64, view *layout.View, topics []string) {
	for _, topic := range topics {
		c.watchOn(session, layout.Topic(topic))
		for _, log := range c.logs {
			if log.partition.Topic == topic {
				view.Partitions[topic] = append(view.Partitions[topic], log.partition)
			}
		}
	}
}

func (c *call) viewOwners(session int64, view *layout.View, command group.Observe) {
	for _, p := range command.Partitions {
		c.watchOn(session, layout.Owner(groupName, p))
	}
	for _, p := range slices.Concat(command.Partitions, command.Others) {
		path := layout.Owner(groupName, p)
		if node := c.server.nodes[path]; node != nil {
			view.Owners[p] = layout.Ownership{Thread: string(node.data), Session: node.owner, Token: node.czxid}
		}
	}
	view.Begun = c.server.nodes[layout.Birth(groupName)] != nil
}

// transact runs a transaction. That the first operation is refused means that the registration is gone.
func (c *call) transact(command group.Transact) {
	c.txn(command.Txn, func(v verdict) {
		c.finish(group.Transacted{Epoch: command.Epoch, ID: command.ID, Versions: v.versions, Answer: v.answer()})
	})
}

func (c *call) txn(txn layout.Txn, then func(verdict)) {
	for _, op := range txn {
		if p, ok := c.server.offsets[op.Path]; ok && op.Kind == layout.Set {
			position, _ := layout.ParseOffset(op.Data)
			c.asked[place{p, position}] = true
		}
	}
	var v verdict
	from := origin{by: c.name, session: c.session}
	c.send(func(session int64) { v = c.server.transact(from, session, txn) }, func() {
		for i, op := range txn {
			if p, ok := c.server.offsets[op.Path]; ok && v.refused < 0 && op.Kind != layout.Check {
				c.record(saw{By: c.name, Partition: p, Zxid: v.zxids[i]})
			}
		}
		then(v)
	})
}

func (v verdict) answer() group.Answer {
	switch {
	case v.refused < 0:
		return group.Answer{}
	case v.refused == 0:
		return group.Answer{Outcome: group.Gone, Err: errRefused}
	}
	return group.Answer{Outcome: group.Conflict, Index: v.refused, Err: errRefused}
}

// claim takes a partition, then reads who owns it and where it stands. That it is ours already is success.
func (c *call) claim(command group.Claim) {
	c.txn(command.Txn, func(v verdict) {
		if v.refused == 0 {
			c.finish(group.Claimed{Epoch: command.Epoch, Partition: command.Partition, Answer: v.answer()})
			return
		}
		c.read(command.Partition, func(r group.Reread) {
			claimed := group.Claimed{
				Epoch: command.Epoch, Partition: command.Partition, Token: r.Token,
				Placed: r.Placed, Offset: r.Offset, Version: r.Version, Answer: r.Answer,
			}
			if r.Session != c.session || r.Thread != layout.Thread(command.Member) {
				claimed.Answer = group.Answer{Outcome: group.Conflict, Index: 1, Err: errRefused}
				claimed.Holder = r.Thread
			}
			c.finish(claimed)
		})
	})
}

// read reads a claim, and then the position.
func (c *call) read(p kafka.Partition, then func(group.Reread)) {
	reread := group.Reread{Partition: p}
	c.send(func(int64) {
		if node := c.ownerNode(p); node != nil {
			reread.Session, reread.Thread, reread.Token = node.owner, string(node.data), node.czxid
		}
	}, func() {
		var seen *saw
		c.send(func(int64) {
			node := c.server.nodes[layout.Offset(groupName, p)]
			if node == nil {
				return
			}
			offset, err := layout.ParseOffset(node.data)
			if err != nil {
				reread.Answer = group.Answer{Outcome: group.Malformed, Err: errMalformed}
				return
			}
			reread.Placed, reread.Offset, reread.Version = true, offset, node.version
			seen = &saw{By: c.name, Partition: p, Zxid: node.mzxid}
		}, func() {
			if seen != nil && !c.over {
				c.record(*seen)
			}
			then(reread)
		})
	})
}
