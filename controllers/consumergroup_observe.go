// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/observe"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// observe says what to look at, and takes what was seen of it so far.
func (r *ConsumerGroupReconciler) observe(_ context.Context, s *groupScope) (ctrl.Result, error) {
	if s.barred || s.unserved || s.coordination == "" {
		r.observer.Forget(s.key())
		return ctrl.Result{}, nil
	}
	r.observer.Watch(s.key(), s.target())
	s.observation, s.seen = r.observer.Latest(s.key())
	return ctrl.Result{}, nil
}

func (s *groupScope) target() observe.Target {
	target := observe.Target{
		Cluster: clusterKey(s.group), Coordination: ofClient(s.coordination), Groups: s.groups(),
		Pattern: s.group.Spec.TopicPattern,
	}
	for _, topic := range s.group.Spec.Topics {
		target.Topics = append(target.Topics, string(topic))
	}
	for i := range s.pods {
		pod := &s.pods[i]
		if pod.Status.PodIP == "" || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
			continue
		}
		target.Pods = append(target.Pods, observe.Pod{
			Name: pod.Name, Address: net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(workload.PortNumber)),
		})
	}
	return target
}

// groups are the names of the group or, with semantics Topic, of those of the pods that there are or shall be.
func (s *groupScope) groups() []string {
	name := workload.GroupName(s.group)
	if s.group.Spec.Semantics != v1alpha1.SemanticsTopic {
		return []string{name}
	}
	var groups []string
	for ordinal := range max(workload.Replicas(s.group), s.podOrdinals()) {
		groups = append(groups, workload.OrdinalGroup(name, ordinal))
	}
	return groups
}

// podOrdinals is one more than the highest ordinal of a pod.
func (s *groupScope) podOrdinals() (count int32) {
	for i := range s.pods {
		digits := s.pods[i].Name[len(s.group.Name):]
		ordinal, err := strconv.ParseInt(digits[min(1, len(digits)):], 10, 32)
		if err == nil {
			count = max(count, int32(ordinal)+1)
		}
	}
	return count
}

// ordinals is how many pods there have been at most, each of which has a group of its own with semantics Topic. The
// status remembers it, as it does the coordination: nothing else outlives the pods.
func (s *groupScope) ordinals() int32 {
	count := max(workload.Replicas(s.group), s.podOrdinals())
	if s.set != nil && s.set.Spec.Replicas != nil {
		count = max(count, *s.set.Spec.Replicas)
	}
	if known := s.group.Status.Ordinals; known != nil {
		count = max(count, *known)
	}
	return count
}
