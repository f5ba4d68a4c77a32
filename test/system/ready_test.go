// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"time"

	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// firstDelivery is what the first message may take once somebody was told that the group is ready: 2 s, and as often as
// healing what a busy machine adds.
const firstDelivery = 3 * 2 * time.Second

// readyMeansConsuming has kubectl wait from the creation of the group on, while one thing after the other is still
// missing.
func readyMeansConsuming(s *stage) {
	s.Expect(s.sink.close()).To(Succeed())
	s.createGroup()
	waited := make(chan error, 1)
	s.flows.Go(func() {
		_, err := s.tryKubectl("wait", "--for=condition=Ready", "consumergroup/"+s.name, "--timeout=90s")
		waited <- err
	})
	notYet := func() { s.Expect(waited).NotTo(Receive(), "kubectl wait is not to return before the group consumes") }

	s.troubled(healing, v1alpha1.ReasonClusterMissing)
	notYet()
	s.createCluster()
	s.troubled(healing, v1alpha1.ReasonTopicMissing)
	notYet()
	s.createTopic()
	s.troubled(starting, v1alpha1.ReasonSinkUnreachable, "127.0.0.1", "start what should be there")
	notYet()
	s.Expect(s.sink.open(s.ctx)).To(Succeed())
	s.step("the sink is there")
	s.Eventually(s.ctx, waited, healing).Should(Receive(BeNil()), "kubectl wait is to return")
	s.publish(1)
	s.Eventually(s.ctx, func() int { return s.books.arrived(s.name) }, firstDelivery, 10*time.Millisecond).Should(Equal(1))
	s.allArrive(s.name)
}
