// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

// runner runs one pod. Its run goroutine owns the containers; others hand it what happened.
type runner struct {
	node      *Node
	key       types.NamespacedName
	uid       types.UID
	directory string
	kicked    chan struct{}
	happened  chan happening
	finished  chan struct{}  // closed when nobody takes what happens any more
	work      sync.WaitGroup // who watches processes and asks probes

	// These belong to run.
	containers []*instance
	disk       *disk
	address    netip.Addr
	facts      facts
	reporter   *reporter

	// mu protects what follows.
	mu      sync.Mutex
	pod     *corev1.Pod // the newest that is known
	gone    bool        // the pod is no more in the API
	over    bool        // run has returned
	process *proc.Process
}

// happening is an end of a process or the result of a probe.
type happening struct {
	of      *instance
	process *proc.Process
	exit    *proc.Exit
	probe   probeKind
	err     error
}

// instance is a container with its process, if it runs.
type instance struct {
	*container
	process  *proc.Process
	log      *proc.Log
	command  proc.Command // as the process was started, for exec probes
	stopping bool
	// probing are the probes that are being made, each with its end.
	probing map[probeKind]context.CancelFunc
}

func newRunner(n *Node, pod *corev1.Pod) *runner {
	return &runner{
		node: n, key: types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, uid: pod.UID, pod: pod,
		directory: filepath.Join(n.podsDirectory(), string(pod.UID)),
		kicked:    make(chan struct{}, 1), happened: make(chan happening), finished: make(chan struct{}),
	}
}

// update hands over the pod's newest state; touched says that ConfigMaps or Secrets have changed too.
func (r *runner) update(pod *corev1.Pod, touched bool) {
	r.mu.Lock()
	news := touched || r.pod.ResourceVersion != pod.ResourceVersion
	r.pod = pod
	r.mu.Unlock()
	if news {
		poke(r.kicked)
	}
}

// vanish says that the pod is gone from the API.
func (r *runner) vanish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.gone {
		r.gone = true
		poke(r.kicked)
	}
}

func (r *runner) latest() (pod *corev1.Pod, gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pod, r.gone
}

func (r *runner) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// first is the process of the first container, nil while it does not run.
func (r *runner) first() *proc.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.process
}

// run runs the pod until it is deleted, or ctx ends, and leaves nothing of it.
func (r *runner) run(ctx context.Context) {
	begun := time.Now()
	r.facts = facts{hostAddress: r.node.addresses.node.String(), startedAt: begun}
	r.reporter = newReporter(r.node, r.latest)
	r.work.Go(func() { r.reporter.run(ctx, r.finished) })
	r.adopt(begun)
	r.loop(ctx)
	r.terminate(ctx)
	close(r.finished)
	r.work.Wait()
	r.facts.over = true
	if _, gone := r.latest(); !gone && ctx.Err() == nil {
		r.reporter.finish(ctx, r.observed(), r.kicked)
	}
	r.release()
}

// adopt makes the containers, with what an earlier node reported of them.
func (r *runner) adopt(now time.Time) {
	pod, _ := r.latest()
	wait := backoff{base: r.node.config.Backoff, most: r.node.config.MaxBackoff}
	for i := range pod.Spec.Containers {
		spec := pod.Spec.Containers[i]
		var before *corev1.ContainerStatus
		for k := range pod.Status.ContainerStatuses {
			if pod.Status.ContainerStatuses[k].Name == spec.Name {
				before = &pod.Status.ContainerStatuses[k]
			}
		}
		r.containers = append(r.containers, &instance{
			container: newContainer(spec, pod.Spec.RestartPolicy, wait, before, now),
			probing:   map[probeKind]context.CancelFunc{},
		})
	}
	if pod.Status.StartTime != nil {
		r.facts.startedAt = pod.Status.StartTime.Time
	}
}

