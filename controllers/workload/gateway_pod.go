// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// The volumes of Secrets that are about callers, and their directories below /etc/samsa/secrets.
const (
	gatewayCertificate = "http-tls"
	callersAuthority   = "callers-ca"
	callersUsers       = "callers-users"
)

// pod is the template of the gateways.
func (in *gatewayInput) pod(configMap string) (*corev1ac.PodTemplateSpecApplyConfiguration, error) {
	template := &in.binding.Spec.Template
	mounts := in.secrets()
	container, err := in.container(mounts)
	if err != nil {
		return nil, err
	}
	account, _ := GatewayAccount(in.binding)
	spec := corev1ac.PodSpec().
		WithServiceAccountName(account).
		// To have tokens reviewed, or to read the keys that they are signed with, gateways need one of their own.
		WithAutomountServiceAccountToken(AuthOf(in.binding) == v1alpha1.AuthServiceAccount).
		WithContainers(container).
		WithVolumes(corev1ac.Volume().WithName("config").
			WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(configMap))).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(in.grace()).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(nonroot).WithRunAsGroup(nonroot).WithFSGroup(nonroot).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault)))
	for _, m := range mounts {
		spec.WithVolumes(m.volume())
	}
	if err := merge(spec, &template.Spec, GatewaySelector(in.binding.Name)); err != nil {
		return nil, err
	}
	labels := maps.Clone(template.Metadata.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, GatewayLabels(in.binding.Name))
	return corev1ac.PodTemplateSpec().
		WithLabels(labels).WithAnnotations(template.Metadata.Annotations).WithSpec(spec), nil
}

func (in *gatewayInput) container(mounts []mount) (*corev1ac.ContainerApplyConfiguration, error) {
	c := corev1ac.Container().
		WithName(gatewayContainer).
		WithImage(in.options.Image).
		WithArgs("gateway", "--config", configPath+"/"+gatewayFile, "--address", "$(POD_IP)", "--log-format", "json").
		WithEnv(fromField("POD_NAME", "metadata.name"), fromField("POD_NAMESPACE", "metadata.namespace"),
			fromField("POD_IP", "status.podIP")).
		WithPorts(
			corev1ac.ContainerPort().WithName(Port).WithContainerPort(PortNumber).WithProtocol(corev1.ProtocolTCP),
			corev1ac.ContainerPort().
				WithName(internalPort).WithContainerPort(internalNumber).WithProtocol(corev1.ProtocolTCP)).
		WithVolumeMounts(corev1ac.VolumeMount().WithName("config").WithMountPath(configPath).WithReadOnly(true)).
		WithLivenessProbe(probe("/healthz").
			WithPeriodSeconds(livenessPeriod).WithFailureThreshold(livenessFailures)).
		WithReadinessProbe(probe("/readyz").
			WithPeriodSeconds(readinessPeriod).WithFailureThreshold(readinessFailures)).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
	c.LivenessProbe.HTTPGet.WithPort(intstr.FromString(internalPort))
	c.ReadinessProbe.HTTPGet.WithPort(intstr.FromString(internalPort))
	return c, finish(c, mounts, &in.binding.Spec.Template.Spec.Resources)
}

// secrets are those that the gateways need, and no others.
func (in *gatewayInput) secrets() []mount {
	mounts := secretsOf(&in.cluster.Spec, in.zookeeper())
	if ref := in.binding.Spec.HTTP.TLS.SecretRef; ref.Name != "" {
		// All of it: whether it has the certificates of those who signed is for its user, now and later.
		mounts = append(mounts, mount{gatewayCertificate, ref.Name, nil})
	}
	auth := &in.binding.Spec.HTTP.Auth
	if ref := auth.MTLS.CASecretRef; ref.Name != "" {
		mounts = append(mounts, mount{callersAuthority, ref.Name, map[string]string{ref.Key: "ca.crt"}})
	}
	if ref := auth.Basic.SecretRef; ref.Name != "" {
		mounts = append(mounts, mount{callersUsers, ref.Name, map[string]string{ref.Key: "users"}})
	}
	return mounts
}
