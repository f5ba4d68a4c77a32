// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// stranger is a member that is not samsa's: it offers one protocol of Kafka's own, holds what it is given, and joins
// every round at once. It delivers nothing.
type stranger struct {
	world      *world
	name       string
	id         string
	generation int32
	gone       bool
}

func (w *world) stranger(name string) *stranger {
	s := &stranger{world: w, name: name}
	s.join()
	w.every(500*time.Millisecond, s.beat)
	return s
}

func (s *stranger) later(do func()) {
	s.world.after(s.world.latency(), func() {
		if !s.gone {
			do()
		}
	})
}

func (s *stranger) join() {
	s.generation = 0
	command := Join{
		Member: s.id, Session: 6 * time.Second, Rebalance: 30 * time.Second,
		Protocols: []Protocol{{"range", kgo.RangeBalancer().JoinGroupMetadata([]string{"t"}, nil, -1)}},
	}
	s.later(func() {
		s.world.broker.join("theirs", command, func(joined Joined) { s.later(func() { s.joined(joined) }) })
	})
}

func (s *stranger) joined(joined Joined) {
	s.id = joined.Member
	switch joined.Verdict {
	case Accepted:
	case Named:
		s.join()
		return
	default:
		s.id = ""
		s.world.after(time.Second, func() { s.later(s.join) })
		return
	}
	sync := Sync{Member: s.id, Generation: joined.Generation, Protocol: joined.Protocol}
	if joined.Leads {
		partitions := map[string][]kafka.Partition{}
		for i := range s.world.topics["t"] {
			partitions["t"] = append(partitions["t"], partitionOf("t", int32(i))) //nolint:gosec // a few
		}
		sync.Shares, _ = assign(joined.Protocol, joined.Members, partitions)
	}
	s.later(func() {
		s.world.broker.sync(sync, func(synced Synced) {
			s.later(func() {
				if synced.Verdict != Accepted {
					s.join()
					return
				}
				s.generation = joined.Generation
			})
		})
	})
}

func (s *stranger) beat() {
	if s.gone || s.generation == 0 {
		return
	}
	if verdict := s.world.broker.beat(Beat{Member: s.id, Generation: s.generation}); verdict != Accepted {
		if verdict == Expelled {
			s.id = ""
		}
		s.join()
	}
}

func (s *stranger) leave() {
	s.gone = true
	s.world.broker.leave(s.id)
}

func TestStrangersThatComeInBetweenMakeNoTwoOwners(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed)
			if seed%2 == 1 {
				w.start = kafka.Latest()
			}
			var alive []*node
			var strangers []*stranger
			for step := range 12 {
				shake(w, &alive, step)
				w.run(time.Duration(w.rand.Int64N(int64(500 * time.Millisecond)))) // into the round that follows
				if len(strangers) > 0 && w.rand.Float64() < 0.6 {
					strangers[0].leave()
					strangers = strangers[1:]
				} else {
					strangers = append(strangers, w.stranger("theirs"))
				}
				w.run(time.Duration(w.rand.Int64N(int64(15 * time.Second))))
				check(t, w)
			}
			for _, s := range strangers {
				s.leave()
			}
			settle(t, w, 90*time.Second)
			w.run(10 * time.Second)
			check(t, w)
		})
	}
}

func TestStrangersThatComeAndGoMakeNothingRepeat(t *testing.T) {
	for seed := range uint64(15) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed)
			w.spawn("a")
			w.spawn("b")
			w.run(20 * time.Second)
			s := w.stranger("theirs")
			w.run(25 * time.Second)
			w.spawn("c")
			w.run(25 * time.Second)
			if running := len(w.running()); running == 0 || running == w.topics["t"] {
				t.Fatalf("%d partitions run beside a stranger\n%s", running, w.report())
			}
			s.leave()
			w.run(25 * time.Second)
			settle(t, w, 20*time.Second)
			check(t, w)
			if w.repeated > 0 {
				t.Fatalf("%d deliveries were repeated\n%s", w.repeated, w.report())
			}
		})
	}
}

// Who kept its partitions into a round that ends with a protocol that gives them away drops them, and does not drain:
// who gets them waits for its lease, and for no drain.
func TestAStrangerInTheMiddleOfARound(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed)
			w.slow, w.slowest = 0.9, 18*time.Second
			w.spawn("a")
			w.spawn("b")
			w.run(30 * time.Second)
			w.spawn("c")
			w.run(200*time.Millisecond + time.Duration(w.rand.Int64N(int64(time.Second))))
			w.stranger("theirs")
			w.run(30 * time.Second)
			check(t, w)
		})
	}
}

// The coordinator moves, and some members go on talking to the old one, which answers heartbeats as if nothing had
// happened.
func TestADeposedCoordinatorMakesNoTwoOwners(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed)
			nodes := []*node{w.spawn("a"), w.spawn("b"), w.spawn("c")}
			w.run(15 * time.Second)
			for range 3 {
				w.run(time.Duration(w.rand.Int64N(int64(5 * time.Second))))
				old := w.broker
				w.broker = old.depose()
				stuck := slices.Clone(nodes)[:1+w.rand.IntN(2)]
				for _, n := range stuck {
					n.behind, n.behindUntil = old, w.now.Add(25*time.Second)
				}
				w.run(40 * time.Second)
				check(t, w)
			}
			settle(t, w, 60*time.Second)
			check(t, w)
		})
	}
}
