// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

const (
	// appliedAnnotation holds the hash of what was last applied to a child: what is left out since is seen by it.
	appliedAnnotation = "kafka.samsa.dev/applied"
	// foreignCheck is how soon to look again whether an object that is in the way has gone: nothing tells of those.
	foreignCheck = 5 * time.Second
)

// conflictError says that an object of the name we need is somebody else's. left says whose: a ConsumerGroup's of the
// same name that was deleted, so that the garbage collector is about to remove it.
type conflictError struct {
	kind, name string
	left       bool
}

// Error implements error.
func (e *conflictError) Error() string {
	if e.left {
		return fmt.Sprintf("%s %s of a deleted ConsumerGroup of this name is still there: waiting for Kubernetes' garbage "+
			"collector to remove it", e.kind, e.name)
	}
	return fmt.Sprintf("%s %s exists and does not belong to this ConsumerGroup: delete it or rename one of the two",
		e.kind, e.name)
}

// applyChildren makes the group's objects what the spec says. Where that cannot be known, the pods' template stays as
// it is and only their number follows: nothing that is wrong with a cluster or a spec may replace a worker that runs.
func (r *ConsumerGroupReconciler) applyChildren(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	if s.barred {
		return ctrl.Result{}, r.scale(ctx, s, 0)
	}
	if !s.usable {
		return ctrl.Result{}, r.scale(ctx, s, workload.Replicas(s.group))
	}
	children, err := workload.Of(s.group, s.cluster, s.coordination, r.options)
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
	conflict, foreign := errors.AsType[*conflictError](err)
	switch {
	case foreign && conflict.left:
		s.block(blocker{reason: v1alpha1.ReasonProgressing, message: conflict.Error(), waits: true})
	case foreign:
		s.block(blocker{reason: v1alpha1.ReasonNameConflict, message: conflict.Error()})
	case apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err):
		s.block(blocker{reason: v1alpha1.ReasonApplyFailed, message: err.Error()})
	default:
		return false
	}
	return true
}

// ensure applies one object, unless it stands there just so.
func (r *ConsumerGroupReconciler) ensure(ctx context.Context, s *groupScope, live client.Object, desired any) error {
	apply, err := stamped(desired)
	if err != nil {
		return err
	}
	found, err := r.find(ctx, s, live, apply)
	if err != nil {
		return err
	}
	if found {
		same, err := stands(live, apply)
		if same || err != nil {
			return err
		}
	}
	configuration := client.ApplyConfigurationFromUnstructured(apply)
	if err := r.client.Apply(ctx, configuration, fieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s: %w", apply.GetKind(), apply.GetName(), err)
	}
	// Where somebody's admission webhook insists on its own mind the object is what it was, and that is as far as it gets.
	s.applied = s.applied || apply.GetResourceVersion() != live.GetResourceVersion()
	return nil
}

// find reads an object from the cache into live and tells whether it was there. The cache need not have what is not
// ours, so before anything is made the API server is asked.
func (r *ConsumerGroupReconciler) find(
	ctx context.Context, s *groupScope, live client.Object, apply *unstructured.Unstructured,
) (bool, error) {
	key := client.ObjectKeyFromObject(apply)
	err := r.client.Get(ctx, key, live)
	cached := err == nil
	if apierrors.IsNotFound(err) {
		if err = r.reader.Get(ctx, key, live); apierrors.IsNotFound(err) {
			return false, nil
		}
	}
	if err != nil {
		return false, fmt.Errorf("read %s %s: %w", apply.GetKind(), key.Name, err)
	}
	if !metav1.IsControlledBy(live, s.group) {
		return false, &conflictError{kind: apply.GetKind(), name: key.Name, left: leftBehind(live, s.group)}
	}
	if !live.GetDeletionTimestamp().IsZero() {
		return false, fmt.Errorf("%s %s is being deleted", apply.GetKind(), key.Name)
	}
	return cached, nil
}

// leftBehind tells that an object belongs to an earlier ConsumerGroup of this one's name.
func leftBehind(live client.Object, group *v1alpha1.ConsumerGroup) bool {
	owner := metav1.GetControllerOf(live)
	return owner != nil && owner.Kind == "ConsumerGroup" && owner.Name == group.Name &&
		strings.HasPrefix(owner.APIVersion, v1alpha1.GroupVersion.Group+"/")
}

// stamped is a configuration with the hash of itself.
func stamped(desired any) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(desired)
	if err != nil {
		return nil, fmt.Errorf("write an object: %w", err)
	}
	apply := &unstructured.Unstructured{}
	if err := apply.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("read an object: %w", err)
	}
	sum := sha256.Sum256(data)
	annotations := apply.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[appliedAnnotation] = hex.EncodeToString(sum[:8])
	apply.SetAnnotations(annotations)
	return apply, nil
}

// stands tells that an object holds everything of what is to be applied, and nothing that was applied before and is
// left out now.
func stands(live client.Object, apply *unstructured.Unstructured) (bool, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false, fmt.Errorf("convert %s: %w", apply.GetKind(), err)
	}
	delete(content, "status")
	desired := apply.DeepCopy().Object
	for _, known := range []string{"apiVersion", "kind"} { // the cache's objects leave them out
		delete(desired, known)
	}
	return covers(content, desired), nil
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
