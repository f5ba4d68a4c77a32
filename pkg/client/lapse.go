// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"log/slog"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
	"github.com/samsa-dev/samsa/pkg/client/group"
)

// errNothingFailed is why a lease may lapse although nothing is known to be wrong.
var errNothingFailed = errors.New("no request has failed: answers are late, a change of the group's members takes " +
	"long, or this process stood still")

// lapses tells the log when deliveries pause because the lease has lapsed, and when they go on.
type lapses struct {
	logger *slog.Logger
	// proved is when the last request was sent that proved the lease; failure why one since then did not, nil if none
	// has failed.
	proved  time.Time
	failure error
	// since is when the lease ended that partitions were delivered under, zero while it holds.
	since time.Time
}

// newLapses begins with a lease that nobody needs.
func newLapses(c *Consumer) lapses {
	keeper := "ZooKeeper"
	if c.config.Coordination == CoordinationKafka {
		keeper = "the group's coordinator"
	}
	return lapses{logger: c.cluster.logger.With("group", c.config.Group, "keeper", keeper)}
}

// hear takes what became of the requests that prove the lease, and of those that tell why they cannot.
func (l *lapses) hear(event group.Event) {
	switch event := event.(type) {
	case group.Probed:
		l.note(event.Sent, !event.Failed(), event.Err)
	case coordinator.Committed:
		l.note(event.Sent, event.Verdict == coordinator.Accepted, event.Err)
	case coordinator.Beaten:
		if event.Verdict != coordinator.Accepted {
			l.failure = event.Err
		}
	}
}

func (l *lapses) note(sent time.Time, proves bool, failure error) {
	if !proves {
		l.failure = failure
		return
	}
	l.proved, l.failure = sent, nil
}

// paused notes that the lease ended at that time, with so many partitions being delivered.
func (l *lapses) paused(at, now time.Time, partitions int) {
	if partitions == 0 {
		return
	}
	reason := l.failure
	if reason == nil {
		reason = errNothingFailed
	}
	l.since = at
	l.logger.Warn("Deliveries pause: the lease has lapsed", "partitions", partitions, "since", at,
		"unproved", now.Sub(l.proved).Round(time.Millisecond), "reason", reason)
}

// resumed notes that the lease holds again.
func (l *lapses) resumed(now time.Time) {
	if l.since.IsZero() {
		return
	}
	l.logger.Info("Deliveries may go on: the lease holds again", "paused", now.Sub(l.since).Round(time.Millisecond))
	l.since = time.Time{}
}
