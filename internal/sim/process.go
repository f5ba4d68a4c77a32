// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// process is one run of a pod: the driver of a member and its lanes.
type process struct {
	*world
	name   string
	member *group.Member
	client *client
	lanes  map[int64]*runner
	// following is what it knows of topics, where its group consumes a pattern.
	following following
	// until is when the lease ends, in virtual time.
	until time.Duration

	dead, frozen, leaving, left bool
	wasCapable                  bool
	// inbox is what waits for a frozen process.
	inbox []func()

	// ambush happens while the next command of a kind waits for its answer, nil for nothing.
	ambush     func()
	ambushKind group.Command

	events   []group.Event
	stepping bool
	tickAt   time.Duration
	ticking  bool
	tick     int
	storms   int
}

// start runs a pod's process. A pod has one at a time.
func (w *world) start(pod *pod) {
	pod.runs++
	p := &process{world: w, name: pod.label(), lanes: map[int64]*runner{}}
	p.following.declined = map[string]bool{}
	topics := w.topicNames()
	if w.profile.pattern {
		topics = nil
	}
	p.member = group.New(group.Config{
		Group: groupName, Pod: pod.name, Topics: topics, Strategy: w.profile.strategy, Start: w.profile.start,
		CommitInterval: w.profile.commit, DrainTimeout: w.profile.drain, Rand: w.rand.Float64,
	})
	p.client = &client{world: w, process: p}
	pod.process = p
	w.processes = append(w.processes, p)
	w.record(processStarted{By: p.name})
	p.client.connect(time.Millisecond)
}

// post runs something in the process: later if it is frozen, never if it is dead.
func (p *process) post(run func()) {
	switch {
	case p.dead:
	case p.frozen:
		p.inbox = append(p.inbox, run)
	default:
		run()
	}
}

// later runs something in the process after a while.
func (p *process) later(d time.Duration, run func()) { p.after(d, func() { p.post(run) }) }

// kill ends the process at once. What it has sent goes on; its session goes when it expires.
func (p *process) kill() {
	if p.dead || p.left {
		return
	}
	p.dead = true
	p.record(processEnded{By: p.name, How: "killed"})
	p.disturbance(p.name + " is killed")
	for _, lane := range p.running() {
		lane.discard("killed")
	}
	if conn := p.client.conn; conn != nil {
		conn.up, conn.open = false, false
	}
}

// freeze stops the process for a while; then it wakes to everything that came meanwhile, its timers first or last. The
// library may find that its connection has been silent for too long before it reads what came.
func (p *process) freeze(d time.Duration) {
	if p.frozen || p.dead || p.left {
		return
	}
	p.frozen = true
	p.disturbance(p.name + " is frozen")
	p.after(d, func() {
		if p.dead {
			return
		}
		p.frozen = false
		p.disturbance(p.name + " wakes")
		inbox := p.inbox
		p.inbox = nil
		if conn := p.client.conn; conn != nil && p.chance(0.5) {
			conn.lose()
		}
		for _, run := range inbox {
			p.post(run)
		}
	})
}

// step feeds the member, one event after the other, and carries out what it asks for.
func (p *process) step(event group.Event) {
	p.events = append(p.events, event)
	if p.stepping {
		return
	}
	p.stepping = true
	for len(p.events) > 0 && !p.left && !p.dead {
		event, p.events = p.events[0], p.events[1:]
		p.steps++
		if _, ok := event.(group.Leave); ok {
			p.leaving = true
		}
		if p.options.Trace != nil {
			p.tracef("%s <- %s", p.name, describe(event))
		}
		for _, command := range append([]group.Command(nil), p.member.Step(p.clock(), event)...) {
			if p.options.Trace != nil {
				p.tracef("%s -> %s", p.name, describe(command))
			}
			p.execute(command)
		}
		p.watchStorm(event)
	}
	p.stepping = false
	p.schedule()
}

// watchStorm breaks the run if the member asks for one tick after the other without time passing.
func (p *process) watchStorm(event group.Event) {
	const most = 5
	next := p.member.Next()
	if next.IsZero() || next.After(p.clock()) {
		p.storms = 0
		return
	}
	if _, ok := event.(group.Tick); ok {
		p.storms++
	}
	if p.storms > most {
		p.breaks("ticks: %s asks for a tick again and again without making progress", p.name)
	}
}

