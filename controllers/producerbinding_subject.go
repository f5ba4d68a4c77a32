// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

const (
	// maxSubjects is how many workloads one binding may have.
	maxSubjects = 64
	// maxRemembered is what a status holds: as many that are bound as that wait to be released.
	maxRemembered = 128
	// subjectsEvery is how often workloads are looked at: nothing tells of theirs, since watching them would take all
	// workloads of all namespaces into memory. A look is one request for each, so 200 bindings of one are 25 a second; and
	// what somebody replaced is bound again within the 10 s in which everything else heals.
	subjectsEvery = 8 * time.Second
)

// bindSubjects binds the workloads that spec.subject names, and releases those that it does not name any more.
//
// The status remembers which those are: a workload is bound only once the status says that it may be, so that whoever
// comes after knows what to release. Nothing else does, without looking through all workloads there are.
func (r *ProducerBindingReconciler) bindSubjects(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	remembered := s.binding.Status.Subjects
	s.tried = true
	if s.binding.Spec.Subject.Kind == "" && len(remembered) == 0 {
		return ctrl.Result{}, nil
	}
	wanted, err := r.wantedSubjects(ctx, s)
	if err != nil {
		s.subjects = remembered
		return ctrl.Result{}, err
	}
	lacking, err := r.lackingCredentials(ctx, s)
	if err != nil {
		s.subjects = remembered
		return ctrl.Result{}, err
	}
	// What is still to be released has to be remembered, so it goes before what is to come.
	leaving := slices.DeleteFunc(slices.Clone(remembered), func(subject v1alpha1.SubjectStatus) bool {
		return indexOf(wanted, subject) >= 0
	})
	wanted = wanted[:min(len(wanted), max(0, maxRemembered-len(leaving)))]
	var errs []error
	for _, subject := range wanted {
		subject.State, subject.Reason = v1alpha1.SubjectPending, ""
		switch known := indexOf(remembered, subject) >= 0; {
		case !s.fronted:
			subject.Reason = "the Secret that it is bound by is not there yet"
		case lacking != "":
			subject.State, subject.Reason = v1alpha1.SubjectRefused, cut(lacking, maxReason)
		case known:
			errs = append(errs, r.bind(ctx, s, &subject))
		}
		s.subjects = append(s.subjects, subject)
	}
	for _, subject := range leaving {
		errs = append(errs, r.releaseOne(ctx, s, subject))
	}
	return ctrl.Result{RequeueAfter: subjectsEvery}, errors.Join(errs...)
}

