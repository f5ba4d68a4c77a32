// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhyAPodFails(t *testing.T) {
	type is = corev1.ContainerStatus
	waiting := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
	}
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3}}
	running := func(since time.Duration) corev1.ContainerState {
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon.Add(-since))}}
	}
	const again, image = "CrashLoopBackOff (exit code 3; its log says why)", "ImagePullBackOff"
	for name, c := range map[string]struct {
		is   is
		want string
	}{
		"nothing told yet":       {is{}, ""},
		"starting":               {is{State: waiting("ContainerCreating")}, ""},
		"no image":               {is{State: waiting("ImagePullBackOff")}, image},
		"no image, tried again":  {is{State: waiting("ErrImagePull")}, image},
		"ended once":             {is{State: ended}, ""},
		"ended once, runs again": {is{State: running(0), LastTerminationState: ended, RestartCount: 1}, ""},
		"ended twice":            {is{State: ended, RestartCount: 1}, again},
		"waits to be run again":  {is{State: waiting("CrashLoopBackOff"), LastTerminationState: ended}, again},
		"run again":              {is{State: running(1), LastTerminationState: ended, RestartCount: 2}, again},
		"run again, and ready": {
			is{State: running(1), LastTerminationState: ended, RestartCount: 2, Ready: true}, "",
		},
		"not ready for another reason": {
			is{State: running(unproven), LastTerminationState: ended, RestartCount: 9}, "",
		},
		"not ready, never ended": {is{State: running(1)}, ""},
	} {
		pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{c.is}}}
		if got := failure(pod, noon); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
