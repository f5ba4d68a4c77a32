// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

// launch starts a container's process, or enters why not and says when to try again.
func (r *runner) launch(ctx context.Context, pod *corev1.Pod, c *instance, now time.Time) (again time.Time) {
	program, known := r.node.config.Images[c.spec.Image]
	if !known {
		return r.pull(pod, c, now)
	}
	command, err := r.command(pod, &c.spec, program)
	if err != nil {
		if c.state.Waiting == nil || c.state.Waiting.Message != err.Error() {
			r.node.events.Event(pod, corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
		}
		c.wait(reasonConfigError, err.Error())
		return time.Time{} // ConfigMaps, Secrets and the pod are followed
	}
	if err := r.start(pod, c, command); err != nil {
		r.node.events.Event(pod, corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
		c.unstartable(err, now)
		_, again = c.due(now)
		return sooner(again, c.retryAt)
	}
	c.run(fmt.Sprintf("process://%d", c.process.PID()), now)
	r.node.events.Event(pod, corev1.EventTypeNormal, "Started", "Started container "+c.spec.Name)
	r.probes(ctx, c)
	return time.Time{}
}

// pull enters that an image cannot be had. It is never going to be, but the pod's image may be changed.
func (r *runner) pull(pod *corev1.Pod, c *instance, now time.Time) (again time.Time) {
	image := c.spec.Image
	if c.state.Waiting.Reason == reasonErrImagePull && !now.Before(c.retryAt) && !c.retryAt.IsZero() {
		c.wait(reasonImagePullBackOff, fmt.Sprintf("Back-off pulling image %q", image))
		c.retryAt = time.Time{} // for good, until follow sets it with another image
		return time.Time{}
	}
	if c.state.Waiting.Reason == reasonImagePullBackOff && c.retryAt.IsZero() {
		return time.Time{}
	}
	message := fmt.Sprintf(
		"image %q is not known: samsa-local pulls nothing, it has programs for the worker's image alone", image)
	c.wait(reasonErrImagePull, message)
	c.retryAt = now.Add(r.node.config.Backoff)
	r.node.events.Event(pod, corev1.EventTypeWarning, "Failed", "Failed to pull image: "+message)
	return c.retryAt
}

// command is what a container's process is started with.
func (r *runner) command(pod *corev1.Pod, spec *corev1.Container, program string) (proc.Command, error) {
	root := r.disk.root(spec.Name)
	resolve := &resolver{
		pod: r.disk.volumes.pod, objects: r.node.objects, paths: mountPaths(spec, root),
		defaults: [][2]string{
			{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
			{"HOME", root}, {"HOSTNAME", pod.Name},
		},
	}
	environment, err := resolve.environment(spec)
	if err != nil {
		return proc.Command{}, err
	}
	kubeconfig, err := r.kubeconfig(spec)
	if err != nil {
		return proc.Command{}, err
	}
	r.node.surround(environment, kubeconfig)
	words := append([]string{}, spec.Command...)
	words = append(words, spec.Args...)
	for i, word := range words {
		words[i] = resolve.paths.replace(expand(word, environment.values))
	}
	if len(spec.Command) > 0 {
		program, words = words[0], words[1:]
	}
	directory := root
	if spec.WorkingDir != "" {
		if inside := resolve.paths.replace(spec.WorkingDir); inside != spec.WorkingDir {
			directory = inside
		}
	}
	return proc.Command{
		Name: pod.Name + "/" + spec.Name, Path: program, Args: words, Env: environment.list(), Dir: directory,
	}, nil
}

// start starts the process and watches it.
func (r *runner) start(pod *corev1.Pod, c *instance, command proc.Command) error {
	file, err := openLogs(r.node.config.Directory, pod, filepath.Base(c.spec.Name), c.restarts)
	if err != nil {
		return err
	}
	log, err := proc.OpenLog(file, 0)
	if err != nil {
		return err
	}
	c.command = command
	command.Output = log
	process, err := proc.Start(command)
	if err != nil {
		return errors.Join(err, log.Close())
	}
	c.process, c.log, c.stopping = process, log, false
	if c == r.containers[0] {
		r.setProcess(process)
	}
	r.work.Go(func() {
		exit := process.Exit()
		r.tell(happening{of: c, process: process, exit: &exit})
	})
	return nil
}

func (r *runner) setProcess(process *proc.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.process = process
}

// tell hands over what happened, and reports whether anybody wanted to know.
func (r *runner) tell(h happening) bool {
	select {
	case r.happened <- h:
		return true
	case <-r.finished:
		return false
	}
}

// probes begins those probes that are due and ends those that are not.
func (r *runner) probes(ctx context.Context, c *instance) {
	for kind, probe := range probesOf(&c.spec) {
		end, being := c.probing[kind]
		wanted := c.probed(kind) && c.process != nil && !c.stopping
		switch {
		case being && !wanted:
			end()
			delete(c.probing, kind)
		case wanted && !being:
			asking, cancel := context.WithCancel(ctx)
			c.probing[kind] = cancel
			process := c.process
			p := &prober{
				probe: probe, begun: c.state.Running.StartedAt.Time, address: r.facts.address, ports: c.spec.Ports,
				execute: execution(c.command, probe),
				tell:    func(err error) bool { return r.tell(happening{of: c, process: process, probe: kind, err: err}) },
			}
			r.work.Go(func() { p.run(asking) })
		}
	}
}

// execution is an exec probe's command in the container's surroundings.
func execution(of proc.Command, probe *corev1.Probe) proc.Command {
	if probe.Exec == nil || len(probe.Exec.Command) == 0 {
		return proc.Command{}
	}
	of.Path, of.Args, of.Output = probe.Exec.Command[0], probe.Exec.Command[1:], nil
	return of
}

// take enters what happened to a process, unless it is one that has been replaced.
func (r *runner) take(ctx context.Context, pod *corev1.Pod, h happening) {
	c := h.of
	if c.process != h.process {
		return
	}
	if h.exit != nil {
		r.exited(pod, c, *h.exit)
		return
	}
	if !c.probed(h.probe) {
		return
	}
	if h.err != nil {
		r.node.events.Eventf(pod, corev1.EventTypeWarning, "Unhealthy", "%s probe failed: %v", h.probe, h.err)
	}
	if c.observe(h.probe, h.err == nil) {
		message := fmt.Sprintf("Container %s failed %s probe, will be restarted", c.spec.Name, h.probe)
		grace := probesOf(&c.spec)[h.probe].TerminationGracePeriodSeconds
		r.stop(pod, c, message, grace) //nolint:contextcheck // the grace counts, whatever ends meanwhile
	}
	r.probes(ctx, c)
}

// exited enters the end of a process.
func (r *runner) exited(pod *corev1.Pod, c *instance, exit proc.Exit) {
	for kind, end := range c.probing {
		end()
		delete(c.probing, kind)
	}
	_ = c.log.Close()
	c.process, c.log = nil, nil
	if c == r.containers[0] {
		r.setProcess(nil)
	}
	c.exited(exit, time.Now())
	r.node.config.Logger.Info("Container ended", "pod", pod.Name, "container", c.spec.Name, "exit", exit.String())
	if waiting := c.state.Waiting; waiting != nil && waiting.Reason == reasonCrashLoop {
		r.node.events.Event(pod, corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container "+c.spec.Name)
	}
}

// stop ends a process that its pod goes on without for a moment. Its end happens like any other.
func (r *runner) stop(pod *corev1.Pod, c *instance, why string, grace *int64) {
	if c.process == nil || c.stopping {
		return
	}
	c.stopping = true
	if grace == nil {
		grace = pod.Spec.TerminationGracePeriodSeconds
	}
	wait := time.Duration(ptr.Deref(grace, corev1.DefaultTerminationGracePeriodSeconds)) * time.Second
	r.node.events.Event(pod, corev1.EventTypeNormal, "Killing", why)
	process := c.process
	r.work.Go(func() { process.Stop(context.Background(), wait) })
}

// requestToken asks for a token that is good for this pod alone.
func (r *runner) requestToken(
	ctx context.Context, s *corev1.ServiceAccountTokenProjection,
) (text string, expires time.Time, err error) {
	pod, _ := r.latest()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: new(ptr.Deref(s.ExpirationSeconds, defaultTokenLife)),
		BoundObjectRef: &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID,
		},
	}}
	if s.Audience != "" {
		request.Spec.Audiences = []string{s.Audience}
	}
	answer, err := r.node.client.CoreV1().ServiceAccounts(pod.Namespace).
		CreateToken(ctx, pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return "", time.Time{}, err
	}
	return answer.Status.Token, answer.Status.ExpirationTimestamp.Time, nil
}
