// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// resolveCluster finds the KafkaCluster. A cluster that is away or cannot be used is no error: workers that run go on,
// and the cluster's own changes wake this group.
func (r *ConsumerGroupReconciler) resolveCluster(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	cluster := &v1alpha1.KafkaCluster{}
	key := clusterKey(s.group)
	err := r.client.Get(ctx, key, cluster)
	s.looked = client.IgnoreNotFound(err) == nil
	switch {
	case apierrors.IsNotFound(err):
		s.block(blocker{reason: v1alpha1.ReasonClusterMissing, message: fmt.Sprintf(
			"KafkaCluster %s does not exist in this namespace: create it, or correct spec.clusterRef", key.Name)})
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	}
	s.cluster = cluster
	s.usable = vouched(cluster)
	if !s.usable {
		s.block(notReady(cluster))
	}
	return ctrl.Result{}, nil
}

func clusterKey(group *v1alpha1.ConsumerGroup) types.NamespacedName {
	return types.NamespacedName{Namespace: group.Namespace, Name: group.Spec.ClusterRef.Name}
}

// vouched tells that a cluster works as its spec says now.
func vouched(cluster *v1alpha1.KafkaCluster) bool {
	ready := meta.FindStatusCondition(cluster.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == cluster.Generation
}

func notReady(cluster *v1alpha1.KafkaCluster) blocker {
	conditions := cluster.Status.Conditions
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	why := "its first connection is being made"
	if ready != nil && ready.Status != metav1.ConditionTrue {
		why = ready.Reason + ": " + ready.Message
	}
	stalled := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)
	return blocker{
		reason: v1alpha1.ReasonClusterNotReady, waits: !stalled,
		message: fmt.Sprintf("KafkaCluster %s is not ready: %s", cluster.Name, why),
	}
}

// checkName bars workers of a group whose name cannot stand in the registry.
func (*ConsumerGroupReconciler) checkName(_ context.Context, s *groupScope) (ctrl.Result, error) {
	name := workload.GroupName(s.group)
	if s.group.Spec.Semantics == v1alpha1.SemanticsTopic {
		name = workload.OrdinalGroup(name, max(0, workload.Replicas(s.group)-1))
	}
	if err := layout.CheckName(name); err != nil {
		s.barred = true
		// This reason goes before those found so far: nothing else can mend it.
		s.blocker = blocker{reason: v1alpha1.ReasonGroupInvalid, message: fmt.Sprintf(
			"the group's name %v; it cannot be changed, so create another ConsumerGroup with another spec.group", err)}
	}
	return ctrl.Result{}, nil
}

// groupsOfCluster are the groups to wake for a KafkaCluster.
func (r *ConsumerGroupReconciler) groupsOfCluster(ctx context.Context, cluster client.Object) []reconcile.Request {
	var groups v1alpha1.ConsumerGroupList
	// The cache answers, and it fails only while it is not running: then there is nobody to wake.
	_ = r.client.List(ctx, &groups,
		client.InNamespace(cluster.GetNamespace()), client.MatchingFields{clusterIndex: cluster.GetName()})
	return requests(groups.Items)
}

func requests(groups []v1alpha1.ConsumerGroup) []reconcile.Request {
	list := make([]reconcile.Request, len(groups))
	for i := range groups {
		list[i].NamespacedName = client.ObjectKeyFromObject(&groups[i])
	}
	return list
}
