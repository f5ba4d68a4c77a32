// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Duration is a span of time in whole numbers with units: 500ms, 10s, 1m30s. Each field says its own bounds; what is no
// duration is refused together with what is out of bounds, so that one message tells both.
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=16
type Duration string

// SecretKeyReference names a key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name of the Secret, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret in this namespace: lower case letters, digits, '-' and '.' alone"
	Name string `json:"name,omitempty"`
	// key in the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="must be a key of a Secret: letters, digits, '-', '_' and '.' alone"
	Key string `json:"key,omitempty"`
}

// SecretReference names a Secret in the same namespace.
type SecretReference struct {
	// name of the Secret, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret in this namespace: lower case letters, digits, '-' and '.' alone"
	Name string `json:"name,omitempty"`
}
