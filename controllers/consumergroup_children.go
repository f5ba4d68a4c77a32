// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// applyChildren makes the group's objects what the spec says. Where that cannot be known, the pods' template stays as
// it is and only their number follows: nothing that is wrong with a cluster or a spec may replace a worker that runs.
func (r *ConsumerGroupReconciler) applyChildren(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	if s.barred {
		return ctrl.Result{}, r.scale(ctx, s, 0)
	}
	if !s.usable || s.held {
		return ctrl.Result{}, r.scale(ctx, s, workload.Replicas(s.group))
	}
	resolved := workload.Resolved{Cluster: s.cluster, Coordination: s.coordination, Binding: s.binding}
	children, err := workload.Of(s.group, resolved, r.options)
	if invalid, ok := errors.AsType[*workload.InvalidError](err); ok {
		why := strings.ReplaceAll(invalid.Error(), "\n", "; ")
		s.block(blocker{
			reason: v1alpha1.ReasonConfigurationInvalid, message: "the workers would refuse their configuration: " + why,
		})
		return ctrl.Result{}, r.scale(ctx, s, workload.Replicas(s.group))
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	return r.applyAll(ctx, s, &children)
}

// applyAll goes in the order in which the objects need each other.
func (r *ConsumerGroupReconciler) applyAll(
	ctx context.Context, s *groupScope, children *workload.Children,
) (again ctrl.Result, err error) {
	s.keep(*children.ConfigMap.Name)
	var errs []error
	for _, child := range []struct {
		live    client.Object
		desired any
	}{
		{&corev1.ConfigMap{}, children.ConfigMap},
		{&corev1.Service{}, children.Service},
		{&appsv1.StatefulSet{}, children.StatefulSet},
	} {
		err := r.ensure(ctx, s, child.live, child.desired)
		if !s.refused(err) {
			errs = append(errs, err)
		}
		if err != nil { // pods without their configuration or their names are not worth starting
			return ctrl.Result{RequeueAfter: foreignCheck}, errors.Join(errs...)
		}
	}
	if err := r.ensureDisruption(ctx, s, children); !s.refused(err) {
		return ctrl.Result{}, err
	} else if err != nil {
		again.RequeueAfter = foreignCheck
	}
	return again, nil
}

// ensureDisruption has a budget of its own object's life: it goes when there is nothing left to protect.
func (r *ConsumerGroupReconciler) ensureDisruption(
	ctx context.Context, s *groupScope, children *workload.Children,
) error {
	live := &policyv1.PodDisruptionBudget{}
	if children.Disruption != nil {
		return r.ensure(ctx, s, live, children.Disruption)
	}
	err := r.client.Get(ctx, s.key(), live)
	if err != nil || !metav1.IsControlledBy(live, s.group) || !live.DeletionTimestamp.IsZero() {
		return client.IgnoreNotFound(err)
	}
	s.applied = true
	return client.IgnoreNotFound(r.client.Delete(ctx, live, client.Preconditions{UID: &live.UID}))
}

// refused notes what somebody has to mend: an object in the way, or one that the API server will not have. It is false
// for errors that the next attempt may not meet, and for none.
func (s *groupScope) refused(err error) bool {
	b, ok := refusal(err)
	if ok {
		s.block(b)
	}
	return ok
}

// ensure applies one object, unless it stands there just so.
func (r *ConsumerGroupReconciler) ensure(ctx context.Context, s *groupScope, live client.Object, desired any) error {
	changed, err := applier{r.client, r.reader}.ensure(ctx, owner{s.group, "ConsumerGroup"}, live, desired)
	s.applied = s.applied || changed
	return err
}

// scale follows the number of replicas where nothing else of a StatefulSet can be known.
func (r *ConsumerGroupReconciler) scale(ctx context.Context, s *groupScope, replicas int32) error {
	if s.set == nil || s.set.Spec.Replicas != nil && *s.set.Spec.Replicas == replicas {
		return nil
	}
	patch := client.RawPatch(mergePatch, fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"replicas":%d}}`,
		s.set.UID, replicas))
	s.applied = true
	return client.IgnoreNotFound(r.client.Patch(ctx, s.set.DeepCopy(), patch, fieldOwner))
}
