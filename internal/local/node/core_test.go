// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func TestBackoffIsAKubelets(t *testing.T) {
	g := NewWithT(t)
	b := backoff{base: defaultBackoff, most: defaultMaxBackoff}
	var waits []time.Duration
	for range 8 {
		waits = append(waits, b.after(time.Second))
	}
	s := time.Second
	g.Expect(waits).To(Equal([]time.Duration{0, 10 * s, 20 * s, 40 * s, 80 * s, 160 * s, 300 * s, 300 * s}))
	g.Expect(b.after(10*time.Minute)).To(BeZero(), "it ran long enough to be forgiven")
	g.Expect(b.after(time.Second)).To(Equal(10 * s))
}

func TestCheckCountsInARow(t *testing.T) {
	g := NewWithT(t)
	c := check{needSuccesses: 2, needFailures: 3, passing: true}
	for i, step := range []struct{ success, crossed, passing bool }{
		{false, false, true}, {false, false, true}, {true, false, true}, // interrupted
		{false, false, true}, {false, false, true}, {false, true, false}, {false, false, false},
		{true, false, false}, {true, true, true}, {true, false, true},
	} {
		g.Expect(c.observe(step.success)).To(Equal(step.crossed), "step %d", i)
		g.Expect(c.passing).To(Equal(step.passing), "step %d", i)
	}
}

func newActor(policy corev1.RestartPolicy, before *corev1.ContainerStatus) *container {
	spec := corev1.Container{Name: "c", Image: "i"}
	return newContainer(spec, policy, backoff{base: 10 * time.Second, most: time.Minute}, before, noon)
}

func TestContainerGoesThroughItsStates(t *testing.T) {
	g := NewWithT(t)
	c := newActor(corev1.RestartPolicyAlways, nil)
	due, _ := c.due(noon)
	g.Expect(due).To(BeTrue())
	c.run("1", noon)
	g.Expect(c.status()).To(And(HaveField("Ready", true), HaveField("Started", HaveValue(BeTrue()))))
	due, _ = c.due(noon)
	g.Expect(due).To(BeFalse())

	c.exited(proc.Exit{Code: 137, Signal: syscall.SIGKILL, At: noon}, noon)
	due, _ = c.due(noon)
	g.Expect(due).To(BeTrue(), "the first restart is immediate")
	c.run("2", noon)
	g.Expect(c.status()).To(And(HaveField("RestartCount", int32(1)),
		HaveField("LastTerminationState.Terminated", HaveValue(And(
			HaveField("ExitCode", int32(137)), HaveField("ContainerID", "1"))))))

	c.exited(proc.Exit{Code: 1, At: noon}, noon)
	due, at := c.due(noon)
	g.Expect(due).To(BeFalse())
	g.Expect(at).To(Equal(noon.Add(10 * time.Second)))
	g.Expect(c.status().State.Waiting).To(HaveValue(And(HaveField("Reason", "CrashLoopBackOff"),
		HaveField("Message", "back-off 10s restarting failed container=c"))))
	due, _ = c.due(at)
	g.Expect(due).To(BeTrue())
}

func TestContainerEndsWithItsPolicy(t *testing.T) {
	g := NewWithT(t)
	for _, c := range []struct {
		policy corev1.RestartPolicy
		code   int
		again  bool
	}{
		{corev1.RestartPolicyAlways, 0, true}, {corev1.RestartPolicyAlways, 1, true},
		{corev1.RestartPolicyOnFailure, 0, false}, {corev1.RestartPolicyOnFailure, 1, true},
		{corev1.RestartPolicyNever, 0, false}, {corev1.RestartPolicyNever, 1, false},
	} {
		actor := newActor(c.policy, nil)
		actor.run("1", noon)
		actor.exited(proc.Exit{Code: c.code, At: noon}, noon)
		g.Expect(actor.status().State.Terminated == nil).To(Equal(c.again), "%s, %d", c.policy, c.code)
	}
}

func TestContainerTakesOverWhatAnEarlierNodeReported(t *testing.T) {
	g := NewWithT(t)
	running := newActor(corev1.RestartPolicyAlways, &corev1.ContainerStatus{RestartCount: 3, State: corev1.ContainerState{
		Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon.Add(-time.Hour))},
	}})
	due, _ := running.due(noon)
	g.Expect(due).To(BeTrue())
	g.Expect(running.status()).To(And(HaveField("RestartCount", int32(4)),
		HaveField("LastTerminationState.Terminated.Reason", "ContainerStatusUnknown")))

	done := newActor(corev1.RestartPolicyNever, &corev1.ContainerStatus{State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: 0, Reason: "Completed"},
	}})
	due, _ = done.due(noon)
	g.Expect(due).To(BeFalse())
}

