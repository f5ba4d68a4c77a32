// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Status is what a consumer shows of itself.
type Status struct {
	group.Snapshot
	// Connected says that ZooKeeper answers, or the group's coordinator. Fenced is false if ZooKeeper's server has no
	// transactions, so that a member that slept through its session's end is not kept from writing.
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
	connection, unjoined := c.connection()
	c.mu.Lock()
	defer c.mu.Unlock()
	status := connection
	status.Snapshot, status.TopicsErr, status.Beat = c.member.Snapshot(), c.topicsErr, c.beat
	status.Fetches = make(map[kafka.Partition]FetchStatus, len(c.sources))
	if unjoined != nil {
		status.RegisterErr = unjoined
	}
	status.Problems = append(status.Problems, c.cluster.directory.malformed()...)
	for _, s := range c.sources {
		fetch := FetchStatus{Next: s.next.Load(), End: s.end.Load()}
		if err := s.failure.Load(); err != nil {
			fetch.Err = *err
		}
		status.Fetches[s.partition] = fetch
	}
	return status
}

// connection describes the way to where the group is kept, and why it cannot be joined yet, nil if it can.
func (c *Consumer) connection() (status Status, unjoined error) {
	status.Err = c.cluster.Err()
	if c.config.Coordination == CoordinationKafka {
		return c.coordination(status), nil
	}
	state := c.cluster.registry.State()
	status.Connected, status.Fenced, status.Warning = state.Connected, state.Fenced, state.Warning
	if state.Session == nil {
		return status, nil
	}
	status.SessionTimeout = state.Session.Timeout()
	if _, known := c.cluster.directory.era(); !known {
		unjoined = errDialect
	}
	return status, unjoined
}

// coordination describes the way to the group's coordinator. It fences by itself.
func (c *Consumer) coordination(status Status) Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	status.Fenced, status.SessionTimeout = true, c.cluster.config.SessionTimeout
	status.Connected = status.Err == nil && c.silence == nil
	if status.Err == nil && c.silence != nil {
		status.Err = fmt.Errorf("the group's coordinator does not answer: %s", reasons(c.silence))
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

// reasons is the text of an error that stays the same while its causes do.
func reasons(err error) string {
	texts := causes(nil, err)
	slices.Sort(texts)
	texts = slices.Compact(texts)
	return strings.Join(texts[:min(len(texts), namedCauses)], "; ")
}
