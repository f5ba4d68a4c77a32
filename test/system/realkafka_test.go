// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// haveRealBrokers says that this machine has Java and jars for them.
func haveRealBrokers() bool {
	return world.Era39.Available() == nil && world.Era4.Available() == nil
}

// realBrokers has one play for each of the real Kafkas, both at once: most of the time they wait.
func realBrokers(ctx SpecContext) {
	plays := []play{
		{name: "kafka-39", run: func(s *stage) { realKafka(s, world.Era39, v1alpha1.CoordinationZooKeeper) }},
		{name: "kafka-4", run: func(s *stage) { realKafka(s, world.Era4, v1alpha1.CoordinationKafka) }},
	}
	results := make([]error, len(plays))
	var both sync.WaitGroup
	for i := range plays {
		both.Go(func() { results[i] = perform(ctx, &plays[i], func() {}) })
	}
	both.Wait()
	succeeds(errors.Join(results...))
}

// realKafka scales a group down and up again, and has its only broker go and come back.
func realKafka(s *stage, era world.Era, coordination v1alpha1.Coordination) {
	s.ownKafkaOf(era)
	w := s.begin(replicas(3))
	s.owns(partitions)
	s.Expect(s.group(s, s.name).Status.Coordination).To(Equal(coordination))
	s.flow()
	s.goesOn(s.name)
	for _, count := range []int{1, 2} {
		s.kubectl("scale", "consumergroup/"+s.name, fmt.Sprintf("--replicas=%d", count))
		s.Eventually(s.ctx, s.pods, closing).Should(SatisfyAll(HaveLen(count), HaveEach(HaveField("Ready", true))))
		s.isReady(starting)
		s.goesOn(s.name)
	}
	s.endFlows()
	s.Expect(s.allArrive(s.name)).To(BeZero(), "messages delivered again")

	before := s.pods()
	s.Expect(s.kafka.Brokers().StopBroker(0)).To(Succeed())
	s.step("the broker is gone")
	s.Expect(s.kafka.Brokers().StartBroker(s.ctx, 0)).To(Succeed())
	s.step("the broker is back")
	s.publish(2 * partitions)
	s.Eventually(s.ctx, func() int { return s.books.waiting(s.name) }, starting).Should(BeZero())
	s.allArrive(s.name)
	s.isReady(starting)
	s.Eventually(s.ctx, func(g Gomega) {
		sample, err := w.reader.Read(s.ctx, w.stands)
		g.Expect(err).NotTo(HaveOccurred())
		for name, p := range sample.Partitions {
			g.Expect(p.Committed).To(Equal(p.End), "the position of %s is to be complete", name)
		}
	}).Should(Succeed())
	s.Expect(s.pods()).To(Equal(before), "workers are to bear it")
}
