// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"sync"
	"time"

	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var noon = time.Date(2026, 9, 24, 12, 0, 0, 0, time.UTC)

// consuming is a worker with which all is well.
func consuming() worker.Observation {
	return worker.Observation{
		At: noon, Beat: noon.Add(-time.Second),
		Group: "billing", Name: "billing-0", ID: "billing_samsa1s.billing-0-1-ab", Registered: true,
		Session: worker.Connection{
			Server: "zk:2181", Connected: true, Epoch: 1, LeaseUntil: noon.Add(4 * time.Second), Timeout: 6 * time.Second,
		},
		Strategy:   "Sticky",
		Members:    []worker.Peer{{ID: "billing_samsa1s.billing-0-1-ab", Topics: []string{"orders"}}},
		Partitions: []worker.Lane{lane("10"), lane("2")},
	}
}

func lane(id string) worker.Lane {
	return worker.Lane{
		Partition: kafka.Partition{Topic: "orders", ID: id}, State: worker.Owned,
		Acknowledged: 15, Committed: 10, End: 30, BufferedMessages: 3, InFlight: 2, Progress: noon,
	}
}

// scene is a Source that a spec changes.
type scene struct {
	mu  sync.Mutex
	now worker.Observation
}

func (s *scene) Snapshot() worker.Observation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *scene) change(edit func(*worker.Observation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(&s.now)
}
