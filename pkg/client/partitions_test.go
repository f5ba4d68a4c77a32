// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = DescribeTable("Publishing asks ZooKeeper only when a topic has changed",
	func(ctx SpecContext, run func(SpecContext, map[string]int32) *world.World) {
		w := run(ctx, map[string]int32{"orders": 4})
		topic := open(ctx, w).Topic("orders")
		publish(ctx, topic, 1)
		before := w.ZooKeeper.Requests(zookeeper.AnyOp)
		publish(ctx, topic, 200)
		Expect(w.ZooKeeper.Requests(zookeeper.AnyOp) - before).To(BeNumerically("<", 20))

		partitions := func() ([]kafka.Partition, error) { return topic.Partitions(ctx) }
		if w.Kafka07 != nil {
			Expect(w.Kafka07.StopBroker(1)).To(Succeed())
			Eventually(partitions).Should(HaveLen(2))
			Expect(w.Kafka07.StartBroker(ctx, 1)).To(Succeed())
			Eventually(partitions).Should(HaveLen(4))
		} else {
			Expect(w.Kafka.Grow(ctx, "orders", 6)).To(Succeed())
			Eventually(partitions).Should(HaveLen(6))
		}
		w.ZooKeeper.ExpireAll()
		Eventually(partitions).Should(HaveLen(len(w.Brokers().Partitions("orders"))))
		publish(ctx, topic, 1)
	},
	Entry("of Kafka 0.7", func(ctx SpecContext, topics map[string]int32) *world.World { return start07(ctx, topics) }),
	Entry("of later Kafka", func(ctx SpecContext, topics map[string]int32) *world.World { return start(ctx, topics) }),
)
