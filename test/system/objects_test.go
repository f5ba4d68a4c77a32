// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// clusterName is that of every KafkaCluster here.
const clusterName = "kafka"

// createCluster makes the KafkaCluster.
func (s *stage) createCluster(change ...func(*v1alpha1.KafkaCluster)) {
	object := &v1alpha1.KafkaCluster{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName},
	}
	if s.kafka.ZooKeeper != nil {
		object.Spec.ZooKeeper = v1alpha1.ZooKeeper{Connect: s.kafka.Connect(), SessionTimeout: "4s"}
	}
	for _, address := range s.kafka.Bootstrap() {
		object.Spec.BootstrapServers = append(object.Spec.BootstrapServers, v1alpha1.BootstrapServer(address))
	}
	for _, change := range change {
		change(object)
	}
	s.create(object)
}

// createGroup makes a ConsumerGroup of one worker, and looks at its statuses from then on.
func (s *stage) createGroup(change ...func(*v1alpha1.ConsumerGroup)) *witness {
	object := s.newGroup(change...)
	s.create(object)
	return s.witness(object.Name, registered(object)...)
}

// newGroup is one whose timings are short. Waits between attempts are below the time that healing may take, or a group
// might stand after its sink is well again, as its spec would have it.
func (s *stage) newGroup(change ...func(*v1alpha1.ConsumerGroup)) *v1alpha1.ConsumerGroup {
	object := &v1alpha1.ConsumerGroup{
		ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: s.name},
		Spec: v1alpha1.ConsumerGroupSpec{
			ClusterRef: v1alpha1.ClusterReference{Name: clusterName}, Topics: []v1alpha1.TopicName{v1alpha1.TopicName(s.name)},
			Sink:     v1alpha1.Sink{HTTP: &v1alpha1.HTTPSink{URL: s.sink.url()}},
			Replicas: new(int32(1)), CommitInterval: "200ms", DrainTimeout: "5s",
			Delivery: v1alpha1.Delivery{Timeout: "2s", Retry: v1alpha1.Retry{InitialBackoff: "200ms", MaxBackoff: "2s"}},
		},
	}
	for _, change := range change {
		change(object)
	}
	return object
}

// registered are the names of a group in the registry.
func registered(object *v1alpha1.ConsumerGroup) (groups []string) {
	name := object.Spec.Group
	if name == "" {
		name = object.Name
	}
	if object.Spec.Semantics != v1alpha1.SemanticsTopic {
		return []string{name}
	}
	for ordinal := range *object.Spec.Replicas {
		groups = append(groups, fmt.Sprintf("%s-%d", name, ordinal))
	}
	return groups
}

func replicas(count int32) func(*v1alpha1.ConsumerGroup) {
	return func(g *v1alpha1.ConsumerGroup) { g.Spec.Replicas = &count }
}

// createTopic makes the topic.
func (s *stage) createTopic() {
	s.Expect(s.kafka.Brokers().CreateTopic(s.ctx, s.name, partitions)).To(Succeed())
}

// begin makes topic, cluster and group, and returns when the group is ready.
func (s *stage) begin(change ...func(*v1alpha1.ConsumerGroup)) *witness {
	s.createTopic()
	s.createCluster()
	w := s.createGroup(change...)
	s.isReady(starting)
	return w
}

// group is the ConsumerGroup as it is now.
func (s *stage) group(g Gomega, name string) *v1alpha1.ConsumerGroup {
	found := &v1alpha1.ConsumerGroup{}
	g.Expect(api.Get(s.ctx, types.NamespacedName{Namespace: s.name, Name: name}, found)).To(Succeed())
	return found
}

// change edits an object, again if somebody else did so meanwhile.
func change[T client.Object](s *stage, object T, name string, edit func(T)) {
	s.Eventually(s.ctx, func() error {
		if err := api.Get(s.ctx, types.NamespacedName{Namespace: s.name, Name: name}, object); err != nil {
			return err
		}
		edit(object)
		return api.Update(s.ctx, object)
	}).Should(Succeed())
}

func (s *stage) changeGroup(edit func(*v1alpha1.ConsumerGroup)) {
	change(s, &v1alpha1.ConsumerGroup{}, s.name, edit)
}

func (s *stage) changeCluster(edit func(*v1alpha1.KafkaCluster)) {
	change(s, &v1alpha1.KafkaCluster{}, clusterName, edit)
}

