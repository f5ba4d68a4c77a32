// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// The volume of what a worker needs to publish by a ProducerBinding, and its files.
const (
	bindingVolume    = "producer-binding"
	bindingToken     = "token"
	bindingAuthority = "ca.crt"
	// bindingCertificates is the certificates' entry in the Secret that workloads are bound by.
	bindingCertificates = "certificates"
)

// trusts tells whether the binding says who signed its gateways' certificate.
func (in *input) trusts() bool {
	return in.binding != nil && secured(in.binding) && in.binding.Status.Address.CACerts != ""
}

// bindingVolume has what the worker's configuration names of a binding; nil if that is nothing. The kubelet renews the
// token and follows the Secret, and the worker reads both again.
func (in *input) bindingVolume() *corev1ac.VolumeApplyConfiguration {
	if in.binding == nil {
		return nil
	}
	projected := corev1ac.ProjectedVolumeSource()
	if audience := Audience(in.binding); audience != "" {
		projected.WithSources(corev1ac.VolumeProjection().WithServiceAccountToken(
			corev1ac.ServiceAccountTokenProjection().
				WithAudience(audience).WithExpirationSeconds(tokenLife).WithPath(bindingToken)))
	}
	if in.trusts() {
		projected.WithSources(corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().
			WithName(BindingSecretName(in.binding.Name)).
			WithItems(corev1ac.KeyToPath().WithKey(bindingCertificates).WithPath(bindingAuthority))))
	}
	if len(projected.Sources) == 0 {
		return nil
	}
	return corev1ac.Volume().WithName(bindingVolume).WithProjected(projected)
}

// WorkerAccount is the ServiceAccount that a group's workers run as.
func WorkerAccount(group *v1alpha1.ConsumerGroup) string {
	return accountOr(group.Spec.Template.Spec.ServiceAccountName)
}

// accountOr is the ServiceAccount that pods run as which may name one.
func accountOr(named string) string { return cmp.Or(named, "default") }

// Allows tells whether a binding whose callers are ServiceAccounts lets one publish.
func Allows(binding *v1alpha1.ProducerBinding, namespace, account string) bool {
	allow := binding.Spec.HTTP.Auth.ServiceAccount.Allow
	if len(allow) == 0 {
		return namespace == binding.Namespace
	}
	for _, allowed := range allow {
		if allowed.Namespace == namespace && (allowed.ServiceAccount == "" || allowed.ServiceAccount == account) {
			return true
		}
	}
	return false
}
