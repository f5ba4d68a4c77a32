// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// reviewNode is how often the node looks whether it is still registered as it should be: somebody who deletes it
	// waits a minute, and it costs one request.
	reviewNode = time.Minute
	// mostPods is a kubelet's default.
	mostPods = 110
)

// There is no heartbeat: nobody evicts pods here (the control plane runs no controller of nodes), and a node whose
// process is gone takes the control plane with it.

func nodeLabels(name string) map[string]string {
	return map[string]string{
		corev1.LabelHostname: name, corev1.LabelOSStable: runtime.GOOS, corev1.LabelArchStable: runtime.GOARCH,
	}
}

// allocatable is what the node says it has. Nothing is measured or limited.
func allocatable() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(int64(runtime.NumCPU()), resource.DecimalSI),
		corev1.ResourceMemory:           resource.MustParse("8Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("8Gi"),
		corev1.ResourcePods:             *resource.NewQuantity(mostPods, resource.DecimalSI),
	}
}

// register makes the node's object be as it should, and writes only what differs.
func (n *Node) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	nodes := n.client.CoreV1().Nodes()
	node, err := nodes.Get(ctx, n.config.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		node, err = nodes.Create(ctx, &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: n.config.Name, Labels: nodeLabels(n.config.Name)},
		}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("register node %s: %w", n.config.Name, err)
	}
	labels := maps.Clone(node.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, nodeLabels(n.config.Name))
	if !maps.Equal(labels, node.Labels) {
		node.Labels = labels
		if node, err = nodes.Update(ctx, node, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("register node %s: %w", n.config.Name, err)
		}
	}
	status := n.nodeStatus(node)
	if equality.Semantic.DeepEqual(status, node.Status) {
		return nil
	}
	node.Status = status
	if _, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("register node %s: %w", n.config.Name, err)
	}
	return nil
}

func (n *Node) nodeStatus(node *corev1.Node) corev1.NodeStatus {
	status := *node.Status.DeepCopy()
	status.Capacity, status.Allocatable = allocatable(), allocatable()
	status.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: n.addresses.node.String()},
		{Type: corev1.NodeHostName, Address: n.config.Name},
	}
	status.NodeInfo.KubeletVersion = "samsa-local"
	status.NodeInfo.ContainerRuntimeVersion = "process://"
	status.NodeInfo.OperatingSystem, status.NodeInfo.Architecture = runtime.GOOS, runtime.GOARCH
	status.NodeInfo.OSImage = "this machine"
	ready := corev1.NodeCondition{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
		Message:            "pods run as processes of this machine",
		LastTransitionTime: stamp(time.Now()), LastHeartbeatTime: stamp(time.Now()),
	}
	for _, old := range node.Status.Conditions {
		if old.Type == corev1.NodeReady && old.Status == ready.Status && old.Message == ready.Message {
			ready = old
		}
	}
	status.Conditions = []corev1.NodeCondition{ready}
	return status
}
