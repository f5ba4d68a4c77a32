// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// newKafkaCluster is a KafkaCluster at a connect string, with a session that a world of 200 ms ticks grants.
func newKafkaCluster(namespace, name, connect string) *v1alpha1.KafkaCluster {
	return &v1alpha1.KafkaCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.KafkaClusterSpec{
			ZooKeeper: v1alpha1.ZooKeeper{Connect: connect, SessionTimeout: "2s"},
		},
	}
}

// newConsumerGroup is a ConsumerGroup of one topic that discards what it gets.
func newConsumerGroup(namespace, name, cluster, topic string) *v1alpha1.ConsumerGroup {
	return &v1alpha1.ConsumerGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ConsumerGroupSpec{
			ClusterRef: v1alpha1.ClusterReference{Name: cluster},
			Topics:     []v1alpha1.TopicName{v1alpha1.TopicName(topic)},
			Sink:       v1alpha1.Sink{Discard: &v1alpha1.DiscardSink{}},
		},
	}
}

// newSecret is a Secret with one key.
func newSecret(namespace, name, key, value string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		StringData: map[string]string{key: value},
	}
}

// create creates objects, and gives them back.
func create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(api.Create(ctx, object)).To(Succeed())
	}
}

// conditioned is a kind of this API.
type conditioned interface {
	client.Object
	GetConditions() []metav1.Condition
}

// condition gives the current condition of an object for Eventually; its status is empty if there is none.
func condition(object conditioned, kind string) func(context.Context) (metav1.Condition, error) {
	return func(ctx context.Context) (metav1.Condition, error) {
		if err := api.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return metav1.Condition{}, err
		}
		if found := meta.FindStatusCondition(object.GetConditions(), kind); found != nil {
			return *found, nil
		}
		return metav1.Condition{}, nil
	}
}

// beCondition matches a condition of the object's present generation.
func beCondition(object client.Object, is metav1.ConditionStatus, reason string) OmegaMatcher {
	return And(
		HaveField("Status", is), HaveField("Reason", reason),
		WithTransform(func(c metav1.Condition) bool { return c.ObservedGeneration == object.GetGeneration() }, BeTrue()),
	)
}

// kstatus is what tools that know kstatus make of an object: Current, InProgress, Failed.
func kstatus(object client.Object) func(context.Context) (status.Status, error) {
	return func(ctx context.Context) (status.Status, error) {
		kind, err := api.GroupVersionKindFor(object)
		if err != nil {
			return status.UnknownStatus, err
		}
		seen := &unstructured.Unstructured{}
		seen.SetGroupVersionKind(kind)
		if err := api.Get(ctx, client.ObjectKeyFromObject(object), seen); err != nil {
			return status.UnknownStatus, err
		}
		result, err := status.Compute(seen)
		if err != nil {
			return status.UnknownStatus, err
		}
		return result.Status, nil
	}
}

// update changes an object, again if somebody else did meanwhile.
func update[O client.Object](ctx context.Context, object O, change func(O)) {
	GinkgoHelper()
	Eventually(komega.Update(object, func() { change(object) })).WithContext(ctx).Should(Succeed())
}
