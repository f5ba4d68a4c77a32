// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// facts are what a pod's status says beside its containers.
type facts struct {
	address, hostAddress string
	startedAt            time.Time
	// prepared: the volumes are written.
	prepared bool
	// over: the pod is being deleted and its processes are gone.
	over bool
}

// podStatus computes the whole status from what is known. Conditions that are not a node's are kept from the pod's
// present status, and so are the times of those that stay as they were.
func podStatus(
	pod *corev1.Pod, containers []corev1.ContainerStatus, f facts, now time.Time,
) corev1.PodStatus {
	status := *pod.Status.DeepCopy()
	status.ObservedGeneration = pod.Generation
	status.ContainerStatuses = containers
	status.Phase = phase(pod.Spec.RestartPolicy, containers, f.over)
	status.HostIP, status.HostIPs = f.hostAddress, []corev1.HostIP{{IP: f.hostAddress}}
	if f.address != "" {
		status.PodIP, status.PodIPs = f.address, []corev1.PodIP{{IP: f.address}}
	}
	if status.StartTime == nil {
		at := stamp(f.startedAt)
		status.StartTime = &at
	}
	for _, condition := range podConditions(pod, &status, f) {
		setCondition(&status, condition, now)
	}
	return status
}

// phase is a kubelet's getPhase, for pods without init containers. A pod that is deleted ends in a final phase.
func phase(policy corev1.RestartPolicy, containers []corev1.ContainerStatus, over bool) corev1.PodPhase {
	var fresh, running, failed, stopped int
	for _, c := range containers {
		switch {
		case c.State.Running != nil:
			running++
		case c.State.Terminated != nil:
			stopped++
			if c.State.Terminated.ExitCode != 0 {
				failed++
			}
		case c.LastTerminationState.Terminated != nil:
			stopped++
			failed++ // else it would not wait to run again, or it may yet fail
		default:
			fresh++
		}
	}
	final := corev1.PodSucceeded
	if failed > 0 {
		final = corev1.PodFailed
	}
	switch {
	case over && fresh == 0:
		return final
	case over:
		return corev1.PodFailed
	case fresh > 0:
		return corev1.PodPending
	case running > 0 || policy == corev1.RestartPolicyAlways:
		return corev1.PodRunning
	case policy == corev1.RestartPolicyOnFailure && failed > 0:
		return corev1.PodRunning
	}
	return final
}

// podConditions are a node's, as the status stands.
func podConditions(pod *corev1.Pod, status *corev1.PodStatus, f facts) []corev1.PodCondition {
	containers := containersReady(status)
	ready := containers
	ready.Type = corev1.PodReady
	if ready.Status == corev1.ConditionTrue {
		if missing := gatesMissing(pod); len(missing) > 0 {
			ready.Status, ready.Reason = corev1.ConditionFalse, "ReadinessGatesNotReady"
			ready.Message = "the status of pod readiness gates is not True: " + strings.Join(missing, ", ")
		}
	}
	conditions := []corev1.PodCondition{
		{Type: corev1.PodReadyToStartContainers, Status: truth(f.prepared && !f.over)},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue},
		ready,
		containers,
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
	}
	for i := range conditions {
		conditions[i].ObservedGeneration = pod.Generation
	}
	return conditions
}

func containersReady(status *corev1.PodStatus) corev1.PodCondition {
	condition := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}
	switch status.Phase {
	default:
	case corev1.PodSucceeded:
		condition.Status, condition.Reason = corev1.ConditionFalse, "PodCompleted"
		return condition
	case corev1.PodFailed:
		condition.Status, condition.Reason = corev1.ConditionFalse, "PodFailed"
		return condition
	}
	var unready []string
	for _, c := range status.ContainerStatuses {
		if !c.Ready {
			unready = append(unready, c.Name)
		}
	}
	if len(unready) > 0 {
		condition.Status, condition.Reason = corev1.ConditionFalse, "ContainersNotReady"
		condition.Message = fmt.Sprintf("containers with unready status: [%s]", strings.Join(unready, " "))
	}
	return condition
}

// gatesMissing are the readiness gates that others have not made true.
func gatesMissing(pod *corev1.Pod) []string {
	var missing []string
	for _, gate := range pod.Spec.ReadinessGates {
		open := false
		for _, c := range pod.Status.Conditions {
			open = open || c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		}
		if !open {
			missing = append(missing, string(gate.ConditionType))
		}
	}
	return missing
}

func truth(yes bool) corev1.ConditionStatus {
	if yes {
		return corev1.ConditionTrue
	}
	return corev1.ConditionFalse
}

// setCondition enters a condition; its time changes with its status alone.
func setCondition(status *corev1.PodStatus, condition corev1.PodCondition, now time.Time) {
	for i := range status.Conditions {
		old := &status.Conditions[i]
		if old.Type != condition.Type {
			continue
		}
		condition.LastTransitionTime, condition.LastProbeTime = old.LastTransitionTime, old.LastProbeTime
		if old.Status != condition.Status {
			condition.LastTransitionTime = stamp(now)
		}
		*old = condition
		return
	}
	condition.LastTransitionTime = stamp(now)
	status.Conditions = append(status.Conditions, condition)
}

// stamp is a time as the API keeps it, in whole seconds: what is read back has to compare as equal.
func stamp(t time.Time) metav1.Time { return metav1.NewTime(t).Rfc3339Copy() }
