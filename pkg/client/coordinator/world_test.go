// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// world is a simulation: a coordinator, members of samsa's, strangers, and a network that is slow and loses things. All
// of it follows from a seed.
type world struct {
	rand   *rand.Rand
	now    time.Time
	queue  schedule
	serial int
	broker *broker
	nodes  []*node
	topics map[string]int
	start  kafka.Place
	// loss is how much of what is sent gets lost, each way.
	loss float64
	// slow is how many of the lanes take seconds for a message, slowest how many at most.
	slow    float64
	slowest time.Duration
	// frontier is up to where everything of a partition was delivered, by anybody.
	frontier map[kafka.Partition]int64
	// begin is where the group began, as it was first committed; head where logs ended when somebody last asked.
	begin, head map[kafka.Partition]int64
	repeated    int
	failures    []string
	trace       []string
}

type action struct {
	at     time.Time
	serial int
	do     func()
}

type schedule []action

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	return s[i].at.Before(s[j].at) || s[i].at.Equal(s[j].at) && s[i].serial < s[j].serial
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(action)) } //nolint:forcetypeassert // only actions
func (s *schedule) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

func newWorld(seed uint64) *world {
	w := &world{
		rand: rand.New(rand.NewPCG(seed, 7)), now: time.Unix(1_800_000_000, 0), //nolint:gosec // a simulation
		topics: map[string]int{"t": 8}, start: kafka.Earliest(), slow: 0.1,
		slowest:  9 * time.Second,
		frontier: map[kafka.Partition]int64{}, begin: map[kafka.Partition]int64{},
		head: map[kafka.Partition]int64{},
	}
	w.broker = &broker{
		world: w, state: "Empty", members: map[string]*enrolled{}, pending: map[string]bool{},
		offsets: map[kafka.Partition]int64{},
	}
	w.every(50*time.Millisecond, func() { w.broker.tick() })
	return w
}

func (w *world) after(d time.Duration, do func()) {
	w.serial++
	heap.Push(&w.queue, action{w.now.Add(d), w.serial, do})
}

func (w *world) every(d time.Duration, do func()) {
	w.after(d, func() {
		do()
		w.every(d, do)
	})
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.queue) > 0 && !w.queue[0].at.After(end) && len(w.failures) == 0 {
		next := heap.Pop(&w.queue).(action) //nolint:forcetypeassert // only actions
		w.now = next.at
		next.do()
	}
	if len(w.failures) == 0 {
		w.now = end
	}
}

func (w *world) latency() time.Duration {
	d := time.Millisecond + time.Duration(w.rand.Int64N(int64(10*time.Millisecond)))
	if w.rand.Float64() < 0.02 {
		d += time.Duration(w.rand.Int64N(int64(2 * time.Second)))
	}
	return d
}

func (w *world) fail(format string, args ...any) {
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}