// lackingCredentials says why pods could not say who they are; empty if they can.
func (r *ProducerBindingReconciler) lackingCredentials(ctx context.Context, s *bindingScope) (string, error) {
	keys, ref := workload.CredentialKeys(s.binding), s.binding.Spec.Subject.CredentialsSecretRef
	if len(keys) == 0 || s.binding.Spec.Subject.Kind == "" {
		return "", nil
	}
	const field = "spec.subject.credentialsSecretRef"
	if ref.Name == "" {
		return fmt.Sprintf("spec.http.auth.type is %s, and there is nothing by which its pods could say who they are: name "+
			"a Secret with the keys %s in %s", workload.AuthOf(s.binding), strings.Join(keys, " and "), field), nil
	}
	for _, key := range keys {
		_, err := secretReader{reader: r.reader, namespace: s.binding.Namespace}.key(ctx, field, ref.Name, key)
		if fault := (*kafkaClusterFault)(nil); errors.As(err, &fault) {
			return fault.message, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

func indexOf(list []v1alpha1.SubjectStatus, subject v1alpha1.SubjectStatus) int {
	return slices.IndexFunc(list, func(other v1alpha1.SubjectStatus) bool {
		return other.Kind == subject.Kind && other.Name == subject.Name
	})
}

// wantedSubjects are the workloads that are to be bound, whether they exist or not, by name.
func (r *ProducerBindingReconciler) wantedSubjects(
	ctx context.Context, s *bindingScope,
) ([]v1alpha1.SubjectStatus, error) {
	subject := &s.binding.Spec.Subject
	switch {
	case subject.Kind == "":
		return nil, nil
	case subject.Selector == nil:
		return []v1alpha1.SubjectStatus{{Kind: subject.Kind, Name: subject.Name}}, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(subject.Selector)
	if err != nil {
		s.unselected = fmt.Sprintf("spec.subject.selector selects nothing: %v", err)
		return nil, nil
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(workload.SubjectResource(subject.Kind))
	err = r.reader.List(ctx, list,
		client.InNamespace(s.binding.Namespace), client.MatchingLabelsSelector{Selector: selector})
	if err != nil {
		return nil, fmt.Errorf("select workloads: %w", err)
	}
	var found []v1alpha1.SubjectStatus
	for i := range list.Items {
		found = append(found, v1alpha1.SubjectStatus{Kind: subject.Kind, Name: list.Items[i].Name})
	}
	slices.SortFunc(found, func(a, b v1alpha1.SubjectStatus) int { return strings.Compare(a.Name, b.Name) })
	if len(found) == 0 {
		s.unselected = fmt.Sprintf("spec.subject.selector selects no %s; one that it selects is bound as soon as it is there",
			subject.Kind)
	}
	return found[:min(len(found), maxSubjects)], nil
}

// bind makes a workload's template what it should be, and notes how that went. What the workload's owners have to mend
// is no error: it is shown, and tried again soon.
func (r *ProducerBindingReconciler) bind(
	ctx context.Context, s *bindingScope, subject *v1alpha1.SubjectStatus,
) error {
	live, err := r.workload(ctx, s, *subject)
	switch {
	case apierrors.IsNotFound(err):
		subject.State = v1alpha1.SubjectMissing
		return nil
	case err != nil:
		return err
	}
	apply, err := workload.Project(s.binding, s.certificates != "", live, digest)
	if err != nil {
		subject.State, subject.Reason = v1alpha1.SubjectRefused, cut(err.Error(), maxReason)
		return nil
	}
	before, err := kept(live, string(bindingOwner(s.binding)))
	if err != nil {
		return err
	}
	if before != nil {
		keep(apply.Object, before)
		apply.SetResourceVersion(live.GetResourceVersion()) // of which this is true
	}
	desired := apply.DeepCopy().Object
	metadata, _ := desired["metadata"].(map[string]any)
	delete(metadata, "uid")
	delete(metadata, "resourceVersion")
	if covers(live.Object, desired) {
		subject.State = v1alpha1.SubjectBound
		return nil
	}
	// Never by force: what somebody else has set stays theirs, and the status says whose it is.
	err = r.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(apply), bindingOwner(s.binding))
	switch {
	case err == nil:
		subject.State = v1alpha1.SubjectBound
	case apierrors.IsConflict(err), apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err):
		subject.State, subject.Reason = v1alpha1.SubjectRefused, cut(whatRefused(err), maxReason)
	case apierrors.IsNotFound(err):
		subject.State = v1alpha1.SubjectMissing
	default:
		return fmt.Errorf("bind %s %s: %w", subject.Kind, subject.Name, err)
	}
	return nil
}

// whatRefused is what to do about a change that the API server does not take, and then its own words.
func whatRefused(err error) string {
	switch {
	case apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict):
		return fmt.Sprintf("somebody else has set what it would be bound by, and keeps it: give another "+
			"spec.subject.envPrefix, name other containers in spec.subject.containers, or have its owner remove it: %v", err)
	case apierrors.IsConflict(err):
		return fmt.Sprintf("it was replaced meanwhile, and is tried again: %v", err)
	case apierrors.IsForbidden(err):
		return fmt.Sprintf("the API server does not allow the change; give leave for it, or have the policy or admission "+
			"webhook that it names allow it: %v", err)
	}
	return fmt.Sprintf("the API server does not take the change; correct what it names, in the workload or in "+
		"spec.subject: %v", err)
}

// bindingOwner owns what a binding adds to workloads. Each binding has its own: what one adds, another one's removal
// does not take away.
func bindingOwner(binding *v1alpha1.ProducerBinding) client.FieldOwner {
	return client.FieldOwner("samsa-binding-" + binding.Name)
}

func (r *ProducerBindingReconciler) workload(
	ctx context.Context, s *bindingScope, subject v1alpha1.SubjectStatus,
) (*unstructured.Unstructured, error) {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(workload.SubjectResource(subject.Kind))
	key := client.ObjectKey{Namespace: s.binding.Namespace, Name: subject.Name}
	if err := r.reader.Get(ctx, key, live); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, err
		}
		return nil, fmt.Errorf("read %s %s: %w", subject.Kind, subject.Name, err)
	}
	return live, nil
}

// releaseOne takes away what the binding added to a workload, and keeps it in mind until that is done.
func (r *ProducerBindingReconciler) releaseOne(
	ctx context.Context, s *bindingScope, subject v1alpha1.SubjectStatus,
) error {
	err := r.release(ctx, s, subject)
	if err == nil {
		return nil
	}
	subject.State, subject.Reason = v1alpha1.SubjectReleasing, cut(err.Error(), maxReason)
	s.subjects = append(s.subjects, subject)
	return err
}

// release applies nothing in the binding's name, so that the API server removes what nobody else owns; but what others
// have set in what is the binding's stays. Where there is nothing of the binding's, nothing happens.
func (r *ProducerBindingReconciler) release(
	ctx context.Context, s *bindingScope, subject v1alpha1.SubjectStatus,
) error {
	live, err := r.workload(ctx, s, subject)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	by := string(bindingOwner(s.binding))
	if !slices.ContainsFunc(live.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == by && entry.Operation == metav1.ManagedFieldsOperationApply
	}) {
		return nil
	}
	fields, err := kept(live, by)
	if err != nil {
		return err
	}
	rest := &unstructured.Unstructured{Object: fields}
	workload.Identify(rest, live)
	rest.SetResourceVersion(live.GetResourceVersion()) // of which this is true
	err = r.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(rest), client.FieldOwner(by))
	if err == nil && fields != nil {
		err = r.disown(ctx, s, subject, by)
	}
	if err != nil {
		return client.IgnoreNotFound(fmt.Errorf("release %s %s: %w", subject.Kind, subject.Name, err))
	}
	return nil
}

// disown takes the binding from among those who own what is in a workload: what it kept for others would otherwise be
// its own for ever, and nobody could remove the container that this is in.
func (r *ProducerBindingReconciler) disown(
	ctx context.Context, s *bindingScope, subject v1alpha1.SubjectStatus, by string,
) error {
	live, err := r.workload(ctx, s, subject)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(live.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == by
	})
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": live.GetResourceVersion(), "managedFields": left,
	}})
	if err != nil {
		return err
	}
	return r.client.Patch(ctx, live, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(by))
}