func TestProbesDecide(t *testing.T) {
	g := NewWithT(t)
	probe := func(failures int32) *corev1.Probe {
		return &corev1.Probe{FailureThreshold: failures, SuccessThreshold: 1}
	}
	c := newActor(corev1.RestartPolicyAlways, nil)
	c.spec.StartupProbe, c.spec.LivenessProbe, c.spec.ReadinessProbe = probe(2), probe(2), probe(1)
	c.run("1", noon)
	g.Expect([]bool{c.probed(startup), c.probed(liveness), c.probed(readiness)}).To(Equal([]bool{true, false, false}))
	g.Expect(c.status()).To(And(HaveField("Ready", false), HaveField("Started", HaveValue(BeFalse()))))
	g.Expect(c.observe(startup, true)).To(BeFalse())
	g.Expect([]bool{c.probed(startup), c.probed(liveness), c.probed(readiness)}).To(Equal([]bool{false, true, true}))
	g.Expect(c.observe(readiness, true)).To(BeFalse())
	g.Expect(c.status().Ready).To(BeTrue())
	g.Expect(c.observe(readiness, false)).To(BeFalse(), "who is not ready is not killed")
	g.Expect(c.status().Ready).To(BeFalse())
	g.Expect(c.observe(liveness, false)).To(BeFalse())
	g.Expect(c.observe(liveness, false)).To(BeTrue())
}

func TestStatusIsStableAndKeepsWhatIsOthers(t *testing.T) {
	g := NewWithT(t)
	pod := &corev1.Pod{Spec: corev1.PodSpec{ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "x/gate"}}}}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}
	c := newActor(corev1.RestartPolicyAlways, nil)
	c.run("1", noon)
	f := facts{address: "127.16.0.2", hostAddress: "127.16.0.1", startedAt: noon, prepared: true}
	status := podStatus(pod, []corev1.ContainerStatus{c.status()}, f, noon)
	g.Expect(status.Phase).To(Equal(corev1.PodRunning))
	g.Expect(conditionOf(status, corev1.DisruptionTarget).Status).To(Equal(corev1.ConditionTrue))
	g.Expect(conditionOf(status, corev1.ContainersReady).Status).To(Equal(corev1.ConditionTrue))
	g.Expect(conditionOf(status, corev1.PodReady).Reason).To(Equal("ReadinessGatesNotReady"))

	pod.Status = status
	again := podStatus(pod, []corev1.ContainerStatus{c.status()}, f, noon.Add(time.Hour))
	g.Expect(equality.Semantic.DeepEqual(status, again)).To(BeTrue())
}

func conditionOf(status corev1.PodStatus, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}

func TestPhase(t *testing.T) {
	g := NewWithT(t)
	running := corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	ended := func(code int32) corev1.ContainerStatus {
		return corev1.ContainerStatus{State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: code},
		}}
	}
	fresh := corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}}
	for _, c := range []struct {
		policy corev1.RestartPolicy
		of     []corev1.ContainerStatus
		over   bool
		want   corev1.PodPhase
	}{
		{corev1.RestartPolicyAlways, []corev1.ContainerStatus{fresh, running}, false, corev1.PodPending},
		{corev1.RestartPolicyAlways, []corev1.ContainerStatus{running, ended(1)}, false, corev1.PodRunning},
		{corev1.RestartPolicyNever, []corev1.ContainerStatus{running, ended(1)}, false, corev1.PodRunning},
		{corev1.RestartPolicyNever, []corev1.ContainerStatus{ended(0), ended(1)}, false, corev1.PodFailed},
		{corev1.RestartPolicyNever, []corev1.ContainerStatus{ended(0), ended(0)}, false, corev1.PodSucceeded},
		{corev1.RestartPolicyOnFailure, []corev1.ContainerStatus{ended(0), ended(1)}, false, corev1.PodRunning},
		{corev1.RestartPolicyAlways, []corev1.ContainerStatus{ended(0)}, true, corev1.PodSucceeded},
		{corev1.RestartPolicyAlways, []corev1.ContainerStatus{fresh}, true, corev1.PodFailed},
	} {
		g.Expect(phase(c.policy, c.of, c.over)).To(Equal(c.want), "%v", c)
	}
}

func TestExpand(t *testing.T) {
	g := NewWithT(t)
	values := map[string]string{"A": "1", "B": "$(A)"}
	for text, want := range map[string]string{
		"$(A)": "1", "x$(A)y$(A)": "x1y1", "$(B)": "$(A)", "$$(A)": "$(A)", "$(NONE)": "$(NONE)", "$A": "$A", "a$": "a$",
		"$(A": "$(A", "$$$(A)": "$1", "": "",
	} {
		g.Expect(expand(text, values)).To(Equal(want), text)
	}
}

func TestPathsAreReplacedWhereTheyStandAlone(t *testing.T) {
	g := NewWithT(t)
	p := mountPaths(&corev1.Container{VolumeMounts: []corev1.VolumeMount{
		{MountPath: "/etc/samsa"}, {MountPath: "/etc/samsa/config/"}, {MountPath: "/"},
	}}, "/r")
	for text, want := range map[string]string{
		"/etc/samsa/config/worker.yaml": "/r/etc/samsa/config/worker.yaml", "--file=/etc/samsa/x": "--file=/r/etc/samsa/x",
		"/etc/samsa:/etc/samsa/a": "/r/etc/samsa:/r/etc/samsa/a", "/etc/samsax": "/etc/samsax", "x/etc/samsa": "x/etc/samsa",
		"http://h/etc/samsa": "http://h/etc/samsa", "/other": "/other", "": "",
	} {
		g.Expect(p.replace(text)).To(Equal(want), text)
	}
}

