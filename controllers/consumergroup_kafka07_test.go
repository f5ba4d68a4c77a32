// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("A ConsumerGroup of Kafka 0.7", func() {
	var (
		namespace string
		w         *world.World
		cluster   *v1alpha1.KafkaCluster
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		var err error
		w, err = world.Start(ctx, world.Config{
			Era: world.Era07, Tick: 200 * time.Millisecond, Brokers: 2, Topics: map[string]int32{"orders": 2},
			Broker07: kafka07.Config{MaxMessageSize: 2_000_000},
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Close)
		startManager(ctx, namespace)
		cluster = newKafkaCluster(namespace, "main", w.Connect())
		create(ctx, cluster)
	})

	produce := func(ctx context.Context, partition string, value []byte) {
		GinkgoHelper()
		producer, err := w.Producer()
		Expect(err).NotTo(HaveOccurred())
		defer producer.Close()
		_, err = producer.Produce(ctx, kafka.Partition{Topic: "orders", ID: partition}, value)
		Expect(err).NotTo(HaveOccurred())
	}

	It("says which Kafka it is, and what would feed all members", func(ctx SpecContext) {
		startNode(ctx, namespace)
		becomesReady(ctx, cluster)
		Expect(cluster.Status.Era).To(Equal(v1alpha1.EraKafka07))
		group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 3)
		create(ctx, group)
		consumes(ctx, group)
		Eventually(condition(group, v1alpha1.ConditionFed)).WithContext(ctx).Should(And(
			HaveField("Status", metav1.ConditionFalse),
			HaveField("Message", "2 brokers x 1 partition each = 2 partitions for 3 members: 1 pod idle; "+
				"raise num.partitions of each broker to 2, or lower spec.replicas to 2")))
		Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("LagUnit", v1alpha1.LagUnitBytes), HaveField("Columns.Lag", "0B"))))
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Replicas = new(int32(2)) })
		Eventually(condition(group, v1alpha1.ConditionFed)).WithContext(ctx).
			Should(HaveField("Status", metav1.ConditionTrue))
	})

	// A fetch asks for a mebibyte, so a message has to be larger than that to need a larger one.
	It("stands before a message larger than maxMessageBytes, and delivers it once that is raised", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, group)
		consumes(ctx, group)
		produce(ctx, "1-0", bytes.Repeat([]byte("a"), 1_500_000))
		Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).WithTimeout(2 * healing).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", v1alpha1.ReasonBlocked),
			HaveField("Message", HavePrefix("What comes next in orders/1-0 cannot be fetched"))))
		Expect(group.Status.Partitions[0]).To(And(
			HaveField("Partition", "1-0"), HaveField("State", v1alpha1.PartitionBlocked),
			HaveField("Reason", ContainSubstring("1500"))))
		update(ctx, cluster, func(c *v1alpha1.KafkaCluster) { c.Spec.MaxMessageBytes = 2_000_000 })
		Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).WithTimeout(2 * healing).Should(
			HaveField("Status", metav1.ConditionTrue))
		Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("Status.Lag", HaveValue(BeZero())))
	})
})