func (w *world) log(format string, args ...any) {
	w.trace = append(w.trace, w.now.Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

// settled is called when the coordinator has given out partitions: none twice.
func (w *world) settled(b *broker) {
	owner := map[kafka.Partition]string{}
	for _, member := range b.sorted() {
		assigned, _ := decodeAssignment(member.assignment)
		for partition := range assigned {
			if other := owner[partition]; other != "" {
				w.fail("%s fell to both %s and %s", partition, other, member.id)
			}
			owner[partition] = member.id
		}
	}
	w.log("generation %d by %s: %v", b.generation, b.protocol, owner)
}

// committed checks that nothing undelivered is behind a commit.
func (w *world) committed(member string, position Position, before int64) {
	if _, begun := w.broker.offsets[position.Partition]; !begun {
		w.begin[position.Partition] = position.Offset
	}
	if position.Offset > max(w.frontier[position.Partition], w.begin[position.Partition]) {
		w.fail("%s committed %s at %d, and only what is before %d was delivered (committed before: %d)",
			member, position.Partition, position.Offset, w.frontier[position.Partition], before)
	}
}

// node is a member with its process: it can freeze, die and leave.
type node struct {
	world  *world
	name   string
	member *Member
	frozen time.Time
	dead   bool
	gone   bool
	clean  bool
	until  time.Time
	paused bool
	lanes  map[int64]*run
	tick   time.Time
	// behind is whom the node takes for the coordinator until then.
	behind      *broker
	behindUntil time.Time
}

// route is the coordinator as the node knows it.
func (n *node) route() *broker {
	if n.behind != nil && n.world.now.Before(n.behindUntil) {
		return n.behind
	}
	return n.world.broker
}

type run struct {
	partition kafka.Partition
	position  int64
	draining  bool
	slow      time.Duration
	busy      bool
	ended     bool
}

func (w *world) spawn(name string) *node {
	n := &node{world: w, name: name, lanes: map[int64]*run{}, member: New(Config{
		Group: "g", Pod: name, Topics: []string{"t"}, Strategy: layout.Sticky, Start: w.start,
		Session: 6 * time.Second, CommitInterval: time.Second, DrainTimeout: 10 * time.Second, Rand: w.rand.Float64,
	})}
	w.nodes = append(w.nodes, n)
	n.step(group.Tick{})
	return n
}

// receive hands an event over once the process is awake.
func (n *node) receive(event group.Event) {
	if n.dead || n.gone {
		return
	}
	if n.world.now.Before(n.frozen) {
		n.world.after(n.frozen.Sub(n.world.now), func() { n.receive(event) })
		return
	}
	if drained, ok := event.(group.Drained); ok {
		delete(n.lanes, drained.Lane)
	}
	n.step(event)
}

func (n *node) step(event group.Event) {
	for event != nil {
		commands := append([]group.Command(nil), n.member.Step(n.world.now, event)...)
		event = nil
		for _, command := range commands {
			if _, ok := command.(group.Collect); ok {
				collected := group.Collected{}
				for lane, r := range n.lanes {
					collected.Progress = append(collected.Progress, group.Progress{Lane: lane, Position: r.position})
				}
				event = collected
				continue
			}
			n.execute(command)
		}
	}
	n.plan()
}

func (n *node) plan() {
	next := n.member.Next()
	if next.IsZero() || next.Equal(n.tick) {
		return
	}
	if !next.After(n.world.now) { // nothing would be different then: its process would do nothing else
		n.world.fail("%s asks for a tick at once, after all was done", n.name)
		return
	}
	n.tick = next
	n.world.after(next.Sub(n.world.now), func() {
		if n.tick.Equal(next) {
			n.tick = time.Time{}
			n.receive(group.Tick{})
		}
	})
}

// ask sends a request, and the answer back; either may be lost, and then the answer is that there was none.
func (n *node) ask(timeout time.Duration, none group.Event, request func(reply func(group.Event))) {
	w, done := n.world, false
	answer := func(event group.Event) {
		if !done {
			done = true
			n.receive(event)
		}
	}
	w.after(timeout, func() { answer(none) })
	if w.rand.Float64() < w.loss {
		return
	}
	w.after(w.latency(), func() {
		request(func(event group.Event) {
			if w.rand.Float64() >= w.loss {
				w.after(w.latency(), func() { answer(event) })
			}
		})
	})
}

var errNone = fmt.Errorf("no answer")

func (n *node) execute(command group.Command) {
	w, b, sent := n.world, n.route(), n.world.now
	none := Answer{Unavailable, errNone}
	switch command := command.(type) {
	case Join:
		n.ask(20*time.Second, Joined{Serial: command.Serial, Answer: none}, func(reply func(group.Event)) {
			b.join(ClientPrefix+n.name, command, func(j Joined) {
				j.Serial, j.Sent = command.Serial, sent
				reply(j)
			})
		})
	case Sync:
		n.ask(10*time.Second, Synced{Serial: command.Serial, Answer: none}, func(reply func(group.Event)) {
			b.sync(command, func(s Synced) {
				s.Serial = command.Serial
				reply(s)
			})
		})
	case Beat:
		n.ask(2*time.Second, Beaten{Member: command.Member, Generation: command.Generation, Sent: sent, Answer: none},
			func(reply func(group.Event)) {
				reply(Beaten{
					Member: command.Member, Generation: command.Generation, Sent: sent, Answer: Answer{Verdict: b.beat(command)},
				})
			})
	case Describe:
		n.ask(2*time.Second, Described{Serial: command.Serial, Answer: none}, func(reply func(group.Event)) {
			reply(Described{Serial: command.Serial, View: b.describe()})
		})
	case Locate:
		n.ask(2*time.Second, Located{Serial: command.Serial, Answer: none}, func(reply func(group.Event)) {
			located := Located{Serial: command.Serial, Positions: map[kafka.Partition]int64{}, Any: len(b.offsets) > 0}
			for _, partition := range command.Partitions {
				if offset, ok := b.offsets[partition]; ok {
					located.Positions[partition] = offset
				}
			}
			reply(located)
		})
	case Commit:
		n.ask(2*time.Second, Committed{Serial: command.Serial, Sent: sent, Answer: none}, func(reply func(group.Event)) {
			reply(Committed{Serial: command.Serial, Sent: sent, Answer: Answer{Verdict: b.commit(command)}})
		})
	case Survey:
		n.ask(2*time.Second, Surveyed{Answer: none}, func(reply func(group.Event)) {
			surveyed := Surveyed{Partitions: map[string][]kafka.Partition{}}
			for _, topic := range command.Topics {
				surveyed.Partitions[topic] = nil
				for i := range w.topics[topic] {
					surveyed.Partitions[topic] = append(surveyed.Partitions[topic], partitionOf(topic, int32(i))) //nolint:gosec // few
				}
			}
			reply(surveyed)
		})
	case Depart:
		n.ask(2*time.Second, Departed{Answer: none}, func(reply func(group.Event)) {
			reply(Departed{Answer: Answer{Verdict: b.leave(command.Member)}})
		})
	case group.Resolve:
		n.ask(2*time.Second, group.Resolved{Place: command.Place, Answer: group.Answer{Outcome: group.Unavailable}},
			func(reply func(group.Event)) { reply(w.resolve(command)) })
	default:
		n.obey(command)
	}
}

// resolve says where logs begin, which is at 0, and end: further on each time.
func (w *world) resolve(command group.Resolve) group.Resolved {
	resolved := group.Resolved{Place: command.Place, Positions: map[kafka.Partition]int64{}}
	for _, partition := range command.Partitions {
		resolved.Positions[partition] = 0
		if !command.Place.IsEarliest() {
			w.head[partition] = max(w.frontier[partition], w.head[partition]) + 1 + w.rand.Int64N(10)
			resolved.Positions[partition] = w.head[partition]
		}
	}
	return resolved
}

// obey carries out what concerns the lanes.
func (n *node) obey(command group.Command) {
	switch command := command.(type) {
	case group.Start:
		r := &run{partition: command.Partition, position: command.Position}
		n.world.log("%s starts %s at %d", n.name, command.Partition, command.Position)
		if front := max(n.world.frontier[command.Partition], n.world.begin[command.Partition]); command.Position > front {
			n.world.fail("%s starts %s at %d, skipping from %d", n.name, command.Partition, command.Position, front)
		}
		if n.world.rand.Float64() < n.world.slow {
			r.slow = time.Duration(n.world.rand.Int64N(int64(n.world.slowest)))
		}
		n.lanes[command.Lane] = r
		n.deliver(command.Lane, r)
	case group.Drain:
		n.world.log("%s drains %s", n.name, n.lanes[command.Lane].partition)
		n.lanes[command.Lane].draining = true
		n.settle(command.Lane)
	case group.Cut:
		n.lanes[command.Lane].busy = false
		n.settle(command.Lane)
	case group.Stop:
		n.world.log("%s stops %s", n.name, n.lanes[command.Lane].partition)
		delete(n.lanes, command.Lane)
	case group.Extend:
		n.until = command.Until
	case group.Pause:
		n.paused = true
		n.until = time.Time{}
	case group.Resume:
		n.paused = false
	case group.Left:
		n.gone, n.clean = true, command.Clean
		n.world.log("%s left, clean: %v", n.name, command.Clean)
	}
}

func (n *node) settle(lane int64) {
	r := n.lanes[lane]
	if r == nil || !r.draining || r.busy || r.ended {
		return
	}
	r.ended = true
	position := r.position
	n.world.after(0, func() { n.receive(group.Drained{Progress: group.Progress{Lane: lane, Position: position}}) })
}

// deliver hands out one message after the other, as long as the lane runs: each takes a while, and then it is
// acknowledged if the lease still holds.
func (n *node) deliver(lane int64, r *run) {
	w := n.world
	pace := 20*time.Millisecond + time.Duration(w.rand.Int64N(int64(200*time.Millisecond))) + r.slow
	w.after(pace/2, func() {
		if n.dead || n.lanes[lane] != r {
			return
		}
		if w.now.Before(n.frozen) || n.paused || r.draining || !w.now.Before(n.until) {
			if !r.draining {
				n.deliver(lane, r)
			}
			return
		}
		n.hand(r)
		r.busy = true
		w.after(pace/2, func() { n.acknowledge(lane, r) })
	})
}

func (n *node) acknowledge(lane int64, r *run) {
	w := n.world
	if n.dead || n.lanes[lane] != r {
		return
	}
	if w.now.Before(n.frozen) {
		w.after(n.frozen.Sub(w.now), func() { n.acknowledge(lane, r) })
		return
	}
	if !r.busy { // cut
		return
	}
	r.busy = false
	r.position++
	w.frontier[r.partition] = max(w.frontier[r.partition], r.position)
	n.settle(lane)
	if n.lanes[lane] == r {
		n.deliver(lane, r)
	}
}

// hand begins a delivery: nobody else of samsa's may be able to begin one of the same partition at this very time.
func (n *node) hand(r *run) {
	w := n.world
	if r.position < w.frontier[r.partition] {
		w.repeated++
		w.log("%s repeats %s/%d", n.name, r.partition, r.position)
	}
	for _, other := range w.nodes {
		if other == n || other.dead || !w.now.Before(other.until) {
			continue
		}
		for _, theirs := range other.lanes {
			if theirs.partition == r.partition && !theirs.ended {
				w.fail("%s and %s deliver %s at once", n.name, other.name, r.partition)
			}
		}
	}
}

// kill ends a process without a word.
func (n *node) kill() {
	n.dead = true
	n.world.log("%s is killed", n.name)
}

func (n *node) freeze(d time.Duration) {
	n.frozen = n.world.now.Add(d)
	n.world.log("%s freezes for %v", n.name, d)
}

func (n *node) leave() { n.receive(group.Leave{}) }

func (n *node) alive() bool { return !n.dead && !n.gone }

// running counts, of each partition, the members that run it.
func (w *world) running() map[kafka.Partition]int {
	running := map[kafka.Partition]int{}
	for _, n := range w.nodes {
		if n.alive() {
			for _, r := range n.lanes {
				running[r.partition]++
			}
		}
	}
	return running
}

// report is what went wrong and how it came to that.
func (w *world) report() string {
	return strings.Join(w.failures, "\n") + "\n" + strings.Join(w.trace[max(0, len(w.trace)-60):], "\n")
}
