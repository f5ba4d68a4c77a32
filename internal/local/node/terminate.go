// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// forcedGrace is what a pod gets that was removed from the API outright, a kubelet's least.
const forcedGrace = 2 * time.Second

// terminate ends all processes: SIGTERM, the grace that the pod has, SIGKILL. The grace gets shorter when the pod's
// deletion is made more urgent, the pod vanishes, or the node ends. It returns when no process is left.
func (r *runner) terminate(ctx context.Context) {
	pod, _ := r.latest()
	begun := time.Now()
	for _, c := range r.containers {
		c.policy, c.stopping = corev1.RestartPolicyNever, true
		for kind, end := range c.probing {
			end()
			delete(c.probing, kind)
		}
		if c.process != nil {
			r.node.events.Event(pod, corev1.EventTypeNormal, "Killing", "Stopping container "+c.spec.Name)
			_ = c.process.Signal(syscall.SIGTERM) // it may have ended already
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	stopping := ctx.Done()
	for r.running() {
		pod, gone := r.latest()
		timer.Reset(time.Until(begun.Add(r.grace(pod, gone, ctx.Err() != nil))))
		select {
		case <-stopping:
			stopping = nil // once is enough
		case <-r.kicked:
		case h := <-r.happened:
			r.take(ctx, pod, h)
			r.reporter.set(r.observed())
		case <-timer.C:
			r.kill()
		}
	}
}

// grace is how long after SIGTERM the processes may live.
func (r *runner) grace(pod *corev1.Pod, gone, stopping bool) time.Duration {
	declared := ptr.Deref(pod.Spec.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)
	grace := time.Duration(ptr.Deref(pod.DeletionGracePeriodSeconds, declared)) * time.Second
	if gone {
		grace = min(grace, forcedGrace)
	}
	if stopping {
		grace = min(grace, r.node.config.ShutdownGrace)
	}
	return grace
}

func (r *runner) running() bool {
	for _, c := range r.containers {
		if c.process != nil {
			return true
		}
	}
	return false
}

// kill ends what still runs and takes note of it here: its watcher finds that the process has been replaced.
func (r *runner) kill() {
	pod, _ := r.latest()
	for _, c := range r.containers {
		if c.process != nil {
			r.exited(pod, c, c.process.Kill())
		}
	}
}
