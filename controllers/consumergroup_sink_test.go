// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

var _ = Describe("A ConsumerGroup that publishes by a ProducerBinding", func() {
	var (
		namespace string
		group     *v1alpha1.ConsumerGroup
		binding   *v1alpha1.ProducerBinding
		workers   *appsv1.StatefulSet
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		brokers := startBrokers(ctx, 1, map[string]int32{"orders": 2, "billed": 2})
		startManager(ctx, namespace)
		create(ctx, newClusterOfBrokers(namespace, "main", brokers.Addrs()...),
			newClusterOfBrokers(namespace, "alias", brokers.Addrs()...))
		group = newConsumerGroup(namespace, "billing", "main", "orders")
		group.Spec.Sink = v1alpha1.Sink{ProducerBinding: v1alpha1.ProducerBindingSink{Name: "billed"}}
		binding = newProducerBinding(namespace, "billed", "main", "billed")
		workers = &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "billing"}}
	})
	stalls := func(ctx context.Context, reason, says string) {
		GinkgoHelper()
		for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionStalled} {
			Eventually(condition(group, kind)).WithContext(ctx).Should(And(
				HaveField("Reason", reason), HaveField("Message", ContainSubstring(says))))
		}
		Expect(group.Status.Columns.Sink).To(Equal("ProducerBinding billed"))
	}
	runs := func(ctx context.Context, count int32) {
		GinkgoHelper()
		Eventually(komega.Object(workers)).WithContext(ctx).Should(HaveField("Spec.Replicas", HaveValue(Equal(count))))
	}

	It("waits for it, and says that it is not there, or not ready", func(ctx SpecContext) {
		create(ctx, group)
		stalls(ctx, v1alpha1.ReasonBindingMissing, "ProducerBinding billed does not exist in this namespace")
		Expect(komega.Get(workers)()).NotTo(Succeed())
		create(ctx, binding)
		runs(ctx, 1)
		Expect(workers.Spec.Template.Spec.Volumes).To(ContainElement(HaveField("Projected.Sources", ConsistOf(
			HaveField("ServiceAccountToken", And(HaveField("Path", "token"),
				HaveField("Audience", "kafka.samsa.dev/producerbinding/"+namespace+"/billed")))))))
		Eventually(condition(group, v1alpha1.ConditionDelivering)).WithContext(ctx).Should(And(
			beCondition(group, metav1.ConditionFalse, v1alpha1.ReasonBindingNotReady),
			HaveField("Message", ContainSubstring("ProducerBinding billed is not ready: Starting"))))
		runGateways(ctx, binding)
		Eventually(condition(group, v1alpha1.ConditionDelivering)).WithContext(ctx).ShouldNot(
			HaveField("Reason", v1alpha1.ReasonBindingNotReady))

		By("it goes")
		uid, template := workers.UID, *workers.Spec.Template.DeepCopy()
		Expect(api.Delete(ctx, binding)).To(Succeed())
		stalls(ctx, v1alpha1.ReasonBindingMissing, "create it, or correct spec.sink.producerBinding")
		Expect(komega.Get(workers)()).To(Succeed())
		Expect(workers.UID).To(Equal(uid))
		Expect(workers.Spec.Template).To(Equal(template), "workers stay as they are")
		Expect(workers.Spec.Replicas).To(HaveValue(Equal(int32(1))))
	})

	It("is told to trust whom the binding tells to", func(ctx SpecContext) {
		binding.Spec.HTTP.TLS.SecretRef.Name = "tls"
		certificate, server := authority()
		create(ctx, group, binding, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "tls"},
			Data:       map[string][]byte{"tls.crt": certificate, "tls.key": privateKey(server), "ca.crt": certificate},
		})
		Eventually(komega.Object(workers)).WithContext(ctx).WithTimeout(2 * healing).Should(
			HaveField("Spec.Template.Spec.Volumes", ContainElement(HaveField("Projected.Sources", ContainElement(
				HaveField("Secret.Name", "billed-binding"))))))
	})

	DescribeTable("does not publish what it consumes", func(ctx SpecContext, change func()) {
		change()
		create(ctx, group, binding)
		runs(ctx, 1)
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Topic = "orders" })
		stalls(ctx, v1alpha1.ReasonSinkLoops, "publishes to topic orders of the same Kafka, which this group consumes")
		runs(ctx, 0)
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Topic = "billed" })
		runs(ctx, 1)
	},
		Entry("from one KafkaCluster", func() {}),
		Entry("by a pattern", func() { group.Spec.Topics, group.Spec.TopicPattern = nil, "ord.*" }),
		Entry("from a KafkaCluster of another name", func() { binding.Spec.ClusterRef.Name = "alias" }),
	)

	It("has to be allowed to publish", func(ctx SpecContext) {
		binding.Spec.HTTP.Auth.ServiceAccount.Allow = []v1alpha1.AllowedAccount{
			{Namespace: namespace, ServiceAccount: "billing"},
		}
		create(ctx, binding, group)
		stalls(ctx, v1alpha1.ReasonBindingRefuses, "ServiceAccount "+namespace+"/default")
		Expect(komega.Get(workers)()).NotTo(Succeed())
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Template.Spec.ServiceAccountName = "billing" })
		runs(ctx, 1)
	})

	It("needs one that takes tokens", func(ctx SpecContext) {
		binding.Spec.HTTP.Auth = v1alpha1.BindingAuth{Type: v1alpha1.AuthBasic, Basic: v1alpha1.BasicAuth{
			SecretRef: v1alpha1.SecretKeyReference{Name: "users", Key: "users"},
		}}
		create(ctx, binding, group)
		stalls(ctx, v1alpha1.ReasonBindingRefuses, "knows its callers by Basic")
	})
})
