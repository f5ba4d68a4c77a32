// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("Who looks around in a cluster", func() {
	It("finds its groups, their members and their topics", func(ctx SpecContext) {
		cluster := open(ctx, start(ctx, map[string]int32{"orders": 2, "refunds": 1}))
		Expect(cluster.Groups(ctx)).To(BeEmpty())
		_, err := cluster.Group("billing").Topics(ctx)
		Expect(err).To(MatchError(client.ErrNoGroup))

		a := join(cluster, "a", client.ConsumerConfig{Group: "billing", Topics: []string{"orders", "refunds"}}, newBook())
		Eventually(a.running).Should(Equal(3))
		Expect(cluster.Groups(ctx)).To(Equal([]registry.GroupCount{{Name: "billing", Members: 1}}))
		Expect(cluster.Group("billing").Topics(ctx)).To(Equal([]string{"orders", "refunds"}))

		a.leave()
		Expect(cluster.Groups(ctx)).To(Equal([]registry.GroupCount{{Name: "billing", Members: 0}}))
		Expect(cluster.Group("billing").Topics(ctx)).To(Equal([]string{"orders", "refunds"}))
	})

	It("reads a partition from a position, without a group", func(ctx SpecContext) {
		cluster := open(ctx, start(ctx, map[string]int32{"orders": 1}))
		publish(ctx, cluster.Topic("orders"), 5)
		transport, err := cluster.Transport(ctx)
		Expect(err).NotTo(HaveOccurred())
		defer transport.Close()

		partition := kafka.Partition{Topic: "orders", ID: "0"}
		ends, err := transport.Positions(ctx, []kafka.Partition{partition}, kafka.Latest())
		Expect(err).NotTo(HaveOccurred())
		Expect(ends).To(HaveKeyWithValue(partition, BeNumerically("==", 5)))
		transport.Add(map[kafka.Partition]int64{partition: 3})
		var values []string
		for len(values) < 2 && ctx.Err() == nil {
			for _, fetch := range transport.Poll(ctx) {
				for i := range fetch.Batch.Len() {
					values = append(values, string(fetch.Batch.Message(i).Value))
				}
			}
		}
		Expect(values).To(Equal([]string{"message 3", "message 4"}))
		Expect(cluster.Groups(ctx)).To(BeEmpty())
	})
})
