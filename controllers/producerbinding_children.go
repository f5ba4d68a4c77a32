// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

func (r *ProducerBindingReconciler) applier() applier { return applier{r.client, r.reader} }

// look finds the Deployment and its pods.
func (r *ProducerBindingReconciler) look(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: s.binding.Namespace, Name: workload.GatewayName(s.binding.Name)}
	err := r.client.Get(ctx, key, deployment)
	switch {
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	case !metav1.IsControlledBy(deployment, s.binding):
		return ctrl.Result{}, nil // applying finds out, and says so
	}
	s.deployment = deployment
	var pods corev1.PodList
	if err := r.client.List(ctx, &pods, client.InNamespace(s.binding.Namespace),
		client.MatchingLabels(workload.GatewaySelector(s.binding.Name))); err != nil {
		return ctrl.Result{}, err
	}
	s.pods = slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool {
		set := metav1.GetControllerOf(&pod)
		return set == nil || set.Kind != "ReplicaSet" || !strings.HasPrefix(set.Name, deployment.Name+"-")
	})
	slices.SortFunc(s.pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	s.inForce = map[string]bool{}
	for i := range s.pods {
		s.keep(&s.pods[i].Spec)
	}
	s.keep(&deployment.Spec.Template.Spec)
	return ctrl.Result{}, nil
}

func (s *bindingScope) keep(spec *corev1.PodSpec) {
	for _, name := range configMapsOf(spec) {
		s.inForce[name] = true
	}
}

// applyFront makes the objects by which the binding is known. They need no cluster.
func (r *ProducerBindingReconciler) applyFront(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	front := workload.FrontOf(s.binding, s.certificates)
	children := []child{{&corev1.Service{}, front.Service}, {&corev1.Secret{}, front.Secret}}
	if front.Account != nil {
		children = append(children, child{&corev1.ServiceAccount{}, front.Account})
	}
	if front.Peers != nil {
		children = append(children, child{&corev1.Service{}, front.Peers})
	}
	if front.Disruption != nil {
		children = append(children, child{&policyv1.PodDisruptionBudget{}, front.Disruption})
	}
	var errs []error
	if front.Disruption == nil {
		_, err := r.applier().remove(ctx, s.owner(), client.ObjectKey{
			Namespace: s.binding.Namespace, Name: workload.GatewayName(s.binding.Name),
		}, &policyv1.PodDisruptionBudget{})
		errs = append(errs, err)
	}
	failed := false
	for _, c := range children {
		_, err := r.applier().ensure(ctx, s.owner(), c.live, c.desired)
		failed = failed || err != nil
		if !s.refused(err) {
			errs = append(errs, err)
		}
	}
	s.fronted = !failed
	if failed {
		return ctrl.Result{RequeueAfter: foreignCheck}, errors.Join(errs...)
	}
	return ctrl.Result{}, errors.Join(errs...)
}

// child is an object as it stands and as it should.
type child struct {
	live    client.Object
	desired any
}

// applyGateways makes the gateways what the spec says. Where that cannot be known, the pods' template stays as it is
// and only their number follows: nothing that is wrong with a cluster or a spec may replace a gateway that runs.
func (r *ProducerBindingReconciler) applyGateways(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	if !s.usable || s.held {
		return ctrl.Result{}, r.scale(ctx, s)
	}
	gateway, err := workload.OfGateway(s.binding, s.cluster, s.verification, r.options)
	if invalid, ok := errors.AsType[*workload.InvalidError](err); ok {
		s.block(blocker{reason: v1alpha1.ReasonConfigurationInvalid, message: fmt.Sprintf(
			"the gateways would refuse their configuration: %s", strings.ReplaceAll(invalid.Error(), "\n", "; "))})
		return ctrl.Result{}, r.scale(ctx, s)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	if s.inForce == nil {
		s.inForce = map[string]bool{}
	}
	s.inForce[*gateway.ConfigMap.Name] = true
	for _, c := range []child{
		{&corev1.ConfigMap{}, gateway.ConfigMap},
		{&appsv1.Deployment{}, gateway.Deployment},
	} {
		changed, err := r.applier().ensure(ctx, s.owner(), c.live, c.desired)
		s.applied = s.applied || changed
		switch {
		case s.refused(err): // pods without their configuration are not worth starting
			return ctrl.Result{RequeueAfter: foreignCheck}, nil
		case err != nil:
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, nil
}

// scale follows the number of replicas where nothing else of a Deployment can be known.
func (r *ProducerBindingReconciler) scale(ctx context.Context, s *bindingScope) error {
	d := s.deployment
	if d == nil || d.Spec.Replicas != nil && *d.Spec.Replicas == s.wanted() {
		return nil
	}
	patch := client.RawPatch(mergePatch, fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"replicas":%d}}`,
		d.UID, s.wanted()))
	s.applied = true
	return client.IgnoreNotFound(r.client.Patch(ctx, d.DeepCopy(), patch, fieldOwner))
}

// rolledOut tells that the gateways are what the spec says.
func (s *bindingScope) rolledOut() bool {
	if s.deployment == nil || s.applied {
		return false
	}
	status := &s.deployment.Status
	return status.ObservedGeneration >= s.deployment.Generation && status.Replicas == s.wanted() &&
		status.UpdatedReplicas == s.wanted() && status.AvailableReplicas == s.wanted()
}

// sweepConfigMaps removes the configurations of revisions that are over: those that no pod has, once the rollout is.
func (r *ProducerBindingReconciler) sweepConfigMaps(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	if !s.usable || s.held || !s.rolledOut() {
		return ctrl.Result{}, nil
	}
	var configMaps corev1.ConfigMapList
	if err := r.client.List(ctx, &configMaps, client.InNamespace(s.binding.Namespace),
		client.MatchingLabels(workload.GatewaySelector(s.binding.Name))); err != nil {
		return ctrl.Result{}, err
	}
	var errs []error
	for i := range configMaps.Items {
		old := &configMaps.Items[i]
		if s.inForce[old.Name] || !metav1.IsControlledBy(old, s.binding) || !old.DeletionTimestamp.IsZero() {
			continue
		}
		errs = append(errs, client.IgnoreNotFound(r.client.Delete(ctx, old, client.Preconditions{UID: &old.UID})))
	}
	return ctrl.Result{}, errors.Join(errs...)
}
