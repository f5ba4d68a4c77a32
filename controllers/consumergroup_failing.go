// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// unproven is how long a container that has ended before and is not ready counts as about to end again. A worker is
// ready within seconds; one that was ready and is not any more, since ZooKeeper is away, has run for longer.
const unproven = time.Minute

// failingPods are the workers that do not start, or end again and again, each with a reason that stays the same while
// it does so.
func failingPods(s *groupScope) []string {
	var failing []string
	for i := range s.pods {
		if why := failure(&s.pods[i], s.now); why != "" && s.pods[i].DeletionTimestamp.IsZero() {
			failing = append(failing, s.pods[i].Name+": "+why)
		}
	}
	return failing
}

func failure(pod *corev1.Pod, now time.Time) string {
	for i := range pod.Status.ContainerStatuses {
		if why := containerFailure(&pod.Status.ContainerStatuses[i], now); why != "" {
			return why
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return corev1.PodReasonUnschedulable
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return "failed"
	}
	return ""
}

// containerFailure gives one name to what a kubelet calls by turns: a container that ends again and again is waiting,
// running and ended, and an image that cannot be had is being pulled or waited for.
func containerFailure(c *corev1.ContainerStatus, now time.Time) string {
	const again, image = "CrashLoopBackOff", "ImagePullBackOff"
	before := c.LastTerminationState.Terminated
	switch is := c.State; {
	case is.Waiting != nil:
		switch is.Waiting.Reason {
		case "", "ContainerCreating", "PodInitializing":
			return ""
		case "ErrImagePull":
			return image
		}
		return is.Waiting.Reason + exitCode(before)
	case is.Terminated != nil && c.RestartCount > 0:
		return again + exitCode(is.Terminated)
	case is.Running != nil && !c.Ready && c.RestartCount > 1 && before != nil &&
		now.Sub(is.Running.StartedAt.Time) < unproven:
		return again + exitCode(before)
	}
	return ""
}

func exitCode(ended *corev1.ContainerStateTerminated) string {
	if ended == nil {
		return ""
	}
	return fmt.Sprintf(" (exit code %d; its log says why)", ended.ExitCode)
}
