// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// observed is what a status is computed from.
type observed struct {
	containers []corev1.ContainerStatus
	facts      facts
}

// reporter writes a pod's status: the newest, as soon as the API server takes it, and nothing where nothing has
// changed.
type reporter struct {
	node   *Node
	latest func() (pod *corev1.Pod, gone bool)
	kicked chan struct{}

	// mu protects next.
	mu   sync.Mutex
	next observed

	// base is what the last write gave back, or a fresh reading after a conflict, and on is the resource version of the
	// mirror's pod at that time: until the mirror moves on, base is newer. Both belong to whoever writes.
	base *corev1.Pod
	on   string
}

func newReporter(n *Node, latest func() (*corev1.Pod, bool)) *reporter {
	return &reporter{node: n, latest: latest, kicked: make(chan struct{}, 1)}
}

// set is what is to be shown from now on.
func (r *reporter) set(next observed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = next
	poke(r.kicked)
}

func (r *reporter) wanted() observed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next
}

// run writes until ctx ends or stop is closed.
func (r *reporter) run(ctx context.Context, stop <-chan struct{}) {
	retry := time.NewTimer(time.Hour)
	retry.Stop()
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-stop:
			return
		case <-r.kicked:
		case <-retry.C:
		}
		if !r.write(ctx, r.wanted()) {
			retry.Reset(retryAfter)
		}
	}
}

// attempts at a write that meets a conflict: others write a pod's status seldom, and its metadata seldom.
const attempts = 4

// write writes the status if it differs, and reports whether that is done.
func (r *reporter) write(ctx context.Context, what observed) (done bool) {
	for range attempts {
		done, conflict := r.attempt(ctx, what)
		if !conflict {
			return done
		}
	}
	return false
}

func (r *reporter) attempt(ctx context.Context, what observed) (done, conflict bool) {
	pod, gone := r.latest()
	if gone {
		return true, false
	}
	seen := pod.ResourceVersion
	if r.base != nil && r.on == seen {
		pod = r.base
	}
	next := pod.DeepCopy()
	next.Status = podStatus(pod, what.containers, what.facts, time.Now())
	if equality.Semantic.DeepEqual(pod.Status, next.Status) {
		return true, false
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	pods := r.node.client.CoreV1().Pods(pod.Namespace)
	written, err := pods.UpdateStatus(ctx, next, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		if written, err = pods.Get(ctx, pod.Name, metav1.GetOptions{}); err == nil && written.UID == pod.UID {
			r.base, r.on = written, seen
		}
		return false, err == nil
	}
	if apierrors.IsNotFound(err) {
		return true, false
	}
	if err != nil {
		return r.node.failed(ctx, "report", pod, err), false
	}
	r.base, r.on = written, seen
	return true, false
}

// finish writes the last status and lets the API forget the pod. It tries until that is done, or the pod is gone, or
// ctx ends.
func (r *reporter) finish(ctx context.Context, last observed, kicked <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-kicked:
		case <-timer.C:
		}
		pod, gone := r.latest()
		if gone || r.write(ctx, last) && r.forget(ctx, pod) {
			return
		}
		timer.Reset(retryAfter)
	}
}

// forget ends the deletion that somebody asked for.
func (r *reporter) forget(ctx context.Context, pod *corev1.Pod) (done bool) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := r.node.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To[int64](0), Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
	})
	// A conflict is another pod of this name: this one is gone.
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return true
	}
	return r.node.failed(ctx, "forget", pod, err)
}
