// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// producerTimeout bounds the question for a producer's id, which a broker answers from memory.
const producerTimeout = 3 * time.Second

// producerID names a producer to the brokers.
type producerID struct {
	id    int64
	epoch int16
}

// nobody is the producer whose messages have no sequence.
var nobody = producerID{id: -1, epoch: -1}

// sequence is where a partition's sequence of a producer stands.
type sequence struct {
	producerID
	// next is the number of the next message.
	next int32
}

// sequences are those of a topic's partitions. A partition keeps its producer until a batch is given up of which nobody
// knows whether it was written: then its sequence has a hole or has not, and it begins anew with another producer.
type sequences struct {
	// plain says that there are none: brokers do not allow them, or the answers are not waited for.
	plain *atomic.Bool
	// asking holds a token while a producer is asked for.
	asking chan struct{}

	mu      *sync.Mutex
	current producerID
	by      map[string]*sequence
}

func newSequences() sequences {
	return sequences{
		plain: new(atomic.Bool), asking: make(chan struct{}, 1), mu: new(sync.Mutex), current: nobody,
		by: map[string]*sequence{},
	}
}

// producer gives the one for partitions that have none.
func (s *sequences) producer(ctx context.Context, broker *kgo.Broker) (producerID, error) {
	if s.plain.Load() {
		return nobody, nil
	}
	if current, known := s.known(); known {
		return current, nil
	}
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return nobody, ctx.Err()
	}
	if current, known := s.known(); known {
		return current, nil
	}
	return s.ask(ctx, broker)
}

func (s *sequences) known() (producerID, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.current != nobody
}

func (s *sequences) ask(ctx context.Context, broker *kgo.Broker) (producerID, error) {
	ctx, cancel := context.WithTimeout(ctx, producerTimeout)
	defer cancel()
	answer, err := ask[*kmsg.InitProducerIDResponse](ctx, broker, kmsg.NewPtrInitProducerIDRequest())
	if err == nil {
		err = kerr.ErrorForCode(answer.ErrorCode)
	}
	if errors.Is(err, kerr.ClusterAuthorizationFailed) { // before Kafka 3.0 it takes a right of its own
		s.plain.Store(true)
		return nobody, nil
	}
	if err != nil {
		return nobody, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = producerID{answer.ProducerID, answer.ProducerEpoch}
	return s.current, nil
}

// of is where a partition's sequence stands; it begins with the producer given.
func (s *sequences) of(partition string, producer producerID) sequence {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.by[partition]
	switch {
	case known != nil:
		return *known
	case producer == nobody:
		return sequence{producerID: nobody}
	}
	s.by[partition] = &sequence{producerID: producer}
	return *s.by[partition]
}

// has says whether a partition's messages have a sequence, so that they may be repeated.
func (s *sequences) has(partition string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[partition] != nil
}

// advance counts messages that were written.
func (s *sequences) advance(partition string, messages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.by[partition]; known != nil {
		// After the highest number comes 0.
		known.next = int32((int64(known.next) + int64(messages)) & math.MaxInt32) //nolint:gosec // masked
	}
}

// forget makes a partition begin anew, with another producer.
func (s *sequences) forget(partition string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.by[partition]; known != nil && known.producerID == s.current {
		s.current = nobody
	}
	delete(s.by, partition)
}
