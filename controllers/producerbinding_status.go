// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// maxCertificates is the limit of the API.
const maxCertificates = 64 << 10

// bindingStatus computes the whole status of what a pass has seen. Of the status before it takes the times of
// conditions that stay, and, where a pass failed before it came so far, how tokens are checked and which workloads are
// bound.
func bindingStatus(s *bindingScope, before *v1alpha1.ProducerBindingStatus) v1alpha1.ProducerBindingStatus {
	// A pass that failed has not observed all of this generation, so it does not say so.
	generation := s.binding.Generation
	if s.err != nil {
		generation = ptr.Deref(before.ObservedGeneration, -1)
	}
	url := workload.GatewayURL(s.binding)
	status := v1alpha1.ProducerBindingStatus{
		Conditions:         mergeConditions(before.Conditions, bindingConditions(s), max(generation, 0), s.now),
		ObservedGeneration: &generation,
		URL:                url,
		Address:            v1alpha1.Address{URL: url, Audience: workload.Audience(s.binding)},
		Replicas:           ptr.To[int32](0),
		ReadyReplicas:      ptr.To[int32](0),
		Selector:           labels.SelectorFromSet(workload.GatewaySelector(s.binding.Name)).String(),
		Verification:       s.verification,
		Subjects:           s.subjects,
	}
	if len(s.certificates) <= maxCertificates {
		status.Address.CACerts = s.certificates
	}
	if s.err != nil || s.deleting() {
		status.Verification = cmp.Or(s.verification, before.Verification)
		status.Address.CACerts = cmp.Or(status.Address.CACerts, before.Address.CACerts)
	}
	if s.fronted || s.deleting() || s.err != nil && before.Binding.Name != "" {
		status.Binding.Name = workload.BindingSecretName(s.binding.Name)
	}
	if s.deployment != nil {
		status.Replicas, status.ReadyReplicas = new(s.deployment.Status.Replicas), new(s.deployment.Status.ReadyReplicas)
	}
	if s.known() && (!s.found.Missing || s.found.ByFirstMessage) {
		status.Topic.Partitions = count(s.found.Partitions)
	}
	if !s.deleting() && !s.tried {
		status.Subjects = before.Subjects
	}
	return status
}

// report computes the status, stores it, and then tells of what has changed.
func (r *ProducerBindingReconciler) report(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	if !s.looked {
		return ctrl.Result{}, nil // it failed, and comes again; what it has not seen is not gone
	}
	stands := r.written.of(s.binding, &s.binding.Status, s.now)
	before := stands.status
	after := bindingStatus(s, before)
	again := ctrl.Result{RequeueAfter: lookEvery}
	switch {
	case equality.Semantic.DeepEqual(*before, after):
	case r.written.knowsLess(s.binding, before.Conditions, after.Conditions,
		before.Topic.Partitions != nil && after.Topic.Partitions == nil, s.now):
		after = *before
	default:
		version, err := storeStatus(ctx, r.client, s.binding, before, &after)
		if err != nil || version == "" {
			return again, err
		}
		r.written.is(s.binding, &after, version, s.now)
	}
	news, wait := r.herald.hear(s.binding, before.Conditions, after.Conditions, s.now)
	r.announce(s, news)
	return sooner(again, ctrl.Result{RequeueAfter: wait}), nil
}

// announce raises events. Their action is what the operator was about.
func (r *ProducerBindingReconciler) announce(s *bindingScope, occasions []occasion) {
	for _, o := range occasions {
		r.recorder.Eventf(s.binding, nil, o.kind, o.reason, "Observe", "%s", shorten(o.note, maxMessage))
	}
}
