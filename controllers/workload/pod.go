// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

const (
	// nonroot is the image's user, which distroless images call "nonroot".
	nonroot = 65532
	// graceAfterDrain is for what comes after the drain: the last commit, leaving the group, closing the session. It takes
	// a second; ten are for a ZooKeeper that is slow that day.
	graceAfterDrain = 10 * time.Second

	// A worker counts as dead after 3 x 10 s without an answer, which with its own 30 s of patience (see its /healthz) is
	// a minute: restarting costs its partitions a rebalance.
	livenessPeriod   = 10
	livenessFailures = 3
	// A worker that has joined is to be seen soon: kubectl wait and a rollout wait for it. Asking costs a millisecond.
	readinessPeriod   = 2
	readinessFailures = 2
	probeTimeout      = 2

	mountRoot  = "/etc/samsa/"
	configPath = mountRoot + "config"
)

// pod is the template of the workers.
func pod(in *input, configMap string) (*corev1ac.PodTemplateSpecApplyConfiguration, error) {
	template := &in.group.Spec.Template
	mounts := in.secrets()
	container, err := container(in, mounts)
	if err != nil {
		return nil, err
	}
	spec := corev1ac.PodSpec().
		WithContainers(container).
		WithVolumes(corev1ac.Volume().WithName("config").
			WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(configMap))).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(int64((in.drain + graceAfterDrain) / time.Second)).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(nonroot).WithRunAsGroup(nonroot).WithFSGroup(nonroot).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault)))
	for _, m := range mounts {
		spec.WithVolumes(m.volume())
	}
	if volume := in.bindingVolume(); volume != nil {
		spec.WithVolumes(volume)
	}
	if err := merge(spec, &template.Spec, Selector(in.group.Name)); err != nil {
		return nil, err
	}
	labels := maps.Clone(template.Metadata.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, Labels(in.group.Name))
	return corev1ac.PodTemplateSpec().
		WithLabels(labels).WithAnnotations(template.Metadata.Annotations).WithSpec(spec), nil
}

func container(in *input, mounts []mount) (*corev1ac.ContainerApplyConfiguration, error) {
	c := corev1ac.Container().
		WithName(Container).
		WithImage(in.options.Image).
		WithArgs("worker", "--config", configPath+"/"+configFile, "--address", "$(POD_IP)", "--log-format", "json").
		WithEnv(fromField("POD_NAME", "metadata.name"), fromField("POD_IP", "status.podIP")).
		WithPorts(corev1ac.ContainerPort().
			WithName(Port).WithContainerPort(PortNumber).WithProtocol(corev1.ProtocolTCP)).
		WithVolumeMounts(corev1ac.VolumeMount().WithName("config").WithMountPath(configPath).WithReadOnly(true)).
		WithLivenessProbe(probe("/healthz").
			WithPeriodSeconds(livenessPeriod).WithFailureThreshold(livenessFailures)).
		WithReadinessProbe(probe("/readyz").
			WithPeriodSeconds(readinessPeriod).WithFailureThreshold(readinessFailures)).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
	if in.bindingVolume() != nil {
		c.WithVolumeMounts(secretMount(bindingVolume))
	}
	return c, finish(c, mounts, &in.group.Spec.Template.Spec.Resources)
}

// finish gives a container its Secrets, and the resources that the user wants for it.
func finish(
	c *corev1ac.ContainerApplyConfiguration, mounts []mount, resources *corev1.ResourceRequirements,
) (err error) {
	for _, m := range mounts {
		c.WithVolumeMounts(secretMount(m.name))
	}
	if len(resources.Requests)+len(resources.Limits)+len(resources.Claims) > 0 {
		c.Resources, err = as[corev1ac.ResourceRequirementsApplyConfiguration](resources)
	}
	return err
}

func secretMount(name string) *corev1ac.VolumeMountApplyConfiguration {
	return corev1ac.VolumeMount().WithName(name).WithMountPath(mountRoot + "secrets/" + name).WithReadOnly(true)
}

func fromField(name, path string) *corev1ac.EnvVarApplyConfiguration {
	// The version is what the API server would fill in: then what is applied is what stands there.
	return corev1ac.EnvVar().WithName(name).WithValueFrom(corev1ac.EnvVarSource().
		WithFieldRef(corev1ac.ObjectFieldSelector().WithAPIVersion("v1").WithFieldPath(path)))
}

func probe(path string) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().WithTimeoutSeconds(probeTimeout).WithHTTPGet(corev1ac.HTTPGetAction().
		WithPath(path).WithPort(intstr.FromString(Port)).WithScheme(corev1.URISchemeHTTP))
}

// merge adds what the user wants of the pods, which a selector selects.
func merge(
	spec *corev1ac.PodSpecApplyConfiguration, user *v1alpha1.PodSpec, selector map[string]string,
) error {
	// The fields of both types have the same names, so JSON carries them over. Resources are the container's.
	rest := *user
	rest.Resources = corev1.ResourceRequirements{}
	data, err := json.Marshal(rest)
	if err == nil {
		err = json.Unmarshal(data, spec)
	}
	if err != nil {
		return fmt.Errorf("spec.template: %w", err)
	}
	if len(user.TopologySpreadConstraints) == 0 {
		spec.WithTopologySpreadConstraints(
			spread(corev1.LabelTopologyZone, selector), spread(corev1.LabelHostname, selector))
	}
	return nil
}

// spread asks for pods in different places, and does without where there are none.
func spread(key string, selector map[string]string) *corev1ac.TopologySpreadConstraintApplyConfiguration {
	return corev1ac.TopologySpreadConstraint().
		WithMaxSkew(1).WithTopologyKey(key).WithWhenUnsatisfiable(corev1.ScheduleAnyway).
		WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(selector))
}

// as gives one type's value as another's of the same JSON.
func as[T any](value any) (*T, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("spec.template: %w", err)
	}
	out := new(T)
	if err := json.Unmarshal(data, out); err != nil {
		return nil, fmt.Errorf("spec.template: %w", err)
	}
	return out, nil
}
