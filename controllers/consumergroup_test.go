// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// becomes waits for a group to be ready, or not, for a reason, and for what kstatus makes of that.
func becomes(
	ctx context.Context, group *v1alpha1.ConsumerGroup, is metav1.ConditionStatus, reason string, kind status.Status,
) {
	GinkgoHelper()
	Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).Should(
		And(HaveField("Status", is), HaveField("Reason", reason)))
	Eventually(kstatus(group)).WithContext(ctx).Should(Equal(kind))
	Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).Should(
		And(HaveField("Status", is), HaveField("Reason", reason)))
	Expect(group.Status.ObservedGeneration).To(HaveValue(Equal(group.Generation)))
}

// consumes waits for a group to be ready and Current.
func consumes(ctx context.Context, group *v1alpha1.ConsumerGroup) {
	GinkgoHelper()
	becomes(ctx, group, metav1.ConditionTrue, v1alpha1.ReasonBalanced, status.CurrentStatus)
}

var _ = Describe("A ConsumerGroup", func() {
	var (
		namespace string
		running   *manager
		w         *world.World
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		w = startWorld(ctx, map[string]int32{"orders": 4})
		running = startManager(ctx, namespace)
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()))
	})

	It("is ready once its workers consume, and nothing is written while nothing changes", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 2)
		create(ctx, group)
		Expect(group.Status.ObservedGeneration).To(HaveValue(Equal(int64(-1))))
		consumes(ctx, group)
		Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("OwnedPartitions", HaveValue(Equal(int32(4)))),
			HaveField("ReadyReplicas", HaveValue(Equal(int32(2)))),
			HaveField("MemberCount", HaveValue(Equal(int32(2)))),
			HaveField("Group", "billing"),
			HaveField("Coordination", v1alpha1.CoordinationZooKeeper),
			HaveField("Assignment", v1alpha1.AssignmentSticky),
			HaveField("Columns", v1alpha1.Columns{Topics: "orders", Sink: "discard", Owned: "4/4", Lag: "0"}),
			HaveField("Selector", "kafka.samsa.dev/consumer-group=billing"),
		)))
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		Eventually(komega.Object(cluster)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("TopicCount", HaveValue(Equal(int32(1)))), HaveField("ClusterID", Not(BeEmpty())),
			HaveField("KafkaVersion", Not(BeEmpty())))))
		Eventually(eventsOf(cluster)).WithContext(ctx).Should(HaveLen(1))
		writes, version, clusters := running.writes.Load(), group.ResourceVersion, cluster.ResourceVersion
		Consistently(func(g Gomega) {
			g.Expect(komega.Get(group)()).To(Succeed())
			g.Expect(group.ResourceVersion).To(Equal(version))
			g.Expect(komega.Get(cluster)()).To(Succeed())
			g.Expect(cluster.ResourceVersion).To(Equal(clusters))
			g.Expect(running.writes.Load()).To(Equal(writes))
		}).WithContext(ctx).WithTimeout(healing / 2).Should(Succeed())
	})

	It("counts as blocked when the sink refuses a message, and heals by itself", func(ctx SpecContext) {
		startNode(ctx, namespace)
		var healthy atomic.Bool
		sink := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
			if !healthy.Load() {
				answer.WriteHeader(http.StatusInternalServerError)
			}
		}))
		DeferCleanup(sink.Close)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		group.Spec.Sink = v1alpha1.Sink{HTTP: &v1alpha1.HTTPSink{URL: sink.URL}}
		group.Spec.Delivery.Retry = v1alpha1.Retry{InitialBackoff: "1ms", MaxBackoff: "20ms"}
		create(ctx, group)
		consumes(ctx, group)
		publish(ctx, w, "orders")
		Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).WithTimeout(2 * healing).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", v1alpha1.ReasonBlocked),
			HaveField("Message", ContainSubstring("orders/"))))
		Expect(kstatus(group)(ctx)).To(Equal(status.FailedStatus))
		Expect(group.Status.BlockedPartitions).To(HaveValue(Equal(int32(1))))
		Expect(group.Status.Partitions[0]).To(And(
			HaveField("State", v1alpha1.PartitionBlocked), HaveField("Reason", ContainSubstring("500")),
			HaveField("Attempts", HaveValue(BeNumerically(">=", 10)))))
		Eventually(eventReasons).WithArguments(ctx, group).Should(ContainElement(v1alpha1.ReasonBlocked))
		healthy.Store(true)
		Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).WithTimeout(2 * healing).Should(
			HaveField("Status", metav1.ConditionTrue))
		Eventually(komega.Object(group)).WithContext(ctx).WithTimeout(3*healing).Should(
			HaveField("Status.Lag", HaveValue(BeZero())), "numbers follow at most every 15 s")
	})

	It("tells of nothing but that it consumes when all that it needs comes a moment later", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "later", "orders")
		create(ctx, group)
		Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).Should(
			HaveField("Reason", v1alpha1.ReasonClusterMissing))
		create(ctx, newKafkaCluster(namespace, "later", w.Connect()))
		consumes(ctx, group)
		Eventually(eventReasons).WithArguments(ctx, group).Should(ConsistOf(v1alpha1.ReasonBalanced))
	})

	It("is as it was when another manager takes over", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 2)
		create(ctx, group)
		consumes(ctx, group)
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		Eventually(komega.Object(cluster)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("TopicCount", Not(BeNil())), HaveField("ClusterID", Not(BeEmpty())))))
		running.stop()
		Expect(komega.Get(group)()).To(Succeed())
		version := group.ResourceVersion
		next := startManager(ctx, namespace)
		Consistently(func(g Gomega) {
			g.Expect(komega.Get(group)()).To(Succeed())
			g.Expect(group.ResourceVersion).To(Equal(version))
		}).WithContext(ctx).WithTimeout(healing / 3).Should(Succeed())
		Expect(next.writes.Load()).To(BeZero())
	})

	It("has the objects of a workload, each its own", func(ctx SpecContext) {
		group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 2)
		create(ctx, group)
		for _, child := range children("billing", namespace) {
			Eventually(komega.Object(child)).WithContext(ctx).Should(HaveField("ObjectMeta.OwnerReferences", ConsistOf(
				And(HaveField("UID", group.UID), HaveField("Controller", HaveValue(BeTrue()))))))
		}
		Eventually(configMapsOf(namespace)).WithContext(ctx).Should(ConsistOf(HaveField("Immutable", HaveValue(BeTrue()))))
	})
})

// publish writes one message to a topic.
func publish(ctx context.Context, w *world.World, topic string) {
	GinkgoHelper()
	producer, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Addrs()...), kgo.DefaultProduceTopic(topic))
	Expect(err).NotTo(HaveOccurred())
	defer producer.Close()
	Expect(producer.ProduceSync(ctx, kgo.StringRecord("hello")).FirstErr()).To(Succeed())
}

func configMapsOf(namespace string) func(context.Context) ([]corev1.ConfigMap, error) {
	return func(ctx context.Context) ([]corev1.ConfigMap, error) {
		var list corev1.ConfigMapList
		err := api.List(ctx, &list, client.InNamespace(namespace), client.HasLabels{"kafka.samsa.dev/consumer-group"})
		return list.Items, err
	}
}
