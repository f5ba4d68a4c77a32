// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/controllers/workload"
)

// look finds the StatefulSet and its pods.
func (r *ConsumerGroupReconciler) look(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	set := &appsv1.StatefulSet{}
	err := r.client.Get(ctx, s.key(), set)
	switch {
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	case !metav1.IsControlledBy(set, s.group):
		return ctrl.Result{}, nil // applying finds out, and says so
	}
	s.set = set
	var pods corev1.PodList
	if err := r.client.List(ctx, &pods,
		client.InNamespace(s.group.Namespace), client.MatchingLabels(workload.Selector(s.group.Name))); err != nil {
		return ctrl.Result{}, err
	}
	s.pods = slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool { return !metav1.IsControlledBy(&pod, set) })
	slices.SortFunc(s.pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	for i := range s.pods {
		s.keep(configMapsOf(&s.pods[i].Spec)...)
	}
	s.keep(configMapsOf(&set.Spec.Template.Spec)...)
	return ctrl.Result{}, nil
}

func (s *groupScope) keep(configMaps ...string) {
	if s.inForce == nil {
		s.inForce = map[string]bool{}
	}
	for _, name := range configMaps {
		s.inForce[name] = true
	}
}

func configMapsOf(spec *corev1.PodSpec) (names []string) {
	for i := range spec.Volumes {
		if source := spec.Volumes[i].ConfigMap; source != nil {
			names = append(names, source.Name)
		}
	}
	return names
}

// freeRollout deletes pods of a revision that is neither the one in force nor the one to come, and that are not ready:
// a StatefulSet may wait for such a pod for ever, and it will never be well.
//
// A pod of the revision in force is left alone even if it is not ready. While a broken edit is being rolled out those
// are the workers that run, and when ZooKeeper is away none of them is ready.
func (r *ConsumerGroupReconciler) freeRollout(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	if s.set == nil || s.set.Status.ObservedGeneration < s.set.Generation || s.set.Status.UpdateRevision == "" {
		return ctrl.Result{}, nil
	}
	var errs []error
	for i := range s.pods {
		pod := &s.pods[i]
		revision := pod.Labels[appsv1.StatefulSetRevisionLabel]
		if revision == s.set.Status.UpdateRevision || revision == s.set.Status.CurrentRevision ||
			ready(pod) || !pod.DeletionTimestamp.IsZero() {
			continue
		}
		s.applied = true
		errs = append(errs, client.IgnoreNotFound(r.client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID})))
	}
	return ctrl.Result{}, errors.Join(errs...)
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// rolledOut tells that the StatefulSet's pods are what its spec says.
func (s *groupScope) rolledOut() bool {
	if s.set == nil || s.applied {
		return s.set == nil && !s.applied && workload.Replicas(s.group) == 0
	}
	status := &s.set.Status
	return status.ObservedGeneration >= s.set.Generation && status.UpdateRevision == status.CurrentRevision &&
		s.set.Spec.Replicas != nil && status.Replicas == *s.set.Spec.Replicas &&
		status.ReadyReplicas == status.Replicas && int(status.Replicas) == len(s.pods)
}

// sweepConfigMaps removes the configurations of revisions that are over. While a rollout is under way the StatefulSet
// may still make pods of the revision before, so all stay.
func (r *ConsumerGroupReconciler) sweepConfigMaps(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	if s.applied || s.barred || !s.usable || s.set == nil || s.set.Status.ObservedGeneration < s.set.Generation ||
		s.set.Status.CurrentRevision != s.set.Status.UpdateRevision {
		return ctrl.Result{}, nil
	}
	var configMaps corev1.ConfigMapList
	if err := r.client.List(ctx, &configMaps,
		client.InNamespace(s.group.Namespace), client.MatchingLabels(workload.Selector(s.group.Name))); err != nil {
		return ctrl.Result{}, err
	}
	var errs []error
	for i := range configMaps.Items {
		old := &configMaps.Items[i]
		if s.inForce[old.Name] || !metav1.IsControlledBy(old, s.group) || !old.DeletionTimestamp.IsZero() {
			continue
		}
		errs = append(errs, client.IgnoreNotFound(r.client.Delete(ctx, old, client.Preconditions{UID: &old.UID})))
	}
	return ctrl.Result{}, errors.Join(errs...)
}

// groupOfPod is the group to wake for a worker's pod.
func groupOfPod(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[workload.GroupLabel]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: pod.GetNamespace(), Name: name}}}
}
