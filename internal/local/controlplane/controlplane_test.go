// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/samsa-dev/samsa/internal/kubetest"
)

func TestControlPlane(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Control plane")
}

var _ = Describe("Control plane", func() {
	var plane *ControlPlane
	var client kubernetes.Interface

	BeforeEach(func(ctx SpecContext) {
		leaks := goleak.IgnoreCurrent()
		// Connections that nobody uses any more take the transport a moment to let go of.
		DeferCleanup(func() { Eventually(func() error { return goleak.Find(leaks) }, 5*time.Second).Should(Succeed()) })
		programs, err := kubetest.Assets()
		Expect(err).NotTo(HaveOccurred())
		begin := time.Now()
		plane, err = Start(ctx, Config{Directory: GinkgoT().TempDir(), Programs: programs, Progress: func(step string) {
			GinkgoWriter.Println(time.Since(begin).Round(time.Millisecond), step)
		}})
		Expect(err).NotTo(HaveOccurred())
		GinkgoWriter.Println(time.Since(begin).Round(time.Millisecond), "ready")
		DeferCleanup(func() { Expect(plane.Close()).To(Succeed()) })
		transport, err := rest.HTTPClientFor(plane.REST())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(transport.CloseIdleConnections)
		client, err = kubernetes.NewForConfigAndClient(plane.REST(), transport)
		Expect(err).NotTo(HaveOccurred())
	}, NodeTimeout(2*time.Minute))

	It("comes up, loses its API server and gets it back with all data, and leaves nothing running", func(ctx SpecContext) {
		pids := plane.PIDs()
		Expect(pids).To(HaveLen(3))
		config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}
		_, err := client.CoreV1().ConfigMaps("default").Create(ctx, config, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())

		Expect(plane.KillAPIServer()).To(Succeed())
		Expect(plane.KillAPIServer()).To(MatchError(ContainSubstring("does not run")))
		Expect(alive(pids["kube-apiserver"])).To(BeFalse())
		Expect(alive(pids["etcd"])).To(BeTrue())
		_, err = client.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{})
		Expect(err).To(HaveOccurred())
		Expect(plane.StartAPIServer(ctx)).To(Succeed())
		_, err = client.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Consistently(plane.Failed(), 300*time.Millisecond).ShouldNot(Receive(), "what was asked for is no failure")

		By("RBAC: an account may not read Secrets")
		weak := plane.REST()
		weak.Impersonate.UserName = "system:serviceaccount:default:default"
		transport, err := rest.HTTPClientFor(weak)
		Expect(err).NotTo(HaveOccurred())
		defer transport.CloseIdleConnections()
		as, err := kubernetes.NewForConfigAndClient(weak, transport)
		Expect(err).NotTo(HaveOccurred())
		_, err = as.CoreV1().Secrets("default").List(ctx, metav1.ListOptions{})
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)

		By("its directory is nobody else's")
		Expect(filepath.Dir(plane.Kubeconfig())).To(WithTransform(mode, Equal(os.FileMode(0o700))))
		Expect(plane.Kubeconfig()).To(WithTransform(mode, Equal(os.FileMode(0o600))))

		pids = plane.PIDs()
		Expect(plane.Close()).To(Succeed())
		for program, pid := range pids {
			Expect(alive(pid)).To(BeFalse(), program)
		}
		Expect(plane.Kubeconfig()).NotTo(BeAnExistingFile())
	}, SpecTimeout(2*time.Minute))

	It("tells of a program that dies, with the end of its log", func(ctx SpecContext) {
		Expect(syscall.Kill(plane.PIDs()["kube-controller-manager"], syscall.SIGABRT)).To(Succeed())
		var failure error
		Eventually(plane.Failed()).WithContext(ctx).Should(Receive(&failure))
		Expect(failure).To(MatchError(And(HavePrefix("kube-controller-manager: "), ContainSubstring("ends:\n"))))
		Expect(failure.Error()).To(MatchRegexp(`ends:\n(?s:.)+\S`))
	}, SpecTimeout(time.Minute))
})

func mode(path string) os.FileMode {
	info, err := os.Stat(path)
	Expect(err).NotTo(HaveOccurred())
	return info.Mode().Perm()
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestRefusesWhatCannotWork(t *testing.T) {
	g := NewWithT(t)
	_, err := Start(t.Context(), Config{Directory: t.TempDir(), Programs: "/nowhere"})
	g.Expect(err).To(MatchError(ContainSubstring("make kube")))
}

func TestFailsAtOnceWhenAProgramDoes(t *testing.T) {
	g := NewWithT(t)
	programs := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		script := "#!/bin/sh\necho cannot work >&2; exit 1\n"
		g.Expect(os.WriteFile(filepath.Join(programs, name), []byte(script), 0o700)).To(Succeed())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := Start(ctx, Config{Directory: t.TempDir(), Programs: programs})
	g.Expect(err).To(MatchError(ContainSubstring("exit code 1")))
	g.Expect(err).To(MatchError(ContainSubstring("cannot work")))
}