// schedule sees to the tick that the member asks for.
func (p *process) schedule() {
	next := p.member.Next()
	if next.IsZero() || p.left || p.dead {
		p.ticking = false
		p.tick++
		return
	}
	at := max(p.now, next.Sub(birthday))
	if p.ticking && p.tickAt == at {
		return
	}
	p.ticking, p.tickAt = true, at
	p.tick++
	tick := p.tick
	p.at(at, func() {
		p.post(func() {
			if p.tick == tick {
				p.ticking = false
				p.step(group.Tick{})
			}
		})
	})
}

func (p *process) sessionUp() {
	p.step(group.SessionUp{Epoch: p.client.epoch, ID: p.client.session, Timeout: p.profile.session})
	p.follow(0)
}

func (p *process) sessionLost() { p.step(group.SessionLost{Epoch: p.client.epoch}) }

func (p *process) hint() { p.step(group.Hint{Epoch: p.client.epoch}) }

func (p *process) holds() bool { return p.now < p.until }

// execute carries out a command at once, or begins to.
func (p *process) execute(command group.Command) {
	switch command := command.(type) {
	case group.Start:
		p.begin(command)
	case group.Drain:
		p.lanes[command.Lane].drain()
	case group.Cut:
		p.lanes[command.Lane].cut()
	case group.Stop:
		p.lanes[command.Lane].discard("stopped")
	case group.Extend:
		if until := command.Until.Sub(birthday); until > p.now {
			p.until = until
		}
	case group.Pause:
		p.until = 0
		p.each((*runner).pause)
	case group.Resume:
		p.each((*runner).resume)
	case group.Collect:
		p.step(p.collect())
	case group.Abandon:
		p.until = 0
		p.client.abandon()
	case group.Left:
		p.leave()
	case group.Resolve:
		p.resolve(command)
	default:
		p.ask(command)
	}
}

func (p *process) leave() {
	p.left = true
	p.until = 0
	p.record(processEnded{By: p.name, How: "left"})
	p.client.closed = true
	p.client.close(func() {})
}

func (p *process) collect() group.Event {
	var collected group.Collected
	for _, r := range p.running() {
		collected.Progress = append(collected.Progress, group.Progress{Lane: r.number, Position: r.lane.Position()})
	}
	return collected
}

// resolve asks the brokers, who may not answer, or not for all.
func (p *process) resolve(command group.Resolve) {
	answer := group.Resolved{Place: command.Place, Positions: map[kafka.Partition]int64{}}
	fails := !p.profile.calm && p.chance(0.1)
	p.after(p.between(p.profile.latency, 4*p.profile.latency), func() {
		for _, partition := range command.Partitions {
			log := p.byName[partition]
			if log == nil || fails && p.chance(0.5) {
				answer.Answer = group.Answer{Outcome: group.Unavailable, Err: errUnavailable}
				continue
			}
			answer.Positions[partition] = log.first()
			if command.Place.IsLatest() {
				answer.Positions[partition] = log.end()
			}
		}
		if fails {
			p.disturbance("the brokers do not answer")
		}
		p.later(p.between(p.profile.latency, 4*p.profile.latency), func() { p.step(answer) })
	})
}

// capable reports whether nothing keeps the process from its work.
func (p *process) capable() bool {
	connected := p.client.conn != nil && !p.client.conn.deaf
	return connected && !p.dead && !p.frozen && !p.left && !p.leaving
}

// owns reports whether the process looks after a partition that its session has claimed.
func (p *process) owns(partition kafka.Partition, node *znode) bool {
	if p.dead || p.frozen || p.left || node.owner != p.client.session {
		return false
	}
	for _, r := range p.lanes {
		if r.token == node.czxid {
			return true
		}
	}
	for _, claim := range p.member.Snapshot().Claims {
		if claim.Partition == partition {
			return claim.Token == node.czxid
		}
	}
	return false
}

func (w *world) topicNames() []string {
	names := make([]string, len(w.profile.topics))
	for i := range names {
		names[i] = topicName(i)
	}
	return names
}

func (w *world) ownerNode(p kafka.Partition) *znode {
	return w.server.nodes[layout.Owner(groupName, p)]
}
