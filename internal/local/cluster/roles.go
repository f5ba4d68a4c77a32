// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/samsa-dev/samsa/controllers/workload"
)

// allowGateways makes the role by which gateways have tokens reviewed, as an installation has it (config/rbac). Whom it
// is for the manager writes. The manager itself is the administrator here, and needs none.
func allowGateways(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("roles: %w", err)
	}
	named, options := metav1.ObjectMeta{Name: workload.TokenReviewers}, metav1.CreateOptions{FieldManager: "samsa-local"}
	_, failedRole := client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{
		ObjectMeta: named, Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"tokenreviews"}, Verbs: []string{"create"},
		}},
	}, options)
	_, failedBinding := client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: named,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: workload.TokenReviewers},
	}, options)
	if err := errors.Join(failedRole, failedBinding); err != nil {
		return fmt.Errorf("roles: %w", err)
	}
	return nil
}
