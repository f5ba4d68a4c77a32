// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strconv"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// GroupLabel is on everything made for a ConsumerGroup, its pods included; the value is the ConsumerGroup's name.
const GroupLabel = "kafka.samsa.dev/consumer-group"

// Container is the name of a worker pod's one container, and Port that of its one port, PortNumber's.
const (
	Container  = "worker"
	Port       = "http"
	PortNumber = 8080
)

// The labels that tools know.
const (
	nameLabel     = "app.kubernetes.io/name"
	instanceLabel = "app.kubernetes.io/instance"
	managerLabel  = "app.kubernetes.io/managed-by"

	workerName  = "samsa-worker"
	gatewayName = "samsa-gateway"
	managerName = "samsa"
)

// Labels are on everything made for the group of this name.
func Labels(name string) map[string]string {
	return map[string]string{
		nameLabel: workerName, instanceLabel: name, managerLabel: managerName, GroupLabel: name,
	}
}

// Managed selects everything that samsa makes, and nothing else.
func Managed() labels.Selector {
	managed := labels.SelectorFromSet(labels.Set{managerLabel: managerName})
	// It fails for what is no label's name or value, and these are.
	ours, err := labels.NewRequirement(nameLabel, selection.In, []string{workerName, gatewayName})
	if err != nil {
		return labels.Nothing()
	}
	return managed.Add(*ours)
}

// Selector is what selects the pods of the group of this name. A StatefulSet's selector cannot be changed, so this is
// as little as can be.
func Selector(name string) map[string]string { return map[string]string{GroupLabel: name} }

// GroupName is the group's name in the cluster; with semantics Topic, what the names of the pods' groups begin with.
func GroupName(group *v1alpha1.ConsumerGroup) string {
	if group.Spec.Group != "" {
		return group.Spec.Group
	}
	return group.Name
}

// OrdinalGroup is the group of the pod with this ordinal, with semantics Topic.
func OrdinalGroup(group string, ordinal int32) string {
	return group + "-" + strconv.FormatInt(int64(ordinal), 10)
}

// PodName is the name of the pod with this ordinal.
func PodName(name string, ordinal int32) string {
	return name + "-" + strconv.FormatInt(int64(ordinal), 10)
}

// Replicas is how many workers there shall be.
func Replicas(group *v1alpha1.ConsumerGroup) int32 {
	switch {
	case group.Spec.Suspend != nil && *group.Spec.Suspend:
		return 0
	case group.Spec.Replicas == nil:
		return 1
	default:
		return *group.Spec.Replicas
	}
}
