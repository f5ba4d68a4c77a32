// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// bind does a scheduler's work, with one node to choose from: what a pod asks of a node's labels is looked at;
// resources, taints and spreading are not. It reports whether there is nothing left to try again.
func (n *Node) bind(ctx context.Context, pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || len(pod.Spec.SchedulingGates) > 0 ||
		pod.Spec.SchedulerName != corev1.DefaultSchedulerName {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if !labels.SelectorFromSet(pod.Spec.NodeSelector).Matches(labels.Set(nodeLabels(n.config.Name))) {
		return n.refuse(ctx, pod, "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")
	}
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: n.config.Name},
	}
	err := n.client.CoreV1().Pods(pod.Namespace).Bind(ctx, binding, metav1.CreateOptions{})
	// A conflict is a pod that is bound already, or another of that name: the mirror will show it.
	return err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || n.failed(ctx, "bind", pod, err)
}

// refuse says that no node will do.
func (n *Node) refuse(ctx context.Context, pod *corev1.Pod, why string) bool {
	next := pod.DeepCopy()
	setCondition(&next.Status, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: why,
		ObservedGeneration: pod.Generation,
	}, time.Now())
	if equality.Semantic.DeepEqual(pod.Status, next.Status) {
		return true
	}
	_, err := n.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, next, metav1.UpdateOptions{})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		n.events.Event(pod, corev1.EventTypeWarning, "FailedScheduling", why)
		return true
	}
	return n.failed(ctx, "refuse", pod, err)
}

// failed logs what will be tried again, and returns false.
func (n *Node) failed(ctx context.Context, what string, pod *corev1.Pod, err error) bool {
	if ctx.Err() == nil && !strings.Contains(err.Error(), "connection refused") {
		n.config.Logger.Warn("Request failed and is tried again", "request", what, "pod", pod.Name, "error", err)
	}
	return false
}
