// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"fmt"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// BindingLabel is on everything made for a ProducerBinding, its pods included; the value is the ProducerBinding's name.
const BindingLabel = "kafka.samsa.dev/producer-binding"

const (
	// gatewayContainer is the name of a gateway pod's one container.
	gatewayContainer = "gateway"
	// internalPort is the port of health and metrics, internalNumber's: no caller reaches it through the Service.
	internalPort   = "internal"
	internalNumber = 8081
)

// GatewayLabels are on everything made for the binding of this name.
func GatewayLabels(name string) map[string]string {
	return map[string]string{
		nameLabel: gatewayName, instanceLabel: name, managerLabel: managerName, BindingLabel: name,
	}
}

// GatewaySelector selects the pods of the binding of this name. A Deployment's selector cannot be changed, so this is
// as little as can be.
func GatewaySelector(name string) map[string]string { return map[string]string{BindingLabel: name} }

// GatewayName is the name of a binding's Deployment, Service, PodDisruptionBudget and ServiceAccount. It is not the
// binding's own: applications and ConsumerGroups that are called the same need that.
func GatewayName(name string) string { return name + "-gateway" }

// PeersName is the name of the headless Service by which gateways find each other.
func PeersName(name string) string { return name + "-peers" }

// BindingSecretName is the name of the Secret that workloads are bound by.
func BindingSecretName(name string) string { return name + "-binding" }

// GatewayReplicas is how many gateways there shall be.
func GatewayReplicas(binding *v1alpha1.ProducerBinding) int32 {
	if binding.Spec.Replicas == nil {
		return 2
	}
	return *binding.Spec.Replicas
}

// GatewayURL is where to publish to. It does not end in a slash, so that paths can be appended.
func GatewayURL(binding *v1alpha1.ProducerBinding) string {
	scheme := "http"
	if secured(binding) {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s:%d", scheme, GatewayHost(binding), servicePort(binding))
}

// GatewayHost is the Service's name in DNS, which the gateways' certificate is for.
func GatewayHost(binding *v1alpha1.ProducerBinding) string {
	return GatewayName(binding.Name) + "." + binding.Namespace + ".svc"
}

// GatewayAccount is the ServiceAccount that gateways run as, and whether it is the user's.
func GatewayAccount(binding *v1alpha1.ProducerBinding) (name string, users bool) {
	if own := binding.Spec.Template.Spec.ServiceAccountName; own != "" {
		return own, true
	}
	return GatewayName(binding.Name), false
}

// Audience is what tokens of callers have to be for, empty where callers have none.
func Audience(binding *v1alpha1.ProducerBinding) string {
	if AuthOf(binding) != v1alpha1.AuthServiceAccount {
		return ""
	}
	return cmp.Or(binding.Spec.HTTP.Auth.ServiceAccount.Audience,
		"kafka.samsa.dev/producerbinding/"+binding.Namespace+"/"+binding.Name)
}

// AuthOf is how callers say who they are.
func AuthOf(binding *v1alpha1.ProducerBinding) v1alpha1.AuthType {
	return cmp.Or(binding.Spec.HTTP.Auth.Type, v1alpha1.AuthServiceAccount)
}

func secured(binding *v1alpha1.ProducerBinding) bool {
	return binding.Spec.HTTP.TLS.SecretRef.Name != ""
}

func servicePort(binding *v1alpha1.ProducerBinding) int32 {
	return cmp.Or(binding.Spec.HTTP.Port, PortNumber)
}