// none has no objects.
type none struct{}

func (none) configMap(_, name string) (*corev1.ConfigMap, error) {
	return nil, apierrors.NewNotFound(corev1.Resource("configmaps"), name)
}

func (none) secret(_, name string) (*corev1.Secret, error) {
	return nil, apierrors.NewNotFound(corev1.Resource("secrets"), name)
}

func TestEnvironmentOfResourcesAndOptionalReferences(t *testing.T) {
	g := NewWithT(t)
	r := &resolver{pod: &corev1.Pod{}, objects: none{}}
	c := &corev1.Container{Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{
		corev1.ResourceMemory: resource.MustParse("100Mi"), corev1.ResourceCPU: resource.MustParse("1500m"),
	}}}
	from := func(limit, divisor string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{
			Resource: limit, Divisor: resource.MustParse(divisor),
		}}
	}
	c.Env = []corev1.EnvVar{
		{Name: "MEMORY", ValueFrom: from("limits.memory", "1Mi")}, {Name: "CPU", ValueFrom: from("limits.cpu", "0")},
		{Name: "OPTIONAL", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Optional: new(true)}}},
	}
	v, err := r.environment(c)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v.list()).To(Equal([]string{"MEMORY=100", "CPU=2"}))
	c.Env[2].ValueFrom.SecretKeyRef.Optional = nil
	_, err = r.environment(c)
	g.Expect(errors.Unwrap(err)).To(WithTransform(apierrors.IsNotFound, BeTrue()))
}

func TestVolumesAreReplacedWhole(t *testing.T) {
	g := NewWithT(t)
	w := &written{directory: filepath.Join(t.TempDir(), "v")}
	g.Expect(w.write(tree{"a": {"1", 0o644}, "d/b": {"2", 0o600}})).To(BeTrue())
	g.Expect(w.write(tree{"a": {"1", 0o644}, "d/b": {"2", 0o600}})).To(BeFalse())
	g.Expect(os.ReadFile(filepath.Join(w.directory, "d", "b"))).To(BeEquivalentTo("2"))
	link, err := os.Readlink(filepath.Join(w.directory, dataLink))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(w.write(tree{"a": {"3", 0o644}})).To(BeTrue())
	g.Expect(os.ReadFile(filepath.Join(w.directory, "a"))).To(BeEquivalentTo("3"))
	g.Expect(filepath.Join(w.directory, "d")).NotTo(BeAnExistingFile())
	g.Expect(filepath.Join(w.directory, link)).NotTo(BeADirectory(), "the old version is gone")
}

func TestVolumesRefuseToLeaveTheirDirectory(t *testing.T) {
	g := NewWithT(t)
	v := &volumes{pod: &corev1.Pod{}, objects: none{}}
	volume := &corev1.Volume{Name: "v", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
		Items: []corev1.DownwardAPIVolumeFile{{
			Path: "../x", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"},
		}},
	}}}
	_, err := v.hold(t.Context(), volume)
	g.Expect(err).To(MatchError(ContainSubstring("no path inside")))
}

func TestRangesOfAddressesDoNotMeet(t *testing.T) {
	g := NewWithT(t)
	one, err := claimAddresses(t.Context(), "seed")
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = one.close() }()
	two, err := claimAddresses(t.Context(), "seed")
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = two.close() }()
	g.Expect(one.node).NotTo(Equal(two.node))
	first, err := one.take()
	g.Expect(err).NotTo(HaveOccurred())
	second, err := one.take()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(second).NotTo(Equal(first))
	one.give(first)
	third, err := one.take()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(third).NotTo(Equal(first), "what was given back rests")
}

func TestLogsOfGonePodsAreFew(t *testing.T) {
	g := NewWithT(t)
	directory := t.TempDir()
	alive := func(uid types.UID) bool { return uid == "uid-0" }
	g.Expect(pruneLogs(directory, alive)).To(Succeed(), "nothing has run yet")
	for i := range goneLogs + 3 {
		home := filepath.Join(directory, "logs", fmt.Sprintf("default_one_uid-%d", i))
		g.Expect(os.MkdirAll(filepath.Join(home, "worker"), 0o700)).To(Succeed())
		at := noon.Add(time.Duration(i) * time.Minute)
		g.Expect(os.Chtimes(home, at, at)).To(Succeed())
	}
	g.Expect(pruneLogs(directory, alive)).To(Succeed())
	left, err := filepath.Glob(filepath.Join(directory, "logs", "*"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(HaveLen(goneLogs + 1))
	g.Expect(left).To(ContainElement(HaveSuffix("uid-0")), "it runs")
	g.Expect(left).NotTo(ContainElement(HaveSuffix("uid-1")), "it is gone longest")
}
