// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

var _ = Describe("The life of a ConsumerGroup", func() {
	var (
		namespace string
		w         *world.World
		group     *v1alpha1.ConsumerGroup
		cluster   *v1alpha1.KafkaCluster
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		w = startWorld(ctx, map[string]int32{"orders": 4})
		startManager(ctx, namespace)
		cluster = newKafkaCluster(namespace, "main", w.Connect())
		create(ctx, cluster)
		group = newConsumerGroup(namespace, "billing", "main", "orders")
	})
	positions := func(group string) []string {
		return w.ZooKeeper.Children(w.Path("/consumers/" + group + "/offsets/orders"))
	}

	Describe("its objects", func() {
		var set *appsv1.StatefulSet
		BeforeEach(func(ctx SpecContext) {
			startNode(ctx, namespace, idle)
			group.Spec.Replicas = ptr.To[int32](2)
			create(ctx, group)
			set = &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "billing"}}
			Eventually(komega.Object(set)).WithContext(ctx).Should(HaveField("Status.ReadyReplicas", int32(2)))
		})

		It("are put back where somebody edits what is applied, and keep what somebody adds", func(ctx SpecContext) {
			update(ctx, set, func(s *appsv1.StatefulSet) {
				s.Annotations["somebody"] = "was here"
				s.Spec.Replicas = ptr.To[int32](7)
				s.Spec.Template.Spec.Containers[0].Image = "other"
			})
			Eventually(komega.Object(set)).WithContext(ctx).Should(And(
				HaveField("Spec.Replicas", HaveValue(Equal(int32(2)))),
				HaveField("Spec.Template.Spec.Containers", ConsistOf(HaveField("Image", workerImage))),
				HaveField("ObjectMeta.Annotations", HaveKeyWithValue("somebody", "was here"))))
		})

		It("are put back where somebody takes their labels away", func(ctx SpecContext) {
			for _, child := range children("billing", namespace) {
				Expect(komega.Get(child)()).To(Succeed())
				before := child.GetLabels()
				update(ctx, child, func(o client.Object) { o.SetLabels(nil) })
				Eventually(komega.Object(child)).WithContext(ctx).Should(HaveField("ObjectMeta.Labels", before))
			}
		})

		It("come back when somebody deletes them", func(ctx SpecContext) {
			for _, child := range children("billing", namespace) {
				Expect(api.Delete(ctx, child)).To(Succeed())
				Eventually(komega.Get(child)).WithContext(ctx).Should(Succeed())
			}
		})

		It("lose what the spec leaves out again", func(ctx SpecContext) {
			update(ctx, group, func(g *v1alpha1.ConsumerGroup) {
				g.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "fast"}
			})
			Eventually(komega.Object(set)).WithContext(ctx).Should(
				HaveField("Spec.Template.Spec.NodeSelector", HaveLen(1)))
			update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Template = v1alpha1.PodTemplate{} })
			Eventually(komega.Object(set)).WithContext(ctx).Should(HaveField("Spec.Template.Spec.NodeSelector", BeEmpty()))
		})

		It("have no budget for one pod", func(ctx SpecContext) {
			budget := &policyv1.PodDisruptionBudget{ObjectMeta: set.ObjectMeta}
			Eventually(komega.Get(budget)).WithContext(ctx).Should(Succeed())
			update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Replicas = ptr.To[int32](1) })
			Eventually(komega.Get(budget)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
		})

		It("have one configuration at a time, once pods have the new one", func(ctx SpecContext) {
			before := configMapsNamed(ctx, namespace)
			update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.CommitInterval = "2s" })
			Eventually(func() []string { return configMapsNamed(ctx, namespace) }).WithContext(ctx).Should(
				And(HaveLen(1), Not(Equal(before))))
			Expect(komega.Object(set)()).To(HaveField("Spec.Template.Spec.Volumes",
				ContainElement(HaveField("VolumeSource.ConfigMap.Name", configMapsNamed(ctx, namespace)[0]))))
		})
	})

	It("stops and goes on: suspend, and no replicas", func(ctx SpecContext) {
		startNode(ctx, namespace)
		create(ctx, group)
		consumes(ctx, group)
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Suspend = new(true) })
		Eventually(podsOf).WithArguments(ctx, namespace).Should(BeEmpty())
		becomes(ctx, group, metav1.ConditionFalse, v1alpha1.ReasonSuspended, status.InProgressStatus)
		Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("PartitionCount", HaveValue(Equal(int32(4)))), HaveField("OwnedPartitions", HaveValue(BeZero())),
			HaveField("Lag", Not(BeNil())))), "they are known without workers, too")
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) {
			g.Spec.Suspend, g.Spec.Replicas = new(false), ptr.To[int32](0)
		})
		becomes(ctx, group, metav1.ConditionFalse, v1alpha1.ReasonScaledToZero, status.InProgressStatus)
		Eventually(condition(group, v1alpha1.ConditionReconciling)).WithContext(ctx).Should(Equal(metav1.Condition{}))
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Replicas = ptr.To[int32](1) })
		consumes(ctx, group)
	})

	Describe("its end", func() {
		var hands *node
		BeforeEach(func(ctx SpecContext) { hands = startNode(ctx, namespace) })

		It("leaves the positions with Retain", func(ctx SpecContext) {
			create(ctx, group)
			consumes(ctx, group)
			Expect(group.Finalizers).To(BeEmpty())
			Expect(api.Delete(ctx, group)).To(Succeed())
			Eventually(komega.Get(group)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
			hands.stop() // as the garbage collector would
			Expect(positions("billing")).To(HaveLen(4))
		})

		It("takes the positions along with Delete", func(ctx SpecContext) {
			group.Spec.DeletionPolicy = v1alpha1.DeletionDelete
			create(ctx, group)
			consumes(ctx, group)
			Expect(group.Finalizers).To(ConsistOf(controllers.PositionsFinalizer))
			Expect(positions("billing")).To(HaveLen(4))
			Expect(api.Delete(ctx, group)).To(Succeed())
			Eventually(komega.Get(group)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
			Expect(podsOf(ctx, namespace)).To(BeEmpty(), "they ended before")
			Expect(w.ZooKeeper.Children(w.Path("/consumers"))).NotTo(ContainElement("billing"))
		})

		It("has the finalizer as the policy says", func(ctx SpecContext) {
			create(ctx, group)
			for _, policy := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionDelete, v1alpha1.DeletionRetain} {
				update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.DeletionPolicy = policy })
				Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("ObjectMeta.Finalizers",
					HaveLen(map[v1alpha1.DeletionPolicy]int{v1alpha1.DeletionDelete: 1, v1alpha1.DeletionRetain: 0}[policy])))
			}
		})

		It("waits for members that are not samsa's", func(ctx SpecContext) {
			group.Spec.DeletionPolicy = v1alpha1.DeletionDelete
			create(ctx, group)
			consumes(ctx, group)
			leave := joinForeign(ctx, w, "billing", "orders")
			Expect(api.Delete(ctx, group)).To(Succeed())
			Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
				HaveField("Reason", v1alpha1.ReasonDeleting), HaveField("Message", ContainSubstring("in use by"))))
			Expect(kstatus(group)(ctx)).To(Equal(status.TerminatingStatus))
			Expect(positions("billing")).To(HaveLen(4))
			leave()
			Eventually(komega.Get(group)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
			Expect(positions("billing")).To(BeEmpty())
		})

		It("comes even if the cluster cannot be reached any more", func(ctx SpecContext) {
			group.Spec.DeletionPolicy = v1alpha1.DeletionDelete
			group.Spec.ClusterRef.Name = "absent"
			create(ctx, group)
			Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("ObjectMeta.Finalizers", HaveLen(1)))
			Expect(api.Delete(ctx, group)).To(Succeed())
			Eventually(komega.Get(group)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
			Eventually(eventReasons).WithArguments(ctx, group).Should(ContainElement(v1alpha1.EventDeletionGaveUp))
		})

		It("takes all groups of semantics Topic along, of pods that are gone, too", func(ctx SpecContext) {
			group.Spec.Semantics, group.Spec.DeletionPolicy = v1alpha1.SemanticsTopic, v1alpha1.DeletionDelete
			group.Spec.Replicas = ptr.To[int32](3)
			create(ctx, group)
			consumes(ctx, group)
			Expect(group.Status.PartitionCount).To(HaveValue(Equal(int32(12))))
			Expect(group.Status.MemberCount).To(HaveValue(Equal(int32(3))))
			Expect(group.Status.Ordinals).To(HaveValue(Equal(int32(3))))
			Expect(group.Status.Partitions).To(ContainElement(HaveField("Group", "billing-2")))
			for i := range 3 {
				Expect(positions(fmt.Sprintf("billing-%d", i))).To(HaveLen(4))
			}
			update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Replicas = ptr.To[int32](1) })
			consumes(ctx, group)
			Expect(positions("billing-2")).To(HaveLen(4))
			Expect(api.Delete(ctx, group)).To(Succeed())
			Eventually(komega.Get(group)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
			for i := range 3 {
				Expect(positions(fmt.Sprintf("billing-%d", i))).To(BeEmpty())
			}
		})
	})

	Describe("when another one has its group", func() {
		DescribeTable("gets no workers until that one is gone",
			func(ctx SpecContext, older, younger v1alpha1.Semantics, olderGroup, youngerGroup string) {
				startNode(ctx, namespace)
				group.Spec.Semantics, group.Spec.Group = older, olderGroup
				create(ctx, group)
				consumes(ctx, group)
				alias := newKafkaCluster(namespace, "alias", w.Connect()) // another object, the same ensemble
				other := newConsumerGroup(namespace, "other", "alias", "orders")
				other.Spec.Semantics, other.Spec.Group = younger, youngerGroup
				other.Spec.DeletionPolicy = v1alpha1.DeletionDelete
				awaitSecond(ctx, group)
				create(ctx, alias, other)
				becomes(ctx, other, metav1.ConditionFalse, v1alpha1.ReasonGroupInUse, status.FailedStatus)
				Expect(condition(other, v1alpha1.ConditionReady)(ctx)).To(HaveField("Message", ContainSubstring("/billing")))
				Expect(podsOf(ctx, namespace)).To(HaveLen(1))
				consumes(ctx, group)
				Expect(api.Delete(ctx, group)).To(Succeed())
				Expect(api.Delete(ctx, children("billing", namespace)[0])).To(Succeed()) // as the garbage collector would
				Expect(api.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(namespace))).To(Succeed())
				Eventually(podsOf).WithArguments(ctx, namespace).Should(HaveKey("other-0"))
			},
			Entry("a Queue of that name", v1alpha1.SemanticsQueue, v1alpha1.SemanticsQueue, "x", "x"),
			Entry("a Topic over a Queue", v1alpha1.SemanticsTopic, v1alpha1.SemanticsQueue, "x", "x-0"),
			Entry("a Queue under a Topic", v1alpha1.SemanticsQueue, v1alpha1.SemanticsTopic, "x-7", "x"),
		)

		It("leaves that one's positions when it is deleted", func(ctx SpecContext) {
			startNode(ctx, namespace)
			create(ctx, group)
			consumes(ctx, group)
			awaitSecond(ctx, group)
			other := newConsumerGroup(namespace, "other", "main", "orders")
			other.Spec.Group, other.Spec.DeletionPolicy = "billing", v1alpha1.DeletionDelete
			create(ctx, other)
			becomes(ctx, other, metav1.ConditionFalse, v1alpha1.ReasonGroupInUse, status.FailedStatus)
			Expect(api.Delete(ctx, other)).To(Succeed())
			Eventually(komega.Get(other)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
			Expect(positions("billing")).To(HaveLen(4))
			consumes(ctx, group)
		})
	})
})

// awaitSecond waits until what is made now counts as younger: creation times are whole seconds.
func awaitSecond(ctx context.Context, group *v1alpha1.ConsumerGroup) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: group.Namespace, GenerateName: "clock-"}}
		g.Expect(api.Create(ctx, probe)).To(Succeed())
		g.Expect(probe.CreationTimestamp.After(group.CreationTimestamp.Time)).To(BeTrue())
	}).WithContext(ctx).Should(Succeed())
}

func configMapsNamed(ctx context.Context, namespace string) []string {
	GinkgoHelper()
	list, err := configMapsOf(namespace)(ctx)
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for i := range list {
		names = append(names, list[i].Name)
	}
	return names
}

// eventReasons are those of all events about an object.
func eventReasons(ctx context.Context, object client.Object) []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(api.List(ctx, &list, client.InNamespace(object.GetNamespace()))).To(Succeed())
	var reasons []string
	for i := range list.Items {
		if list.Items[i].Regarding.UID == object.GetUID() {
			reasons = append(reasons, list.Items[i].Reason)
		}
	}
	return reasons
}
