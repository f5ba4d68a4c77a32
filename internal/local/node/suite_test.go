// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/samsa-dev/samsa/internal/kubetest"
	"github.com/samsa-dev/samsa/internal/local/controlplane"
)

// actorImage is this test binary, which acts as a container if it is told to.
const actorImage = "actor:test"

func TestMain(m *testing.M) {
	if os.Getenv("ACT") != "" {
		act()
		return
	}
	os.Exit(m.Run())
}

// act is a program that does what it is asked to over HTTP, or in its environment.
func act() {
	fmt.Fprintln(os.Stdout, "acting as", os.Getenv("ACT"))
	if os.Getenv("ACT") == "exit" {
		code, _ := strconv.Atoi(os.Getenv("CODE"))
		os.Exit(code)
	}
	var healthy, ready atomic.Bool
	healthy.Store(true)
	ready.Store(os.Getenv("READY") != "later")
	answer := func(yes *atomic.Bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if !yes.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
	}
	http.HandleFunc("/healthz", answer(&healthy))
	http.HandleFunc("/readyz", answer(&ready))
	http.HandleFunc("/sicken", func(http.ResponseWriter, *http.Request) { healthy.Store(false) })
	http.HandleFunc("/prepare", func(http.ResponseWriter, *http.Request) { ready.Store(true) })
	http.HandleFunc("/args", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Join(os.Args[1:], "\n"))
	})
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Join(os.Environ(), "\n"))
	})
	http.HandleFunc("/exit", func(_ http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.FormValue("code"))
		os.Exit(code)
	})
	if os.Getenv("ACT") == "deaf" {
		signal.Ignore(syscall.SIGTERM)
	}
	fmt.Fprintln(os.Stdout, http.ListenAndServe(net.JoinHostPort(os.Getenv("POD_IP"), "8080"), nil))
}

func TestNode(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Node")
}

var (
	plane     *controlplane.ControlPlane
	client    kubernetes.Interface
	node      *Node
	namespace string
	leaks     []goleak.Option
	logger    = slog.New(slog.NewTextHandler(GinkgoWriter, &slog.HandlerOptions{Level: slog.LevelDebug}))
)

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	programs, err := kubetest.Assets()
	Expect(err).NotTo(HaveOccurred())
	plane, err = controlplane.Start(ctx, controlplane.Config{Directory: GinkgoT().TempDir(), Programs: programs})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(plane.Close()).To(Succeed()) })
	transport, err := rest.HTTPClientFor(plane.REST())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(transport.CloseIdleConnections)
	client, err = kubernetes.NewForConfigAndClient(plane.REST(), transport)
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(2*time.Minute))

// runNode runs a node for one spec, in a namespace of its own, and checks that it leaves nothing.
func runNode(ctx SpecContext, directory string) (stop func()) {
	leaks = []goleak.Option{goleak.IgnoreCurrent()}
	DeferCleanup(func() {
		Eventually(func() error { return goleak.Find(leaks...) }).Should(Succeed())
	})
	stop = startNode(directory)
	DeferCleanup(stop)
	created, err := client.CoreV1().Namespaces().Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "node-"}}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	namespace = created.Name
	Eventually(func() error {
		_, err := client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err
	}).WithContext(ctx).Should(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		now := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}
		Expect(client.CoreV1().Pods(namespace).DeleteCollection(ctx, now, metav1.ListOptions{})).To(Succeed())
		Eventually(func() ([]corev1.Pod, error) {
			list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
			return list.Items, err
		}).WithContext(ctx).Should(BeEmpty())
	}, NodeTimeout(time.Minute))
	return stop
}

// startNode runs the node; what it gives ends it and waits.
func startNode(directory string) (stop func()) {
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	node, err = New(Config{
		REST: plane.REST(), Directory: directory, Images: map[string]string{actorImage: self, "missing:test": "/nowhere/x"},
		Backoff: time.Second, MaxBackoff: 4 * time.Second, ShutdownGrace: 2 * time.Second, Logger: logger,
	})
	Expect(err).NotTo(HaveOccurred())
	running, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // ends with stop
	done := make(chan error, 1)
	go func() { done <- node.Run(running) }()
	Eventually(node.Registered()).Should(BeClosed())
	stopped := false
	return func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		var result error
		Eventually(done).Should(Receive(&result))
		Expect(result).NotTo(HaveOccurred())
	}
}

// actor is a pod that serves; change may make it another.
func actor(name string, change func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: map[string]string{"app": "actor"}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken:  new(false),
			TerminationGracePeriodSeconds: ptr.To[int64](5),
			Containers: []corev1.Container{{
				Name: "actor", Image: actorImage,
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				Env: []corev1.EnvVar{
					{Name: "ACT", Value: "serve"},
					{Name: "POD_IP", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"}}},
				},
			}},
		},
	}
	if change != nil {
		change(pod)
	}
	return pod
}

func create(ctx context.Context, pod *corev1.Pod) {
	GinkgoHelper()
	_, err := client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
}

func get(ctx context.Context, name string) *corev1.Pod {
	GinkgoHelper()
	pod, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	return pod
}

// container is the status of a pod's only container; empty while there is none.
func containerOf(ctx context.Context, name string) func() corev1.ContainerStatus {
	return func() corev1.ContainerStatus {
		pod, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil || len(pod.Status.ContainerStatuses) == 0 {
			return corev1.ContainerStatus{}
		}
		return pod.Status.ContainerStatuses[0]
	}
}

func condition(ctx context.Context, name string, kind corev1.PodConditionType) func() corev1.ConditionStatus {
	return func() corev1.ConditionStatus {
		pod, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return "?"
		}
		for _, c := range pod.Status.Conditions {
			if c.Type == kind {
				return c.Status
			}
		}
		return ""
	}
}

func awaitReady(ctx context.Context, name string) *corev1.Pod {
	GinkgoHelper()
	Eventually(condition(ctx, name, corev1.PodReady)).WithContext(ctx).Should(Equal(corev1.ConditionTrue))
	return get(ctx, name)
}

// ask gets an answer of a pod over HTTP.
func ask(ctx context.Context, pod *corev1.Pod, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+pod.Status.PodIP+":8080"+path, http.NoBody)
	if err != nil {
		return "", err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func answering(ctx context.Context, pod *corev1.Pod) func() error {
	return func() error {
		_, err := ask(ctx, pod, "/args")
		return err
	}
}

func gone(ctx context.Context, name string) func() bool {
	return func() bool {
		_, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}
}

func pidOf(name string) int {
	GinkgoHelper()
	process, err := node.process(types.NamespacedName{Namespace: namespace, Name: name})
	Expect(err).NotTo(HaveOccurred())
	return process.PID()
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func httpProbe(path string) *corev1.Probe {
	probe := &corev1.Probe{PeriodSeconds: 1, FailureThreshold: 2}
	probe.HTTPGet = &corev1.HTTPGetAction{Path: path}
	probe.HTTPGet.Port.Type, probe.HTTPGet.Port.StrVal = 1, "http"
	return probe
}
