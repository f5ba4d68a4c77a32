// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
)

// describeSharing holds for every group, wherever it is kept. begin starts servers, and gives what connects to them.
func describeSharing(begin func(ctx context.Context, topics map[string]int32) func() *client.Cluster) {
	billing := client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}

	It("delivers every message of a topic once, in order", func(ctx SpecContext) {
		cluster := begin(ctx, map[string]int32{"orders": 6})()
		received := newBook()
		join(cluster, "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 300)
		Eventually(received.distinct).Should(Equal(300))
		Expect(received.twice()).To(BeEmpty())
		Expect(received.outOfOrder()).To(BeEmpty())
	})

	It("shares the partitions, and moves them without delivering anything twice", func(ctx SpecContext) {
		connect := begin(ctx, map[string]int32{"orders": 6})
		received := newBook()
		topic := connect().Topic("orders")
		a := join(connect(), "a", billing, received)
		Eventually(a.running).Should(Equal(6))
		publish(ctx, topic, 100)

		b := join(connect(), "b", billing, received)
		Eventually(a.running).Should(Equal(3))
		Eventually(b.running).Should(Equal(3))
		publish(ctx, topic, 100)

		a.leave()
		Eventually(b.running).Should(Equal(6))
		publish(ctx, topic, 100)
		Eventually(received.distinct).Should(Equal(300))
		Expect(received.twice()).To(BeEmpty())
		Expect(received.outOfOrder()).To(BeEmpty())
	})
}
