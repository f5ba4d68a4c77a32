// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"sync"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// attempts keeps the attempt of each partition between its messages. A partition has one at most, since deliveries of
// one partition are never concurrent; what a partition leaves behind is about 4 KiB.
type attempts struct {
	mu   sync.Mutex // guards idle
	idle map[kafka.Partition]*attempt
}

func (s *attempts) take(partition kafka.Partition) *attempt {
	s.mu.Lock()
	a := s.idle[partition]
	delete(s.idle, partition)
	s.mu.Unlock()
	if a == nil {
		return newAttempt()
	}
	return a
}

func (s *attempts) keep(partition kafka.Partition, a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle[partition] = a
}

// release gives back what the contexts of all idle attempts hold.
func (s *attempts) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.idle {
		a.release()
	}
	clear(s.idle)
}
