// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"runtime"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// flood is how many groups come at once.
const flood = 200

var _ = Describe("A flood of ConsumerGroups", func() {
	It("leaves nothing behind once it is gone", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		w := startWorld(ctx, map[string]int32{"orders": 4})
		startManager(ctx, namespace)
		// One that stays, so that the connection does.
		stays := newConsumerGroup(namespace, "stays", "main", "orders")
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		create(ctx, cluster, stays)
		Eventually(condition(stays, v1alpha1.ConditionTopicsResolved)).WithContext(ctx).Should(
			HaveField("Status", metav1.ConditionTrue))
		goroutines := runtime.NumGoroutine()

		groups := make([]*v1alpha1.ConsumerGroup, flood)
		for i := range groups {
			groups[i] = newConsumerGroup(namespace, fmt.Sprintf("flood-%d", i), "main", "orders")
			switch i % 4 {
			case 1:
				groups[i].Spec.DeletionPolicy = v1alpha1.DeletionDelete
			case 2:
				groups[i].Spec.Semantics = v1alpha1.SemanticsTopic
			case 3:
				groups[i].Spec.Group = fmt.Sprintf("shared-%d", i%8) // many of one name
			}
		}
		Expect(each(groups, func(g *v1alpha1.ConsumerGroup) error { return api.Create(ctx, g) })).To(Succeed())
		Expect(each(groups, func(g *v1alpha1.ConsumerGroup) error {
			patch := fmt.Appendf(nil, `{"spec":{"replicas":3,"commitInterval":"2s"}}`)
			return api.Patch(ctx, g, client.RawPatch(types.MergePatchType, patch))
		})).To(Succeed())
		Eventually(observedOf(namespace)).WithContext(ctx).WithTimeout(2*time.Minute).WithPolling(time.Second).
			Should(Equal(flood+1), "each has a status of its present generation")
		Expect(each(groups, func(g *v1alpha1.ConsumerGroup) error { return api.Delete(ctx, g) })).To(Succeed())
		Eventually(komega.ObjectList(&v1alpha1.ConsumerGroupList{}, client.InNamespace(namespace))).WithContext(ctx).
			WithTimeout(time.Minute).Should(HaveField("Items", HaveLen(1)))
		Expect(w.ZooKeeper.Children(w.Path("/consumers"))).To(BeEmpty())

		// Watches are not counted: ZooKeeper keeps those on nodes that are gone until the session ends, since its protocol of
		// that time has no word for taking one back.
		Eventually(runtime.NumGoroutine).WithTimeout(time.Minute).Should(BeNumerically("<=", goroutines+spareGoroutines))
		update(ctx, stays, func(g *v1alpha1.ConsumerGroup) { g.Spec.Replicas = ptr.To[int32](2) })
		Eventually(komega.Object(stays)).WithContext(ctx).Should(WithTransform(func(g *v1alpha1.ConsumerGroup) bool {
			return *g.Status.ObservedGeneration == g.Generation
		}, BeTrue()), "the others have not been forgotten with them")
	}, NodeTimeout(5*time.Minute))
})

// spareGoroutines are those of HTTP connections, which come and go: a group that stayed behind would have two of its
// own, and 200 of them 400.
const spareGoroutines = 30

func each(groups []*v1alpha1.ConsumerGroup, act func(*v1alpha1.ConsumerGroup) error) error {
	var all errgroup.Group
	all.SetLimit(32)
	for _, group := range groups {
		all.Go(func() error { return act(group) })
	}
	return all.Wait()
}

// observedOf counts the groups whose status is of their present generation.
func observedOf(namespace string) func(context.Context) (int, error) {
	return func(ctx context.Context) (count int, err error) {
		var list v1alpha1.ConsumerGroupList
		err = api.List(ctx, &list, client.InNamespace(namespace))
		for i := range list.Items {
			observed := list.Items[i].Status.ObservedGeneration
			if observed != nil && *observed == list.Items[i].Generation {
				count++
			}
		}
		return count, err
	}
}
