// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func keyOf(pod string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: pod}
}

var _ = Describe("Node", func() {
	var directory string

	BeforeEach(func(ctx SpecContext) {
		directory = GinkgoT().TempDir()
		runNode(ctx, directory)
	}, NodeTimeout(time.Minute))

	It("runs pods at addresses of their own, and ends them in order", func(ctx SpecContext) {
		create(ctx, actor("one", nil))
		create(ctx, actor("two", nil))
		one, two := awaitReady(ctx, "one"), awaitReady(ctx, "two")
		Expect(one.Status.PodIP).To(HavePrefix("127."))
		Expect(one.Status.PodIP).NotTo(Equal(two.Status.PodIP))
		Expect(one.Status.Phase).To(Equal(corev1.PodRunning))
		Expect(one.Status.ContainerStatuses).To(HaveExactElements(And(
			HaveField("Ready", true), HaveField("Started", HaveValue(BeTrue())), HaveField("RestartCount", int32(0)),
			HaveField("State.Running", Not(BeNil())))))
		for _, kind := range []corev1.PodConditionType{
			corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReadyToStartContainers,
		} {
			Expect(condition(ctx, "one", kind)()).To(Equal(corev1.ConditionTrue), string(kind))
		}
		Eventually(ask).WithArguments(ctx, one, "/env").Should(ContainSubstring("POD_IP=" + one.Status.PodIP))

		By("writing nothing while nothing happens")
		version := get(ctx, "one").ResourceVersion
		Consistently(func() string { return get(ctx, "one").ResourceVersion }, 2*time.Second).Should(Equal(version))

		pid := pidOf("one")
		Expect(client.CoreV1().Pods(namespace).Delete(ctx, "one", metav1.DeleteOptions{})).To(Succeed())
		Eventually(gone(ctx, "one")).Should(BeTrue())
		Expect(alive(pid)).To(BeFalse())
		Expect(filepath.Join(directory, "pods", string(one.UID))).NotTo(BeADirectory())
		log, err := FindLog(directory, namespace, "one", "", false)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.ReadFile(log)).To(BeEquivalentTo("acting as serve\n"))
	}, SpecTimeout(time.Minute))

	It("gives processes what the pod declares", func(ctx SpecContext) {
		_, err := client.CoreV1().ConfigMaps(namespace).Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"file": "a: 1", "LEVEL": "3"},
		}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		create(ctx, actor("fed", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "settings", VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}},
			}}, {Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}, {
					DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{
						Path: "labels", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels"},
					}}},
				}},
			}}}}
			c := &p.Spec.Containers[0]
			c.VolumeMounts = []corev1.VolumeMount{
				{Name: "settings", MountPath: "/etc/settings"}, {Name: "token", MountPath: "/var/run/me"},
			}
			c.Args = []string{"--config=/etc/settings/file", "--level", "$(LEVEL)", "--at", "$(POD_IP)", "/etc/settingsx"}
			c.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "settings"},
			}}}
			c.Env = append(c.Env, corev1.EnvVar{Name: "TOKEN_FILE", Value: "/var/run/me/token"})
		}))
		pod := awaitReady(ctx, "fed")
		root := filepath.Join(directory, "pods", string(pod.UID), "actor", "rootfs")
		Eventually(ask).WithArguments(ctx, pod, "/args").Should(Equal(strings.Join([]string{
			"--config=" + root + "/etc/settings/file", "--level", "3", "--at", pod.Status.PodIP, "/etc/settingsx",
		}, "\n")))
		Expect(ask(ctx, pod, "/env")).To(ContainSubstring("TOKEN_FILE=" + root + "/var/run/me/token"))
		Expect(os.ReadFile(root + "/etc/settings/file")).To(BeEquivalentTo("a: 1"))
		Expect(os.ReadFile(root + "/var/run/me/token")).To(HavePrefix("ey"))
		Expect(os.ReadFile(root + "/var/run/me/labels")).To(BeEquivalentTo("app=\"actor\""))
	}, SpecTimeout(time.Minute))

	It("waits for a Secret, and follows it", func(ctx SpecContext) {
		create(ctx, actor("follower", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "s", VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: "digest"},
			}}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "s", MountPath: "/etc/secret"}}
		}))
		Eventually(containerOf(ctx, "follower")).Should(HaveField("State.Waiting",
			HaveValue(And(HaveField("Reason", "ContainerCreating"),
				HaveField("Message", ContainSubstring(`"digest" not found`))))))
		secret, err := client.CoreV1().Secrets(namespace).Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "digest"}, StringData: map[string]string{"digest": "u:1", "old": "x"},
		}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		pod := awaitReady(ctx, "follower")
		mounted := filepath.Join(directory, "pods", string(pod.UID), "actor", "rootfs", "etc", "secret")
		Expect(os.ReadFile(mounted + "/digest")).To(BeEquivalentTo("u:1"))
		secret.Data = map[string][]byte{"digest": []byte("u:2")}
		_, err = client.CoreV1().Secrets(namespace).Update(ctx, secret, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(os.ReadFile).WithArguments(mounted + "/digest").Should(BeEquivalentTo("u:2"))
		Eventually(mounted + "/old").ShouldNot(BeAnExistingFile())
		Expect(get(ctx, "follower").Status.ContainerStatuses[0].RestartCount).To(BeZero())
	}, SpecTimeout(time.Minute))

	It("shows readiness, and restarts what its liveness probe finds sick", func(ctx SpecContext) {
		create(ctx, actor("patient", func(p *corev1.Pod) {
			c := &p.Spec.Containers[0]
			c.Env = append(c.Env, corev1.EnvVar{Name: "READY", Value: "later"})
			c.StartupProbe, c.LivenessProbe = httpProbe("/healthz"), httpProbe("/healthz")
			c.ReadinessProbe = httpProbe("/readyz")
		}))
		Eventually(containerOf(ctx, "patient")).Should(HaveField("Started", HaveValue(BeTrue())))
		Expect(condition(ctx, "patient", corev1.PodReady)()).To(Equal(corev1.ConditionFalse))
		pod := get(ctx, "patient")
		_, err := ask(ctx, pod, "/prepare")
		Expect(err).NotTo(HaveOccurred())
		awaitReady(ctx, "patient")
		_, err = ask(ctx, pod, "/sicken")
		Expect(err).NotTo(HaveOccurred())
		Eventually(containerOf(ctx, "patient")).Should(And(
			HaveField("RestartCount", int32(1)), HaveField("State.Running", Not(BeNil())), HaveField("Ready", false),
			HaveField("LastTerminationState.Terminated.ExitCode", int32(128+15))))
		Eventually(func() string {
			events, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
			Expect(err).NotTo(HaveOccurred())
			var reasons []string
			for _, e := range events.Items {
				reasons = append(reasons, e.Reason)
			}
			return strings.Join(reasons, " ")
		}).Should(And(ContainSubstring("Unhealthy"), ContainSubstring("Killing"), ContainSubstring("Started")))
		previous, err := FindLog(directory, namespace, "patient", "actor", true)
		Expect(err).NotTo(HaveOccurred())
		Expect(previous).To(HaveSuffix("actor/0.log"))
	}, SpecTimeout(time.Minute))

	It("restarts what ends, with back-off", func(ctx SpecContext) {
		create(ctx, actor("crasher", func(p *corev1.Pod) {
			p.Spec.Containers[0].Env[0].Value = "exit"
			p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, corev1.EnvVar{Name: "CODE", Value: "7"})
		}))
		Eventually(containerOf(ctx, "crasher")).Should(And(
			HaveField("State.Waiting", HaveValue(HaveField("Reason", "CrashLoopBackOff"))),
			HaveField("LastTerminationState.Terminated", HaveValue(And(
				HaveField("ExitCode", int32(7)), HaveField("Reason", "Error")))),
			HaveField("RestartCount", BeNumerically(">=", 2))))
		Expect(get(ctx, "crasher").Status.Phase).To(Equal(corev1.PodRunning))
		Eventually(containerOf(ctx, "crasher")).Should(HaveField("RestartCount", BeNumerically(">=", 4)))
	}, SpecTimeout(time.Minute))

	DescribeTable("ends with the pod's policy",
		func(ctx SpecContext, policy corev1.RestartPolicy, code string, phase corev1.PodPhase) {
			create(ctx, actor("once", func(p *corev1.Pod) {
				p.Spec.RestartPolicy = policy
				p.Spec.Containers[0].Env[0].Value = "exit"
				p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, corev1.EnvVar{Name: "CODE", Value: code})
			}))
			Eventually(func() corev1.PodPhase { return get(ctx, "once").Status.Phase }).Should(Equal(phase))
		},
		Entry("never, well", corev1.RestartPolicyNever, "0", corev1.PodSucceeded, SpecTimeout(time.Minute)),
		Entry("never, badly", corev1.RestartPolicyNever, "1", corev1.PodFailed, SpecTimeout(time.Minute)),
		Entry("on failure, well", corev1.RestartPolicyOnFailure, "0", corev1.PodSucceeded, SpecTimeout(time.Minute)),
	)

	DescribeTable("says why a container cannot start",
		func(ctx SpecContext, change func(*corev1.Pod), reason, message string) {
			create(ctx, actor("stuck", change))
			Eventually(containerOf(ctx, "stuck")).Should(HaveField("State.Waiting", HaveValue(And(
				HaveField("Reason", reason), HaveField("Message", ContainSubstring(message))))))
			Expect(get(ctx, "stuck").Status.Phase).To(Or(Equal(corev1.PodPending), Equal(corev1.PodRunning)))
		},
		Entry("an image that is not known", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "nginx:1" },
			"ErrImagePull", `image "nginx:1" is not known`, SpecTimeout(time.Minute)),
		Entry("then backs off", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "nginx:1" },
			"ImagePullBackOff", `Back-off pulling image "nginx:1"`, SpecTimeout(10*time.Second)),
		Entry("a Secret that is missing", func(p *corev1.Pod) {
			p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, corev1.EnvVar{
				Name: "PASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: "none"}, Key: "k",
				}},
			})
		}, "CreateContainerConfigError", `env PASSWORD: secrets "none" not found`, SpecTimeout(time.Minute)),
		Entry("what this node does not do", func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "first", Image: actorImage}}
		}, "CreateContainerConfigError", "does not offer spec.initContainers", SpecTimeout(time.Minute)),
		Entry("a program that is not there", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "missing:test" },
			"CrashLoopBackOff", "back-off 1s", SpecTimeout(time.Minute)),
	)

	It("takes up an image that was corrected", func(ctx SpecContext) {
		create(ctx, actor("typo", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "actro:test" }))
		Eventually(containerOf(ctx, "typo")).Should(HaveField("State.Waiting", Not(BeNil())))
		pod := get(ctx, "typo")
		pod.Spec.Containers[0].Image = actorImage
		Eventually(func() error {
			pod := get(ctx, "typo")
			pod.Spec.Containers[0].Image = actorImage
			_, err := client.CoreV1().Pods(namespace).Update(ctx, pod, metav1.UpdateOptions{})
			return err
		}).Should(Succeed())
		awaitReady(ctx, "typo")
	}, SpecTimeout(time.Minute))

	It("kills what does not listen, when its grace is over", func(ctx SpecContext) {
		create(ctx, actor("deaf", func(p *corev1.Pod) { p.Spec.Containers[0].Env[0].Value = "deaf" }))
		pod := awaitReady(ctx, "deaf")
		Eventually(answering(ctx, pod)).Should(Succeed())
		pid := pidOf("deaf")
		two := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](2)}
		Expect(client.CoreV1().Pods(namespace).Delete(ctx, "deaf", two)).To(Succeed())
		Consistently(func() bool { return alive(pid) }, 1500*time.Millisecond).Should(BeTrue())
		Eventually(gone(ctx, "deaf")).Should(BeTrue())
		Expect(alive(pid)).To(BeFalse())
	}, SpecTimeout(time.Minute))

	It("restarts what is killed, and kills what is frozen", func(ctx SpecContext) {
		create(ctx, actor("victim", nil))
		awaitReady(ctx, "victim")
		first := pidOf("victim")
		Expect(syscall.Kill(first, syscall.SIGKILL)).To(Succeed())
		Eventually(containerOf(ctx, "victim")).Should(And(HaveField("RestartCount", int32(1)),
			HaveField("LastTerminationState.Terminated.ExitCode", int32(137)), HaveField("Ready", true)))
		second := pidOf("victim")
		Expect(second).NotTo(Equal(first))
		Expect(syscall.Kill(second, syscall.SIGSTOP)).To(Succeed())
		now := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](1)}
		Expect(client.CoreV1().Pods(namespace).Delete(ctx, "victim", now)).To(Succeed())
		Eventually(gone(ctx, "victim")).Should(BeTrue())
		Expect(alive(second)).To(BeFalse())
	}, SpecTimeout(time.Minute))

	It("leaves a pod pending whose nodeSelector it does not match", func(ctx SpecContext) {
		create(ctx, actor("picky", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} }))
		Eventually(condition(ctx, "picky", corev1.PodScheduled)).Should(Equal(corev1.ConditionFalse))
		Expect(get(ctx, "picky").Spec.NodeName).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	It("keeps pods running while the API server is away, and reports after", func(ctx SpecContext) {
		create(ctx, actor("steady", nil))
		create(ctx, actor("restarted", nil))
		steady := awaitReady(ctx, "steady")
		awaitReady(ctx, "restarted")
		pid, victim := pidOf("steady"), pidOf("restarted")
		Eventually(answering(ctx, steady)).Should(Succeed())

		Expect(plane.KillAPIServer()).To(Succeed())
		Expect(node.Signal(keyOf("restarted"), syscall.SIGKILL)).To(Succeed())
		Expect(node.Signal(keyOf("nobody"), syscall.SIGKILL)).To(MatchError(ContainSubstring("nobody has no process")))
		Eventually(func() int {
			process, err := node.process(keyOf("restarted"))
			if err != nil {
				return victim
			}
			return process.PID()
		}).ShouldNot(Equal(victim), "restarts need no API server")
		_, err := ask(ctx, steady, "/args")
		Expect(err).NotTo(HaveOccurred())
		Expect(plane.StartAPIServer(ctx)).To(Succeed())
		// The new API server's process and the suite's connection to it have goroutines that stay. (The node's processes
		// have such as well: that those end is what the other specs check.)
		leaks = append(leaks, goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*clientConnReadLoop).run"),
			goleak.IgnoreAnyFunction("github.com/samsa-dev/samsa/internal/local/proc.(*Process).wait"),
			goleak.IgnoreAnyFunction("io.Copy"),
			goleak.IgnoreAnyFunction("github.com/samsa-dev/samsa/internal/local/controlplane.(*child).start.func1"))

		Eventually(containerOf(ctx, "restarted"), 10*time.Second).Should(And(
			HaveField("RestartCount", int32(1)), HaveField("Ready", true)))
		Expect(pidOf("steady")).To(Equal(pid))
		Expect(get(ctx, "steady").Status).To(Equal(steady.Status))
		create(ctx, actor("after", nil))
		awaitReady(ctx, "after")
	}, SpecTimeout(2*time.Minute))
})

var _ = Describe("Node that is started anew", func() {
	It("ends its processes, and then runs its pods again and tells what became of them", func(ctx SpecContext) {
		directory := GinkgoT().TempDir()
		stop := runNode(ctx, directory)
		create(ctx, actor("survivor", nil))
		awaitReady(ctx, "survivor")
		pid := pidOf("survivor")
		stop()
		Expect(alive(pid)).To(BeFalse())
		Expect(os.ReadDir(filepath.Join(directory, "pods"))).To(BeEmpty(), "no Secret stays behind")

		DeferCleanup(startNode(directory))
		Eventually(containerOf(ctx, "survivor")).Should(And(
			HaveField("RestartCount", int32(1)), HaveField("Ready", true),
			HaveField("LastTerminationState.Terminated", HaveValue(HaveField("Reason", "ContainerStatusUnknown")))))
		Expect(client.CoreV1().Pods(namespace).Delete(ctx, "survivor", metav1.DeleteOptions{})).To(Succeed())
		Eventually(gone(ctx, "survivor")).Should(BeTrue())
	}, SpecTimeout(time.Minute))
})
