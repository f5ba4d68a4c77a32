// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"fmt"
	"strconv"
	"time"

	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// pace of a flow: fast enough that a pause of a second shows, and little work for twenty flows at once.
const pace = 50 * time.Millisecond

// publish sends messages to the partitions in turn, with a client that is not samsa's.
func (s *stage) publish(count int) {
	for i := range count {
		s.Expect(s.send(s.ctx, int32(i%partitions))).To(Succeed())
	}
	s.step("%d messages published", count)
}

func (s *stage) send(ctx context.Context, partition int32) error {
	if s.producer == nil {
		producer, err := kgo.NewClient(kgo.SeedBrokers(s.kafka.Kafka.Addrs()...),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
		if err != nil {
			return fmt.Errorf("producer: %w", err)
		}
		s.producer = producer
	}
	value := []byte(time.Now().Format(time.RFC3339Nano))
	record := &kgo.Record{Topic: s.name, Partition: partition, Value: value}
	if err := s.producer.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	s.books.publish(kafka.Partition{Topic: s.name, ID: strconv.Itoa(int(partition))}, record.Offset, value)
	return nil
}

// flow publishes all the time, until endFlows or the end of the play. One at a time.
func (s *stage) flow() {
	s.publish(partitions) // also makes the producer
	ctx, cancel := context.WithCancel(s.ctx)
	s.stopFlows = cancel
	s.flows.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			// What is published at all is entered: the context only ends the loop.
			err := s.send(s.ctx, int32(i%partitions)) //nolint:contextcheck // see above
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
