// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// unsupported says what a pod needs that this node cannot do, empty if nothing. Such a pod is not started: half a pod
// would look like a whole one.
func unsupported(pod *corev1.Pod) string {
	var needs []string
	need := func(yes bool, format string, args ...any) {
		if yes {
			needs = append(needs, fmt.Sprintf(format, args...))
		}
	}
	need(len(pod.Spec.InitContainers) > 0, "spec.initContainers")
	need(len(pod.Spec.EphemeralContainers) > 0, "spec.ephemeralContainers")
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		need(!knownVolume(v), "spec.volumes: the kind of volume %s", v.Name)
	}
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		need(c.Lifecycle != nil && (c.Lifecycle.PostStart != nil || c.Lifecycle.PreStop != nil),
			"lifecycle hooks (container %s)", c.Name)
		need(len(c.VolumeDevices) > 0, "volumeDevices (container %s)", c.Name)
		for kind, probe := range probesOf(c) {
			need(probe.GRPC != nil, "a %s probe by gRPC (container %s)", strings.ToLower(string(kind)), c.Name)
		}
		for _, m := range c.VolumeMounts {
			need(m.SubPathExpr != "", "subPathExpr (container %s)", c.Name)
		}
	}
	if len(needs) == 0 {
		return ""
	}
	return "samsa-local runs containers as plain processes and does not offer " + strings.Join(needs, ", ")
}

func knownVolume(v *corev1.Volume) bool {
	if v.Projected == nil {
		return v.EmptyDir != nil || v.ConfigMap != nil || v.Secret != nil || v.DownwardAPI != nil
	}
	for i := range v.Projected.Sources {
		s := &v.Projected.Sources[i]
		if s.ConfigMap == nil && s.Secret == nil && s.DownwardAPI == nil && s.ServiceAccountToken == nil {
			return false
		}
	}
	return true
}