// isReady expects the group to become ready, for the spec as it is.
func (s *stage) isReady(within time.Duration) {
	s.nameIsReady(s.name, within)
}

func (s *stage) nameIsReady(name string, within time.Duration) {
	begin := time.Now()
	s.Eventually(s.ctx, func(g Gomega) {
		found := s.group(g, name)
		ready := meta.FindStatusCondition(found.Status.Conditions, v1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil(), "no status yet")
		g.Expect(ready.Status).To(BeEquivalentTo("True"), "%s: %s", ready.Reason, ready.Message)
		g.Expect(found.Status.ObservedGeneration).To(HaveValue(Equal(found.Generation)))
	}, within).Should(Succeed(), "%s is to be ready", name)
	s.step("%s is ready after %s", name, time.Since(begin).Round(10*time.Millisecond))
}

// heals expects the group to be ready as soon as the time allows that healing may take.
func (s *stage) heals() {
	s.isReady(healing)
}

// troubled expects the group not to be ready for a reason, told with what to do, and that it stays at that.
func (s *stage) troubled(within time.Duration, reason string, says ...string) {
	s.nameIsTroubled(s.name, within, reason, says...)
}

func (s *stage) nameIsTroubled(name string, within time.Duration, reason string, says ...string) {
	var told metav1.Condition
	s.Eventually(s.ctx, func(g Gomega) {
		ready := meta.FindStatusCondition(s.group(g, name).Status.Conditions, v1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil(), "no status yet")
		g.Expect(ready.Status).NotTo(BeEquivalentTo("True"))
		g.Expect(ready.Reason).To(Equal(reason), "%s", ready.Message)
		for _, text := range says {
			g.Expect(ready.Message).To(ContainSubstring(text))
		}
		told = *ready
	}, within).Should(Succeed(), "%s is to be not ready for reason %s", name, reason)
	s.step("%s is not ready: %s: %s", name, told.Reason, told.Message)
	s.Consistently(s.ctx, func(g Gomega) {
		ready := meta.FindStatusCondition(s.group(g, name).Status.Conditions, v1alpha1.ConditionReady)
		g.Expect(*ready).To(Equal(told), "what is said once is to stay while its cause does")
	}, 2*time.Second).Should(Succeed())
}

// says expects any condition of the group to give a reason.
func (s *stage) says(within time.Duration, reason string) {
	s.Eventually(s.ctx, func(g Gomega) {
		conditions := s.group(g, s.name).Status.Conditions
		g.Expect(slices.ContainsFunc(conditions, func(c metav1.Condition) bool { return c.Reason == reason })).
			To(BeTrue(), "%+v", conditions)
	}, within).Should(Succeed(), "a condition is to have the reason %s", reason)
	s.step("it says %s", reason)
}

// pod is what tells whether a worker was left alone.
type pod struct {
	Name     string
	UID      types.UID
	Restarts int32
	Ready    bool
}

// pods are those of the namespace, sorted by name.
func (s *stage) pods() []pod {
	var list corev1.PodList
	s.Expect(api.List(s.ctx, &list, client.InNamespace(s.name))).To(Succeed())
	pods := make([]pod, len(list.Items))
	for i := range list.Items {
		found := &list.Items[i]
		pods[i] = pod{Name: found.Name, UID: found.UID}
		for _, container := range found.Status.ContainerStatuses {
			pods[i].Restarts += container.RestartCount
			pods[i].Ready = container.Ready
		}
	}
	slices.SortFunc(pods, func(a, b pod) int { return strings.Compare(a.Name, b.Name) })
	return pods
}

// kill ends the process of a pod at once, as soon as there is one.
func (s *stage) kill(name string, within time.Duration) {
	s.Eventually(s.ctx, func() error { return system.Signal(s.name, name, syscall.SIGKILL) }, within).
		Should(Succeed(), "there is to be a process to kill")
	s.step("%s is killed", name)
}

// remove deletes an object and waits until it is gone.
func (s *stage) remove(object client.Object, name string) {
	object.SetNamespace(s.name)
	object.SetName(name)
	s.Expect(api.Delete(s.ctx, object)).To(Succeed())
	s.Eventually(s.ctx, func() bool {
		return apierrors.IsNotFound(api.Get(s.ctx, client.ObjectKeyFromObject(object), object))
	}, closing).Should(BeTrue(), "%T %s is to be gone", object, name)
}
