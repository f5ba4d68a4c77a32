// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// coordinatedSession is the least that brokers take unless configured otherwise.
const coordinatedSession = 6 * time.Second

// startBrokers runs brokers without ZooKeeper until the spec ends.
func startBrokers(ctx context.Context, topics map[string]int32) *embedkafka.Cluster {
	GinkgoHelper()
	cluster, err := embedkafka.Start(ctx, embedkafka.Config{Brokers: 2, Topics: topics})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

// coordinate follows the brokers until the spec ends.
func coordinate(ctx context.Context, brokers *embedkafka.Cluster) *client.Cluster {
	GinkgoHelper()
	cluster, err := client.Open(ctx, client.Config{
		Bootstrap: brokers.Addrs(), SessionTimeout: coordinatedSession, Logger: logger(),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

var _ = Describe("A consumer group that brokers coordinate", func() {
	var billing client.ConsumerConfig

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	describeSharing(func(ctx context.Context, topics map[string]int32) func() *client.Cluster {
		brokers := startBrokers(ctx, topics)
		return func() *client.Cluster { return coordinate(ctx, brokers) }
	})

	It("begins at the end of the log if told so, once for ever", func(ctx SpecContext) {
		cluster := coordinate(ctx, startBrokers(ctx, map[string]int32{"orders": 3}))
		topic := cluster.Topic("orders")
		publish(ctx, topic, 30)
		received := newBook()
		latest := billing
		latest.Start = kafka.Latest()
		a := join(cluster, "a", latest, received)
		Eventually(a.running).Should(Equal(3))
		publish(ctx, topic, 10)
		Eventually(received.distinct).Should(Equal(10))
		a.leave()
		publish(ctx, topic, 10)
		join(cluster, "b", latest, received)
		Eventually(received.distinct).Should(Equal(20))
	})
})
