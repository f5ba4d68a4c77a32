// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Old consumers from 0.8.2 on may keep positions at the brokers; with dual.commit.enabled in ZooKeeper as well.
var _ = Describe("A group whose old members keep their positions at the brokers", func() {
	for _, release := range chosen() {
		if newest(release) {
			continue
		}
		It("is not joined while they are there, and taken over where they ended: Kafka "+release, func(ctx SpecContext) {
			s := newStage(ctx, release)
			s.settings = append(s.settings, "offsets.storage=kafka", "dual.commit.enabled=false")
			old := s.joinOld()
			s.settle(ctx)
			ledger := s.ledgers[0]
			Eventually(ctx, func() (books, error) { return readBooks([]string{ledger}, s.producer.snapshot()) }).
				WithTimeout(settling).WithPolling(looking).ShouldNot(BeEmpty())
			name := s.joinNew()
			Eventually(ctx, s.members[name].said.lines).WithTimeout(settling).WithPolling(looking).
				Should(ContainElement(ContainSubstring("offsets.storage=kafka")))
			say("\nKafka %s: %s\n", release, s.members[name].said.lines()[0])
			members, err := s.tree.members()
			Expect(err).NotTo(HaveOccurred())
			Expect(members).To(HaveLen(1), "what is not joined takes no partitions from those that work")
			s.leave(old)
			took := s.settle(ctx)
			v, h := s.finish(ctx)
			tell(v, h, []time.Duration{took})
			Expect(slices.Concat(v.lost[samsas], v.lost[others])).To(BeEmpty())
			Expect(v.repeated).To(BeZero(), "it begins where the old member ended")
		}, SpecTimeout(4*time.Minute))

		It("is shared where they write both: Kafka "+release, func(ctx SpecContext) {
			s := newStage(ctx, release)
			s.settings = append(s.settings, "offsets.storage=kafka", "dual.commit.enabled=true")
			old := s.joinOld()
			s.settle(ctx)
			Eventually(ctx, s.tree.positions).WithTimeout(settling).WithPolling(looking).
				Should(HaveLen(len(s.tree.partitions())))
			s.joinNew()
			took := []time.Duration{s.settle(ctx)}
			s.joinOld()
			took = append(took, s.settle(ctx))
			s.leave(old)
			took = append(took, s.settle(ctx))
			v, h := s.finish(ctx)
			say("\nKafka %s, positions in both\n", release)
			tell(v, h, took)
			Expect(slices.Concat(v.lost[samsas], v.lost[others])).To(BeEmpty())
		}, SpecTimeout(4*time.Minute))
	}
})
