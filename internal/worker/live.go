// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
)

// live is the Source of a worker that runs.
type live struct {
	config   Config
	consumer *client.Consumer
	pump     *pump.Pump
	now      func() time.Time
	tally    tally
	// reach is nil for a sink that is always there.
	reach *reach

	// mu protects what follows: the sessions seen so far.
	mu       sync.Mutex
	epoch    uint64
	sessions uint64
}

// Snapshot implements Source.
func (l *live) Snapshot() Observation {
	consumer, lanes := l.consumer.Status(), l.pump.Status()
	o := observe(consumer, lanes)
	o.At = l.now()
	o.Group, o.Name = l.config.GroupName(), l.config.Member
	o.Pattern = l.config.TopicPattern
	o.Session.Server, o.Session.Brokers = l.config.coordinator()
	o.Counters = l.tally.counters()
	l.tally.addJumps(o.Partitions)
	if l.reach != nil {
		o.Sink, o.SinkErr = l.reach.host, l.reach.err()
	}
	o.Counters.SessionExpirations = l.expirations(consumer.Epoch)
	if consumer.Rebalances > 0 {
		// Who came or went is not told apart (yet): the member compares what is with what should be.
		o.Counters.Rebalances = map[string]uint64{"assignment": uint64(consumer.Rebalances)}
	}
	return o
}

// expirations counts the sessions that were followed by another. The client numbers attempts, not sessions.
func (l *live) expirations(epoch uint64) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if epoch > l.epoch {
		l.epoch = epoch
		l.sessions++
	}
	return max(l.sessions, 1) - 1
}

// observe puts together what the consumer and the pump say.
func observe(consumer client.Status, lanes []pump.LaneStatus) Observation {
	o := Observation{
		Beat: consumer.Beat, ID: consumer.Member, Registered: consumer.Registered, Leaving: consumer.Leaving,
		Read: consumer.Observed, Begun: consumer.Begun,
		RegisterErr: consumer.RegisterErr, ReadErr: consumer.ObserveErr, BeginErr: consumer.BeginErr,
		Session: Connection{
			Connected: consumer.Connected, Epoch: consumer.Epoch, LeaseUntil: consumer.LeaseUntil,
			Timeout: consumer.SessionTimeout, Unfenced: !consumer.Fenced, Unsound: consumer.Warning, Err: consumer.Err,
		},
		Strategy: strategyName(consumer.Strategy), Why: consumer.Why, Missing: consumer.Missing,
		Topics: consumer.Topics, TopicsErr: consumer.TopicsErr,
	}
	for _, member := range consumer.Members {
		peer := Peer{ID: member.ID, Foreign: member.Foreign}
		for topic := range member.Topics {
			peer.Topics = append(peer.Topics, topic)
		}
		o.Members = append(o.Members, peer)
	}
	for _, problem := range consumer.Problems {
		o.Problems = append(o.Problems, Problem(problem))
	}
	byPartition := make(map[kafka.Partition]pump.LaneStatus, len(lanes))
	for _, lane := range lanes {
		byPartition[lane.Partition] = lane
	}
	for _, claim := range consumer.Claims {
		lane := laneOf(claim, consumer.LeaseHolds)
		if fetch, ok := consumer.Fetches[claim.Partition]; ok {
			lane.End, lane.Err = fetch.End, fetch.Err
		}
		if status, ok := byPartition[claim.Partition]; ok {
			lane.deliver(status)
		}
		o.Partitions = append(o.Partitions, lane)
	}
	return o
}

func strategyName(strategy layout.Strategy) string {
	switch strategy {
	case layout.Sticky:
		return string(AssignSticky)
	case layout.Range:
		return string(AssignRange)
	}
	return "" // nothing is known of the group yet
}

// laneOf describes a claim.
func laneOf(claim group.Claiming, leased bool) Lane {
	lane := Lane{Partition: claim.Partition, Acknowledged: -1, Committed: -1, End: -1, Trouble: claim.Trouble}
	switch claim.State {
	case group.Running:
		lane.State = Owned
		if !leased {
			lane.State = Paused
		}
		lane.Acknowledged, lane.Committed = claim.Acked, claim.Committed
	case group.Draining, group.Releasing:
		lane.State = Draining
		lane.Acknowledged, lane.Committed = claim.Acked, claim.Committed
	case group.Waiting:
		lane.State, lane.Holder = Waiting, claim.Holder
	case group.Placing:
		lane.State = Starting
	case group.Rereading:
		lane.State = Checking
	case group.Unclaimed:
		lane.State = Claiming
	}
	return lane
}

// deliver adds what the pump knows.
func (l *Lane) deliver(status pump.LaneStatus) {
	l.Acknowledged, l.Progress = status.Position, status.LastProgress
	l.BufferedMessages, l.BufferedBytes = status.BufferedMessages+status.Pending, status.BufferedBytes
	l.InFlight, l.Attempts, l.Trying = status.InFlight, status.Attempts, status.Trying
	if status.Attempts > 0 {
		l.Failure = fmt.Errorf("message %s: %w", status.Message, cmp.Or(status.Err, errNoReason))
	}
	if status.Blocked {
		l.Blocked = &Block{
			Message: status.Message, Since: status.Since, Attempts: status.Attempts, Reason: text(status.Err),
		}
	}
}

// errNoReason stands where a sink does not say why it failed.
var errNoReason = errors.New("the sink gives no reason")
