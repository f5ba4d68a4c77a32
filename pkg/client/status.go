// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Status is what a consumer shows of itself.
type Status struct {
	group.Snapshot
	// Connected says that ZooKeeper answers. Fenced is false if its server has no transactions, so that a member that
	// slept through its session's end is not kept from writing.
	Connected, Fenced bool
	// SessionTimeout is the negotiated one, 0 without a session.
	SessionTimeout time.Duration
	// Warning says what about the session makes its lease unsound; empty if nothing does.
	Warning string
	// Err is why the cluster cannot be reached, nil if it can.
	Err error
	// TopicsErr is why topics that match the pattern may go unseen, nil if they do not.
	TopicsErr error
	// Beat is when the consumer's own goroutine last came round; it does so every second at least.
	Beat time.Time
	// Fetches are the partitions being fetched.
	Fetches map[kafka.Partition]FetchStatus
}

// FetchStatus is how far fetching has come.
type FetchStatus struct {
	// Next is the position to be fetched next; End the one that the next message written will get, -1 if unknown.
	Next, End int64
	// Err is why the last fetch failed, nil if it did not.
	Err error
}

// Status describes the consumer as of now.
func (c *Consumer) Status() Status {
	state := c.cluster.registry.State()
	c.mu.Lock()
	defer c.mu.Unlock()
	status := Status{
		Snapshot: c.member.Snapshot(), Connected: state.Connected, Fenced: state.Fenced, Warning: state.Warning,
		Err: c.cluster.Err(), TopicsErr: c.topicsErr, Beat: c.beat,
		Fetches: make(map[kafka.Partition]FetchStatus, len(c.sources)),
	}
	status.Problems = append(status.Problems, c.cluster.directory.malformed()...)
	if _, known := c.cluster.directory.era(); !known && state.Session != nil {
		status.RegisterErr = errDialect
	}
	if state.Session != nil {
		status.SessionTimeout = state.Session.Timeout()
	}
	for _, s := range c.sources {
		fetch := FetchStatus{Next: s.next.Load(), End: s.end.Load()}
		if err := s.failure.Load(); err != nil {
			fetch.Err = *err
		}
		status.Fetches[s.partition] = fetch
	}
	return status
}

func (c *Consumer) show(s *source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sources[s.lane] = s
}

func (c *Consumer) hide(s *source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sources, s.lane)
}