// loop keeps the pod as it should be while it should be.
func (r *runner) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		pod, gone := r.latest()
		if gone || pod.DeletionTimestamp != nil || ctx.Err() != nil {
			return
		}
		again := r.converge(ctx, pod, time.Now())
		r.reporter.set(r.observed())
		if again.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(again))
		}
		select {
		case <-ctx.Done():
		case <-r.kicked:
		case <-timer.C:
		case h := <-r.happened:
			r.take(ctx, pod, h)
		}
	}
}

// observed is what the status is computed from.
func (r *runner) observed() observed {
	statuses := make([]corev1.ContainerStatus, 0, len(r.containers))
	for _, c := range r.containers {
		statuses = append(statuses, c.status())
	}
	return observed{containers: statuses, facts: r.facts}
}

// converge does what is to be done now, and says when to look again; zero if only news can change anything.
func (r *runner) converge(ctx context.Context, pod *corev1.Pod, now time.Time) (again time.Time) {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return time.Time{} // final, by the API's promise
	}
	if why := unsupported(pod); why != "" {
		r.hold(pod, reasonConfigError, why)
		return time.Time{}
	}
	if err := r.prepare(ctx, pod); err != nil {
		if !r.facts.prepared {
			r.hold(pod, reasonCreating, err.Error())
			r.node.events.Event(pod, corev1.EventTypeWarning, "FailedMount", err.Error())
			return now.Add(retryAfter)
		}
		// What runs goes on with what it has.
		r.node.failed(ctx, "refresh volumes", pod, err)
		again = now.Add(retryAfter)
	}
	again = sooner(again, r.disk.volumes.renewAt)
	for _, c := range r.containers {
		r.follow(pod, c, now) //nolint:contextcheck // see take
		due, at := c.due(now)
		if due {
			at = r.launch(ctx, pod, c, now)
		}
		again = sooner(again, at)
	}
	return again
}

// follow takes over a changed image, the one thing of a container that may change.
func (r *runner) follow(pod *corev1.Pod, c *instance, now time.Time) {
	for i := range pod.Spec.Containers {
		if wanted := &pod.Spec.Containers[i]; wanted.Name == c.spec.Name && wanted.Image != c.spec.Image {
			c.spec.Image, c.retryAt = wanted.Image, now
			r.stop(pod, c, "Container "+c.spec.Name+" definition changed, will be restarted", nil)
		}
	}
}

// hold says of all containers why none can start.
func (r *runner) hold(pod *corev1.Pod, reason, message string) {
	for _, c := range r.containers {
		if waiting := c.state.Waiting; waiting == nil || waiting.Message != message {
			r.node.config.Logger.Info("Pod cannot start", "pod", pod.Name, "container", c.spec.Name, "reason", message)
		}
		c.wait(reason, message)
	}
}

// sooner is the earlier of two times, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// prepare gives the pod its address and writes what its volumes hold by now.
func (r *runner) prepare(ctx context.Context, pod *corev1.Pod) error {
	if !r.address.IsValid() {
		address, err := r.node.addresses.take()
		if err != nil {
			return err
		}
		r.address = address
		r.facts.address = address.String()
	}
	pod = pod.DeepCopy()
	pod.Status.PodIP, pod.Status.HostIP = r.facts.address, r.facts.hostAddress
	if r.disk == nil {
		r.disk = newDisk(r.directory, &volumes{
			objects: r.node.objects, now: time.Now, tokens: map[string]token{}, token: r.requestToken,
		})
	}
	r.disk.volumes.pod = pod
	if _, err := r.disk.refresh(ctx); err != nil {
		return err
	}
	r.facts.prepared = true
	return nil
}

// release gives back what the pod had of this machine.
func (r *runner) release() {
	if r.disk != nil {
		if err := r.disk.remove(); err != nil {
			r.node.config.Logger.Warn("Pod leaves something behind", "pod", r.key.Name, "error", err)
		}
	}
	if r.address.IsValid() {
		r.node.addresses.give(r.address)
	}
	r.end()
	if err := pruneLogs(r.node.config.Directory, r.node.runs); err != nil {
		r.node.config.Logger.Warn("Old logs stay", "error", err)
	}
}

func (r *runner) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
}
