// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"time"

	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// gone is when the partitions of a broker that was killed leave the group: its session of 6 s and a tick, what the
// members need to hear of it, and what a status may take to be written.
const gone = 25 * time.Second

// kafka07 has the same manifests as every other play, over scalings and the death of a broker.
func kafka07(s *stage) {
	s.ownKafkaOf(world.Era07)
	s.begin()
	s.owns(partitions)
	s.flow()
	s.goesOn(s.name)
	s.kubectl("scale", "consumergroup/"+s.name, "--replicas=2")
	s.Eventually(s.ctx, s.pods, starting).Should(HaveExactElements(HaveField("Ready", true), HaveField("Ready", true)))
	s.heals()
	s.kubectl("scale", "consumergroup/"+s.name, "--replicas=1")
	s.Eventually(s.ctx, s.pods, closing).Should(HaveLen(1))
	s.heals()
	s.goesOn(s.name)
	s.endFlows()
	s.Expect(s.allArrive(s.name)).To(BeZero(), "messages delivered again")

	before := s.pods()
	s.Expect(s.kafka.Kafka07.KillBroker(1)).To(Succeed())
	s.step("broker 1 is killed")
	// Its partitions go with its registration; those of the other broker, the first ones, go on.
	s.owns(partitions / 2)
	for i := range partitions / 2 {
		s.Expect(s.send(s.ctx, i)).To(Succeed())
	}
	s.allArrive(s.name)
	s.Expect(s.kafka.Kafka07.StartBroker(s.ctx, 1)).To(Succeed())
	s.step("broker 1 is back")
	s.owns(partitions)
	s.heals()
	s.publish(2 * partitions)
	s.Expect(s.allArrive(s.name)).To(BeZero(), "messages delivered again")
	s.Eventually(s.ctx, func() []int64 { return s.committed(s.name) }).
		Should(Equal(s.ends()), "positions are to be complete")
	s.Expect(s.pods()).To(Equal(before), "workers are to bear it")
}

// owns expects the status to say that the group has a number of partitions, all of which have an owner.
func (s *stage) owns(count int32) {
	s.Eventually(s.ctx, func(g Gomega) {
		status := s.group(g, s.name).Status
		g.Expect(status.PartitionCount).To(HaveValue(Equal(count)))
		g.Expect(status.OwnedPartitions).To(HaveValue(Equal(count)))
	}, gone).Should(Succeed(), "%d partitions are to be owned", count)
	s.step("%d partitions are owned", count)
}
