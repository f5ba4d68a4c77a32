// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/controllers"
	"github.com/samsa-dev/samsa/internal/kubetest"
	"github.com/samsa-dev/samsa/internal/local/cluster"
)

const (
	// healing is what everything has to be mended within once its cause is gone: 10 s, and three times as long because
	// twenty groups and whatever else the machine has to do share two cores here. Each step notes what it took.
	healing = 3 * 10 * time.Second
	// starting is what a group may take from its creation to Ready: its pods are processes that start within a second or
	// two, and here twenty of them do so at once on two cores.
	starting = 60 * time.Second
	// startWorld bounds the start of everything, the build of the worker's binary included.
	startWorld = 2 * time.Minute
	// polling is often enough to see within how many seconds something happens, and cheap with twenty specs at once.
	polling = 200 * time.Millisecond
)

// The system under test, a client that reads past every cache, and the product's binary.
var (
	system       *cluster.Cluster
	api          client.WithWatch
	workerBinary string
)

func TestSystem(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(healing)
	SetDefaultEventuallyPollingInterval(polling)
	SetDefaultConsistentlyPollingInterval(polling)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "System")
}

// Whatever happens to this process, nothing stays: what it starts dies with it by the kernel's hand, and a suite that
// fails or is interrupted still runs its cleanups.
var _ = BeforeSuite(func(ctx SpecContext) {
	programs, err := kubetest.Assets()
	Expect(err).NotTo(HaveOccurred())
	directory := shortTempDir()
	workerBinary = buildWorker(ctx, directory)
	config := cluster.Config{
		Directory: filepath.Join(directory, "world"), Programs: programs, Worker: workerBinary,
		CRDs: filepath.Join(kubetest.Root(), "config", "crd", "bases"), ZooKeeper: "127.0.0.1:0",
		Manager: runManager(managerLog()), Progress: func(step string) { GinkgoWriter.Printf("starting %s\n", step) },
		Topics: map[string]int32{},
	}
	system, err = cluster.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return system.Close() })
	scheme, err := controllers.Scheme()
	Expect(err).NotTo(HaveOccurred())
	rest := system.REST()
	rest.QPS = -1 // the tests' own requests are not held back
	api, err = client.NewWithWatch(rest, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(startWorld))

var _ = AfterEach(func() {
	Expect(system.Failed()).NotTo(Receive(), "a part of the system ended by itself")
})

// shortTempDir is a directory in which sockets can have paths: those may be of some 100 characters.
func shortTempDir() string {
	GinkgoHelper()
	directory, err := os.MkdirTemp("", "samsa-system-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, directory)
	return directory
}

// buildWorker builds what workers run: the product as it is shipped, without the race detector.
func buildWorker(ctx context.Context, directory string) string {
	GinkgoHelper()
	binary := filepath.Join(directory, "samsa")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", binary, "./cmd/samsa")
	build.Dir, build.Env = kubetest.Root(), append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", output)
	return binary
}

// runManager is the manager as samsa manager runs it.
func runManager(logger *slog.Logger) func(context.Context, *rest.Config) error {
	return func(ctx context.Context, config *rest.Config) error {
		manager, err := controllers.NewManager(config, controllers.Options{WorkerImage: cluster.WorkerImage, Logger: logger})
		if err != nil {
			return err
		}
		return manager.Start(ctx)
	}
}

// managerLog says something only if somebody wants to know. It is called once: libraries below log through it, too.
func managerLog() *slog.Logger {
	logger := slog.New(slog.DiscardHandler)
	if os.Getenv("SAMSA_TEST_LOG") != "" {
		logger = slog.New(slog.NewTextHandler(GinkgoWriter, nil))
	}
	ctrl.SetLogger(logr.FromSlogHandler(logger.Handler()))
	klog.SetSlogLogger(logger)
	return logger
}
