// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// SubjectsFinalizer keeps a ProducerBinding until the workloads that it bound are released, or the time for that is
// over.
const SubjectsFinalizer = "kafka.samsa.dev/subjects"

// releaseLimit is how long an object may wait for workloads to be released, which is a request for each: an API server
// that refuses them for ten minutes, by somebody's admission webhook above all, will not change its mind in eleven.
const releaseLimit = 10 * time.Minute

// keepFinalizer has the finalizer just where something is, or may soon be, to be released.
func (r *ProducerBindingReconciler) keepFinalizer(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	wanted := s.binding.Spec.Subject.Kind != "" || len(s.binding.Status.Subjects) > 0
	if wanted == controllerutil.ContainsFinalizer(s.binding, SubjectsFinalizer) {
		return ctrl.Result{}, nil
	}
	patched := s.binding.DeepCopy()
	if wanted {
		controllerutil.AddFinalizer(patched, SubjectsFinalizer)
	} else {
		controllerutil.RemoveFinalizer(patched, SubjectsFinalizer)
	}
	patch := client.MergeFromWithOptions(s.binding, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, patched, patch, fieldOwner); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	s.binding = patched
	return ctrl.Result{}, nil
}

// releaseAll takes away what the binding added anywhere, and lets the object go: then, or when there is no hope.
func (r *ProducerBindingReconciler) releaseAll(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	s.looked = true
	if !controllerutil.ContainsFinalizer(s.binding, SubjectsFinalizer) {
		return ctrl.Result{}, nil
	}
	var errs []error
	for _, subject := range s.binding.Status.Subjects {
		errs = append(errs, r.releaseOne(ctx, s, subject))
	}
	err := errors.Join(errs...)
	if err == nil {
		s.done = true
		return ctrl.Result{}, nil
	}
	if s.now.Sub(s.binding.DeletionTimestamp.Time) < releaseLimit {
		return ctrl.Result{}, err
	}
	s.gaveUp, s.done = fmt.Sprintf("workloads keep what they were given, since it took too long: %v", err), true
	return ctrl.Result{}, nil
}

// letGo takes the finalizer away, once the status is out, and tells of what stays behind.
func (r *ProducerBindingReconciler) letGo(ctx context.Context, s *bindingScope) error {
	current := &v1alpha1.ProducerBinding{}
	if err := r.reader.Get(ctx, s.key(), current); err != nil || current.UID != s.binding.UID {
		return client.IgnoreNotFound(err)
	}
	base := current.DeepCopy()
	if !controllerutil.RemoveFinalizer(current, SubjectsFinalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, current, patch, fieldOwner); err != nil {
		return client.IgnoreNotFound(err)
	}
	if s.gaveUp != "" {
		r.announce(s, []occasion{{kind: corev1.EventTypeWarning, reason: v1alpha1.EventDeletionGaveUp, note: s.gaveUp}})
	}
	return nil
}
