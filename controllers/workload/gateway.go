// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// BindingSecretType is the type of the Secrets that workloads are bound by, as servicebinding.io has it.
const BindingSecretType corev1.SecretType = "servicebinding.io/kafka"

// TokenReviewers is the name of the ClusterRoleBinding that lets gateways have tokens reviewed. It comes with the
// installation, and the manager keeps its list of accounts.
const TokenReviewers = "samsa-gateway"

// Gateway are the objects that run a ProducerBinding, as far as they depend on its cluster.
type Gateway struct {
	// ConfigMap is immutable, and named by what it holds.
	ConfigMap  *corev1ac.ConfigMapApplyConfiguration
	Deployment *appsv1ac.DeploymentApplyConfiguration
}

// Front are the objects of a ProducerBinding that depend on nothing but itself.
type Front struct {
	Service *corev1ac.ServiceApplyConfiguration
	// Peers is nil where gateways need not know each other.
	Peers *corev1ac.ServiceApplyConfiguration
	// Account is nil where the gateways' account is the user's.
	Account *corev1ac.ServiceAccountApplyConfiguration
	// Secret is what workloads are bound by.
	Secret *corev1ac.SecretApplyConfiguration
	// Disruption is nil where there is nothing to protect.
	Disruption *policyv1ac.PodDisruptionBudgetApplyConfiguration
}

type gatewayInput struct {
	binding      *v1alpha1.ProducerBinding
	cluster      *v1alpha1.KafkaCluster
	verification v1alpha1.Verification
	options      Options
}

// OfGateway gives the objects that run a binding's gateways, which check tokens as has been resolved. The error is an
// *InvalidError where they would refuse their configuration.
func OfGateway(
	binding *v1alpha1.ProducerBinding, cluster *v1alpha1.KafkaCluster, verification v1alpha1.Verification, options Options,
) (Gateway, error) {
	in := &gatewayInput{binding: binding, cluster: cluster, verification: verification, options: options}
	settings, err := in.config()
	if err == nil {
		err = checkGateway(settings)
	}
	if err != nil {
		return Gateway{}, &InvalidError{Err: err}
	}
	data, err := yaml.Marshal(settings)
	if err != nil {
		return Gateway{}, fmt.Errorf("write the gateways' configuration: %w", err)
	}
	name := GatewayName(binding.Name) + "-" + hash(data)
	template, err := in.pod(name)
	if err != nil {
		return Gateway{}, err
	}
	return Gateway{
		ConfigMap: corev1ac.ConfigMap(name, binding.Namespace).
			WithLabels(GatewayLabels(binding.Name)).WithOwnerReferences(bindingOwner(binding)).
			WithImmutable(true).WithData(map[string]string{gatewayFile: string(data)}),
		Deployment: in.deployment(template),
	}, nil
}

// deployment replaces gateways one by one, each only once the next one takes requests.
func (in *gatewayInput) deployment(
	template *corev1ac.PodTemplateSpecApplyConfiguration,
) *appsv1ac.DeploymentApplyConfiguration {
	name := in.binding.Name
	return appsv1ac.Deployment(GatewayName(name), in.binding.Namespace).
		WithLabels(GatewayLabels(name)).WithOwnerReferences(bindingOwner(in.binding)).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(GatewayReplicas(in.binding)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(GatewaySelector(name))).
			WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RollingUpdateDeploymentStrategyType).
				WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
					WithMaxUnavailable(intstr.FromInt32(0)).WithMaxSurge(intstr.FromInt32(1)))).
			WithMinReadySeconds(settle).
			WithRevisionHistoryLimit(history).
			WithTemplate(template))
}

// FrontOf gives the objects by which a binding is known. Certificates (PEM) are of those who signed the gateways',
// empty for none.
func FrontOf(binding *v1alpha1.ProducerBinding, certificates string) Front {
	front := Front{
		Service: bindingService(binding), Peers: peers(binding), Secret: bindingSecret(binding, certificates),
		Disruption: gatewayDisruption(binding),
	}
	if name, users := GatewayAccount(binding); !users {
		front.Account = corev1ac.ServiceAccount(name, binding.Namespace).
			WithLabels(GatewayLabels(binding.Name)).WithOwnerReferences(bindingOwner(binding)).
			WithAutomountServiceAccountToken(false)
	}
	return front
}

func bindingService(binding *v1alpha1.ProducerBinding) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(GatewayName(binding.Name), binding.Namespace).
		WithLabels(GatewayLabels(binding.Name)).WithOwnerReferences(bindingOwner(binding)).
		WithSpec(corev1ac.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(GatewaySelector(binding.Name)).
			WithPorts(corev1ac.ServicePort().
				WithName(Port).WithPort(servicePort(binding)).WithTargetPort(intstr.FromString(Port)).
				WithProtocol(corev1.ProtocolTCP)))
}

// peers is where gateways find each other, to give a request with a key to the one that answers for it. One that is not
// ready answers for none, and one that is leaving for none any more: so addresses are published of those alone that are
// ready, which those that are deleted are not.
func peers(binding *v1alpha1.ProducerBinding) *corev1ac.ServiceApplyConfiguration {
	if !idempotent(binding) {
		return nil
	}
	return corev1ac.Service(PeersName(binding.Name), binding.Namespace).
		WithLabels(GatewayLabels(binding.Name)).WithOwnerReferences(bindingOwner(binding)).
		WithSpec(corev1ac.ServiceSpec().
			WithClusterIP(corev1.ClusterIPNone).
			WithSelector(GatewaySelector(binding.Name)).
			WithPorts(corev1ac.ServicePort().
				WithName(Port).WithPort(PortNumber).WithTargetPort(intstr.FromString(Port)).
				WithProtocol(corev1.ProtocolTCP)))
}

// idempotent tells whether requests with a key are remembered.
func idempotent(binding *v1alpha1.ProducerBinding) bool {
	return (&gatewayInput{binding: binding}).idempotency(&durations{}).Peers != ""
}

func bindingSecret(binding *v1alpha1.ProducerBinding, certificates string) *corev1ac.SecretApplyConfiguration {
	data := map[string][]byte{
		"type": []byte("kafka"), "provider": []byte(managerName),
		"uri": []byte(GatewayURL(binding)), "topic": []byte(binding.Spec.Topic),
	}
	if audience := Audience(binding); audience != "" {
		data["audience"] = []byte(audience)
	}
	if certificates != "" {
		data["certificates"] = []byte(certificates)
	}
	return corev1ac.Secret(BindingSecretName(binding.Name), binding.Namespace).
		WithLabels(GatewayLabels(binding.Name)).WithOwnerReferences(bindingOwner(binding)).
		WithType(BindingSecretType).WithData(data)
}

func gatewayDisruption(binding *v1alpha1.ProducerBinding) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	if GatewayReplicas(binding) <= 1 {
		return nil
	}
	return policyv1ac.PodDisruptionBudget(GatewayName(binding.Name), binding.Namespace).
		WithLabels(GatewayLabels(binding.Name)).WithOwnerReferences(bindingOwner(binding)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			// One that is not ready takes nothing: it is no reason to keep a node from being drained.
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(GatewaySelector(binding.Name))))
}

func bindingOwner(binding *v1alpha1.ProducerBinding) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind("ProducerBinding").
		WithName(binding.Name).WithUID(binding.UID).
		WithController(true).WithBlockOwnerDeletion(true)
}
