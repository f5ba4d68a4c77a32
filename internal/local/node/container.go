// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

// The reasons that a kubelet gives, by which others know them.
const (
	reasonCreating         = "ContainerCreating"
	reasonErrImagePull     = "ErrImagePull"
	reasonImagePullBackOff = "ImagePullBackOff"
	reasonConfigError      = "CreateContainerConfigError"
	reasonCrashLoop        = "CrashLoopBackOff"
	reasonCompleted        = "Completed"
	reasonError            = "Error"
	reasonStartError       = "StartError"
	reasonUnknown          = "ContainerStatusUnknown"
)

// container is what is known of a container; it knows neither clocks nor processes. The zero value is no container; see
// newContainer.
type container struct {
	spec     corev1.Container
	policy   corev1.RestartPolicy
	state    corev1.ContainerState
	last     corev1.ContainerState // how the run before ended
	id       string                // of the present or the last run
	restarts int32
	backoff  backoff
	retryAt  time.Time // when it is started again, if it has run before

	started, ready bool
	// checks are those of the probes that the container declares.
	checks map[probeKind]*check
}

// newContainer takes over what an earlier node reported, whose processes are gone.
func newContainer(
	spec corev1.Container, policy corev1.RestartPolicy, wait backoff, before *corev1.ContainerStatus, now time.Time,
) *container {
	c := &container{spec: spec, policy: policy, backoff: wait}
	c.wait(reasonCreating, "")
	if before == nil {
		return c
	}
	c.restarts, c.last, c.id = before.RestartCount, before.LastTerminationState, before.ContainerID
	switch {
	case before.State.Running != nil:
		c.end(corev1.ContainerStateTerminated{
			ExitCode: 128 + int32(syscall.SIGKILL), Reason: reasonUnknown, Message: "The node that ran it is gone",
			StartedAt: before.State.Running.StartedAt, FinishedAt: stamp(now),
		}, now)
		c.retryAt = now
	case before.State.Terminated != nil:
		c.end(*before.State.Terminated, now)
	}
	return c
}

// run says that a process was started.
func (c *container) run(id string, now time.Time) {
	c.state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: stamp(now)}}
	c.id = id
	c.checks = newChecks(c.spec)
	c.verdicts()
}

// wait says why no process could be started yet.
func (c *container) wait(reason, message string) {
	c.state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	c.started, c.ready, c.checks = false, false, nil
}

// exited says that the process has ended.
func (c *container) exited(exit proc.Exit, now time.Time) {
	terminated := corev1.ContainerStateTerminated{
		ExitCode: int32(exit.Code), Reason: reasonError, FinishedAt: stamp(exit.At), //nolint:gosec // a byte
	}
	if exit.Code == 0 {
		terminated.Reason = reasonCompleted
	}
	if c.state.Running != nil {
		terminated.StartedAt = c.state.Running.StartedAt
	}
	c.end(terminated, now)
}

// unstartable says that the machine could not run the program.
func (c *container) unstartable(err error, now time.Time) {
	const exitCode = 128 // a kubelet's
	at := stamp(now)
	c.end(corev1.ContainerStateTerminated{
		ExitCode: exitCode, Reason: reasonStartError, Message: err.Error(), StartedAt: at, FinishedAt: at,
	}, now)
}

// end enters how a run ended, and when the next begins, if there is to be one.
func (c *container) end(terminated corev1.ContainerStateTerminated, now time.Time) {
	terminated.ContainerID = c.id
	ended := corev1.ContainerState{Terminated: &terminated}
	c.started, c.ready, c.checks = false, false, nil
	if !c.again(terminated.ExitCode) {
		c.state = ended
		return
	}
	wait := c.backoff.after(terminated.FinishedAt.Sub(terminated.StartedAt.Time))
	c.last, c.retryAt = ended, now.Add(wait)
	c.restarts++
	if wait == 0 {
		// It begins anew within milliseconds: no reader needs to see it wait.
		c.state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reasonCreating}}
		return
	}
	c.wait(reasonCrashLoop, fmt.Sprintf("back-off %s restarting failed container=%s", wait, c.spec.Name))
}

// again reports whether the policy wants another run after an end with this code.
func (c *container) again(code int32) bool {
	switch c.policy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return code != 0
	default:
		return true
	}
}

// due reports whether a process should be started now; if later, when.
func (c *container) due(now time.Time) (due bool, at time.Time) {
	if c.state.Waiting == nil {
		return false, time.Time{}
	}
	if now.Before(c.retryAt) {
		return false, c.retryAt
	}
	return true, time.Time{}
}

// observe takes a probe's result and reports whether the process is to be killed.
func (c *container) observe(kind probeKind, success bool) (kill bool) {
	check := c.checks[kind]
	if check == nil || c.state.Running == nil {
		return false
	}
	crossed := check.observe(success)
	c.verdicts()
	return crossed && !check.passing && kind != readiness
}

// verdicts draws what the checks say together: without a startup probe a container has started when it runs, and
// without a readiness probe it is ready when it has started.
func (c *container) verdicts() {
	passing := func(kind probeKind) bool { return c.checks[kind] == nil || c.checks[kind].passing }
	c.started = passing(startup)
	c.ready = c.started && passing(readiness)
}

// probed reports whether a probe of this kind is to be made now: the others wait for the startup probe, which then
// ends.
func (c *container) probed(kind probeKind) bool {
	if c.checks[kind] == nil {
		return false
	}
	return (kind == startup) != c.started
}

// status is what the API shows.
func (c *container) status() corev1.ContainerStatus {
	started := c.started && c.state.Running != nil
	return corev1.ContainerStatus{
		Name: c.spec.Name, Image: c.spec.Image, ImageID: c.spec.Image, ContainerID: c.id,
		State: c.state, LastTerminationState: c.last, RestartCount: c.restarts, Ready: c.ready, Started: &started,
	}
}
