// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// profile is what kind of world a seed is.
type profile struct {
	// calm worlds know planned changes only: nothing may be delivered twice in them.
	calm bool
	// session is the negotiated timeout, tick the server's: at most a third of it.
	session, tick time.Duration
	// latency is the most that a message usually takes one way.
	latency time.Duration
	// blind is the probability that a watch is lost.
	blind    float64
	strategy layout.Strategy
	start    kafka.Place
	// migrated groups had positions of an older consumer when they began.
	migrated bool
	// sparse logs have gaps between offsets.
	sparse        bool
	pods, members int
	topics        []int
	limits        sink.Limits
	commit, drain time.Duration
	// careless sinks go on with later messages after one that failed.
	careless bool
	// foreign worlds have a member that is not samsa's, for a while.
	foreign bool
	// operated worlds have an operator who writes positions, wrong ones too.
	operated bool
	// pattern worlds have a group that consumes a pattern: topics appear, and members change their minds.
	pattern bool
}

func draw(r *rand.Rand) profile {
	p := profile{
		calm:    r.IntN(4) == 0,
		session: time.Duration(3+r.IntN(4)) * time.Second,
		latency: time.Duration(1+r.IntN(15)) * time.Millisecond,
		blind:   []float64{0, 0, 0.1, 0.5, 1}[r.IntN(5)],
		start:   kafka.Earliest(), strategy: layout.Sticky,
		migrated: r.IntN(4) == 0,
		sparse:   r.IntN(2) == 0,
		pods:     2 + r.IntN(4),
		topics:   make([]int, 1+r.IntN(2)),
		commit:   time.Duration(100+r.IntN(900)) * time.Millisecond,
		drain:    time.Duration(2+r.IntN(6)) * time.Second,
		careless: r.IntN(2) == 0,
	}
	p.members = 1 + r.IntN(p.pods)
	p.tick = p.session / time.Duration(3+r.IntN(6))
	for i := range p.topics {
		p.topics[i] = 3 + r.IntN(6)
	}
	p.careless = p.careless && !p.calm // what it takes out of order is delivered again after a change of owner
	if r.IntN(2) == 0 {
		p.start = kafka.Latest()
	}
	if r.IntN(5) == 0 {
		p.strategy = layout.Range
	}
	p.limits.Messages = []int{0, 0, 1, 3}[r.IntN(4)]
	p.foreign = r.IntN(6) == 0
	p.operated = !p.calm && r.IntN(3) == 0
	return p
}

// recovery is how long a partition may be without an owner after the last fault, or in a calm world after any change:
// then nobody has to expire first. Lost watches cost what the next reading is away, half a session: once to learn of
// the change, once more to learn that somebody has let go.
func (p profile) recovery() time.Duration {
	bound := time.Second
	if !p.calm || p.foreign {
		bound += p.session + p.tick
	}
	if p.blind > 0 {
		bound += p.session
	}
	if p.pattern { // a topic is read of, and registered for, before all that
		bound += followPause + 20*p.latency
		if p.blind > 0 {
			bound += p.session / 2
		}
	}
	return bound
}

func (p profile) String() string {
	return fmt.Sprintf("calm=%t session=%s tick=%s latency=%s blind=%g strategy=%c latest=%t migrated=%t sparse=%t "+
		"pods=%d topics=%v limit=%d commit=%s drain=%s careless=%t foreign=%t operated=%t pattern=%t",
		p.calm, p.session, p.tick, p.latency, p.blind, p.strategy, p.start.IsLatest(), p.migrated, p.sparse, p.pods, p.topics,
		p.limits.Messages, p.commit, p.drain, p.careless, p.foreign, p.operated, p.pattern)
}
