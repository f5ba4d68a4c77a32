// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"fmt"
	"time"

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

const (
	// settle is how long a worker has to be ready before the next one is replaced: a session that is granted and lost at
	// once is seen within it.
	settle = 1
	// history is how many revisions are kept to go back to: the one in force, the one before, and one to spare.
	history = 3
)

// Options are what the operator was started with.
type Options struct {
	// Image is the workers'.
	Image string
}

// Children are the objects that run a ConsumerGroup.
type Children struct {
	// ConfigMap is immutable, and named by what it holds.
	ConfigMap *corev1ac.ConfigMapApplyConfiguration
	// Service gives the pods their names in DNS.
	Service     *corev1ac.ServiceApplyConfiguration
	StatefulSet *appsv1ac.StatefulSetApplyConfiguration
	// Disruption is nil where there is nothing to protect: a budget for one pod would only keep its node from being
	// drained.
	Disruption *policyv1ac.PodDisruptionBudgetApplyConfiguration
}

// InvalidError says what of a spec cannot work, which the API server could not know: a line for each field.
type InvalidError struct{ Err error }

// Error implements error.
func (e *InvalidError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *InvalidError) Unwrap() error { return e.Err }

type input struct {
	group        *v1alpha1.ConsumerGroup
	cluster      *v1alpha1.KafkaCluster
	coordination v1alpha1.Coordination
	// binding is the ProducerBinding that is the sink; nil for another sink.
	binding *v1alpha1.ProducerBinding
	options Options
	drain   time.Duration
}

// Resolved is what the names in a ConsumerGroup's spec stand for.
type Resolved struct {
	Cluster *v1alpha1.KafkaCluster
	// Coordination is where the group is kept.
	Coordination v1alpha1.Coordination
	// Binding is the sink, where that is one; else nil.
	Binding *v1alpha1.ProducerBinding
}

// Of gives the objects that run a group. Replicas come from the spec (see Replicas). The error is an *InvalidError
// where the workers would refuse their configuration, which would stop them all.
func Of(group *v1alpha1.ConsumerGroup, resolved Resolved, options Options) (Children, error) {
	in := &input{
		group: group, cluster: resolved.Cluster, coordination: resolved.Coordination, binding: resolved.Binding,
		options: options,
	}
	settings, err := config(in)
	if err == nil {
		err = check(settings, group.Name)
	}
	if err != nil {
		return Children{}, &InvalidError{Err: err}
	}
	data, err := yaml.Marshal(settings)
	if err != nil {
		return Children{}, fmt.Errorf("write the workers' configuration: %w", err)
	}
	in.drain = cmp.Or(time.Duration(settings.DrainTimeout), defaultDrain)
	name := group.Name + "-" + hash(data)
	template, err := pod(in, name)
	if err != nil {
		return Children{}, err
	}
	return Children{
		ConfigMap: corev1ac.ConfigMap(name, group.Namespace).
			WithLabels(Labels(group.Name)).WithOwnerReferences(owner(group)).
			WithImmutable(true).WithData(map[string]string{configFile: string(data)}),
		Service:     service(group),
		StatefulSet: statefulSet(group, template),
		Disruption:  disruption(group),
	}, nil
}

func statefulSet(
	group *v1alpha1.ConsumerGroup, template *corev1ac.PodTemplateSpecApplyConfiguration,
) *appsv1ac.StatefulSetApplyConfiguration {
	return appsv1ac.StatefulSet(group.Name, group.Namespace).
		WithLabels(Labels(group.Name)).WithOwnerReferences(owner(group)).
		WithSpec(appsv1ac.StatefulSetSpec().
			WithReplicas(Replicas(group)).
			WithServiceName(group.Name).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(Selector(group.Name))).
			WithPodManagementPolicy(appsv1.ParallelPodManagement).
			WithUpdateStrategy(appsv1ac.StatefulSetUpdateStrategy().WithType(appsv1.RollingUpdateStatefulSetStrategyType)).
			WithMinReadySeconds(settle).
			WithRevisionHistoryLimit(history).
			WithTemplate(template))
}

func service(group *v1alpha1.ConsumerGroup) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(group.Name, group.Namespace).
		WithLabels(Labels(group.Name)).WithOwnerReferences(owner(group)).
		WithSpec(corev1ac.ServiceSpec().
			WithClusterIP(corev1.ClusterIPNone).
			WithPublishNotReadyAddresses(true).
			WithSelector(Selector(group.Name)).
			WithPorts(corev1ac.ServicePort().
				WithName(Port).WithPort(PortNumber).WithTargetPort(intstr.FromString(Port)).
				WithProtocol(corev1.ProtocolTCP)))
}

func disruption(group *v1alpha1.ConsumerGroup) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	if Replicas(group) <= 1 {
		return nil
	}
	return policyv1ac.PodDisruptionBudget(group.Name, group.Namespace).
		WithLabels(Labels(group.Name)).WithOwnerReferences(owner(group)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			// One that is not ready delivers nothing: it is no reason to keep a node from being drained.
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(Selector(group.Name))))
}

func owner(group *v1alpha1.ConsumerGroup) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind("ConsumerGroup").
		WithName(group.Name).WithUID(group.UID).
		WithController(true).WithBlockOwnerDeletion(true)
}
