// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// pace of a flow: fast enough that a pause of a second shows, and little work for twenty flows at once.
const pace = 50 * time.Millisecond

// publish sends messages to the partitions in turn, with a client that is not samsa's.
func (s *stage) publish(count int) {
	for i := range count {
		s.Expect(s.send(s.ctx, i)).To(Succeed())
	}
	s.step("%d messages published", count)
}

// send publishes to partition i, counted round and round.
func (s *stage) send(ctx context.Context, i int) error {
	if s.producer == nil {
		producer, err := s.kafka.Producer()
		if err != nil {
			return err
		}
		s.producer = producer
	}
	all := s.all()
	if len(all) == 0 {
		return fmt.Errorf("publish: topic %s has no partitions", s.name)
	}
	partition := all[i%len(all)]
	value := []byte(time.Now().Format(time.RFC3339Nano))
	positions, err := s.producer.Produce(ctx, partition, value)
	if err != nil {
		return err
	}
	s.books.publish(partition, positions[0], value)
	return nil
}

// all are the partitions of the topic, in the order of their numbers.
func (s *stage) all() []kafka.Partition {
	var list []kafka.Partition
	for _, id := range s.kafka.Brokers().Partitions(s.name) {
		list = append(list, kafka.Partition{Topic: s.name, ID: id})
	}
	return list
}

// flow publishes all the time, until endFlows or the end of the play. One at a time.
func (s *stage) flow() {
	s.publish(partitions) // also makes the producer
	ctx, cancel := context.WithCancel(s.ctx)
	s.stopFlows = cancel
	s.flows.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			// What is published at all is entered: the context only ends the loop.
			err := s.send(s.ctx, i) //nolint:contextcheck // see above
			if err != nil {
				s.step("%v", err)
			}
			pause(ctx, pace)
		}
	})
}

func (s *stage) endFlows() {
	if s.stopFlows != nil {
		s.stopFlows()
		s.flows.Wait()
		s.stopFlows = nil
	}
}

// allArrive expects everything published to be delivered to a group: in order, as it was, and nothing else. It gives
// how many messages were delivered again.
func (s *stage) allArrive(group string) (repeated int) {
	s.Eventually(s.ctx, func() int { return s.books.waiting(group) }, healing).
		Should(BeZero(), "messages of %s that have not arrived", group)
	closed := s.books.close(group)
	s.Expect(closed.Lost+closed.Strange+closed.Altered).To(BeZero(), "%s: %+v", group, closed)
	s.Expect(closed.Disorder).To(BeEmpty(), "%s: %+v", group, closed)
	s.step("%s: %d of %d messages arrived, %d of them again", group, closed.Delivered, closed.Published,
		closed.Planned.Repeated)
	return closed.Planned.Repeated
}

// goesOn expects deliveries to go on: some arrive from now on.
func (s *stage) goesOn(group string) {
	before := s.books.arrived(group)
	s.Eventually(s.ctx, func() int { return s.books.arrived(group) }, healing/2).
		Should(BeNumerically(">=", before+10), "deliveries are to go on")
}

// nothingArrives expects the count of deliveries to stay for a time.
func (s *stage) nothingArrives(group string, during time.Duration) {
	before := s.books.arrived(group)
	s.Consistently(s.ctx, func() int { return s.books.arrived(group) }, during).Should(Equal(before))
}
