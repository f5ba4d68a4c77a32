// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// resolveVerification decides how gateways check tokens, and lets those have them reviewed that are to.
func (r *ProducerBindingReconciler) resolveVerification(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	may, err := r.reviewers(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	if workload.AuthOf(s.binding) != v1alpha1.AuthServiceAccount {
		return ctrl.Result{}, nil
	}
	s.verification = v1alpha1.VerificationJWKS
	asked := s.binding.Spec.HTTP.Auth.ServiceAccount.Verification
	if may && asked != v1alpha1.VerificationJWKS {
		s.verification = v1alpha1.VerificationTokenReview
	}
	if may || asked != v1alpha1.VerificationTokenReview {
		return ctrl.Result{}, nil
	}
	s.verification = v1alpha1.VerificationTokenReview
	if _, users := workload.GatewayAccount(s.binding); users {
		return ctrl.Result{}, nil // somebody has let it
	}
	s.held = true
	s.block(blocker{reason: v1alpha1.ReasonVerificationUnavailable, message: fmt.Sprintf(
		"spec.http.auth.serviceAccount.verification is TokenReview, which this operator cannot allow its gateways, since "+
			"ClusterRoleBinding %s is not there or it keeps to some namespaces: name an account that may create tokenreviews "+
			"in spec.template.spec.serviceAccountName, or use JWKS", workload.TokenReviewers)})
	return ctrl.Result{}, nil
}

// reviewers brings the list of accounts up to date that may have tokens reviewed: those of all bindings that need it,
// and no others. It is false where this operator cannot allow that.
func (r *ProducerBindingReconciler) reviewers(ctx context.Context) (bool, error) {
	if !r.everywhere {
		return false, nil
	}
	r.reviewing.Lock()
	defer r.reviewing.Unlock()
	roles := &rbacv1.ClusterRoleBinding{}
	err := r.reader.Get(ctx, client.ObjectKey{Name: workload.TokenReviewers}, roles)
	switch {
	case apierrors.IsNotFound(err) || apierrors.IsForbidden(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read ClusterRoleBinding %s: %w", workload.TokenReviewers, err)
	}
	var bindings v1alpha1.ProducerBindingList
	if err := r.client.List(ctx, &bindings); err != nil {
		return false, err
	}
	wanted := accounts(bindings.Items)
	if slices.Equal(roles.Subjects, wanted) {
		return true, nil
	}
	roles.Subjects = wanted
	if err := r.client.Update(ctx, roles, fieldOwner); err != nil {
		return false, fmt.Errorf("update ClusterRoleBinding %s: %w", workload.TokenReviewers, err)
	}
	return true, nil
}

// accounts are those of the gateways that have tokens reviewed, sorted.
func accounts(bindings []v1alpha1.ProducerBinding) []rbacv1.Subject {
	var subjects []rbacv1.Subject
	for i := range bindings {
		binding := &bindings[i]
		if workload.AuthOf(binding) != v1alpha1.AuthServiceAccount ||
			binding.Spec.HTTP.Auth.ServiceAccount.Verification == v1alpha1.VerificationJWKS {
			continue
		}
		name, _ := workload.GatewayAccount(binding)
		subjects = append(subjects, rbacv1.Subject{
			Kind: rbacv1.ServiceAccountKind, Namespace: binding.Namespace, Name: name,
		})
	}
	slices.SortFunc(subjects, func(a, b rbacv1.Subject) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return slices.Compact(subjects)
}
