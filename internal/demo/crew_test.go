// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/worker"
)

// The test binary is the worker, too: what matters here is how processes are begun and ended, not what a worker does.
const (
	playWorker = "SAMSA_DEMO_TEST_WORKER"
	// How the worker of the test behaves.
	obedient, stubborn, stillborn, genuine = "obedient", "stubborn", "stillborn", "genuine"
)

func TestMain(m *testing.M) {
	if how := os.Getenv(playWorker); how != "" {
		os.Exit(fakeWorker(how))
	}
	os.Exit(m.Run())
}

func TestCrew(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	RunSpecs(t, "demo")
}

// fakeWorker says where it listens and is ready from its second request on.
func fakeWorker(how string) int {
	switch how {
	case stillborn:
		return 3
	case genuine:
		return genuineWorker(os.Args[3]) // worker --config FILE
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // the process is its bound
	if err != nil {
		return 1
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	log.Info(worker.ListeningMessage, "address", listener.Addr().String()) //nolint:sloglint // it is a constant
	ended := make(chan os.Signal, 1)
	if how == obedient {
		signal.Notify(ended, syscall.SIGTERM)
	} else {
		signal.Ignore(syscall.SIGTERM)
	}
	asked := 0
	go func() {
		_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:gosec // a test's
			if asked++; asked < 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
	}()
	<-ended
	return 0
}

// genuineWorker is what the product does.
func genuineWorker(file string) int {
	config, err := worker.Load(file)
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM) //nolint:forbidigo // a process of its own
	defer stop()
	if err := worker.Run(ctx, config, slog.New(slog.NewJSONHandler(os.Stderr, nil))); err != nil {
		return 1
	}
	return 0
}

var _ = Describe("workers", func() {
	var (
		dir string
		w   *workers
	)

	be := func(how string) { GinkgoT().Setenv(playWorker, how) }

	BeforeEach(func() {
		before := goleak.IgnoreCurrent()
		dir = GinkgoT().TempDir()
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		w = newWorkers(self, dir, worker.Default())
		DeferCleanup(func() {
			w.close(slog.New(slog.DiscardHandler))
			Eventually(func() error { return goleak.Find(before) }).Should(Succeed())
		})
		be(obedient)
	})

	It("starts workers, each with its configuration and log, and waits until they are ready", func(ctx SpecContext) {
		Expect(w.start(ctx, "a", "b")).To(Succeed())
		Expect(w.names()).To(Equal([]string{"a", "b"}))
		for name, address := range w.addresses() {
			Expect(address).NotTo(BeEmpty())
			Expect(alive(w.pid(name))).To(BeTrue())
			config, err := os.ReadFile(filepath.Join(dir, name+".yaml"))
			Expect(err).NotTo(HaveOccurred())
			Expect(string(config)).To(ContainSubstring("member: " + name))
		}
	})

	It("drains them, and they are gone", func(ctx SpecContext) {
		Expect(w.start(ctx, "a", "b", "c")).To(Succeed())
		pid := w.pid("b")
		Expect(w.drain(ctx, "a", "b")).To(Succeed())
		Expect(w.names()).To(Equal([]string{"c"}))
		Expect(alive(pid)).To(BeFalse())
		Expect(w.drain(ctx, "a")).To(MatchError("a is not running"))
	})

	It("kills a worker, and starts it again", func(ctx SpecContext) {
		Expect(w.start(ctx, "a")).To(Succeed())
		first := w.pid("a")
		Expect(w.kill("a")).To(Succeed())
		Expect(alive(first)).To(BeFalse())
		Expect(w.start(ctx, "a")).To(Succeed())
		Expect(w.pid("a")).NotTo(Equal(first))
	})

	It("freezes a worker and wakes it", func(ctx SpecContext) {
		Expect(w.start(ctx, "a")).To(Succeed())
		Expect(w.freeze("a")).To(Succeed())
		Eventually(func() string { return state(w.pid("a")) }).Should(Equal("T"))
		Expect(w.thaw("a")).To(Succeed())
		Eventually(func() string { return state(w.pid("a")) }).ShouldNot(Equal("T"))
		Expect(w.freeze("b")).To(MatchError("b is not running"))
	})

	It("kills a frozen worker at the end", func(ctx SpecContext) {
		Expect(w.start(ctx, "a")).To(Succeed())
		pid := w.pid("a")
		Expect(w.freeze("a")).To(Succeed())
		w.close(slog.New(slog.DiscardHandler))
		Expect(alive(pid)).To(BeFalse())
	})

	It("kills a worker that does not drain, and says so", func(ctx SpecContext) {
		be(stubborn)
		Expect(w.start(ctx, "a")).To(Succeed())
		pid := w.pid("a")
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		Expect(w.drain(short, "a")).To(MatchError(ContainSubstring("a did not end")))
		Expect(alive(pid)).To(BeFalse())
	})

	It("says which log tells why a worker ended", func(ctx SpecContext) {
		be(stillborn)
		Expect(w.start(ctx, "a")).To(MatchError(And(
			HavePrefix("a ended: exit status 3"), ContainSubstring(filepath.Join(dir, "a.1.log")))))
	})
})

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// state is the kernel's letter for what a process does; T is stopped.
func state(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		Skip("no /proc: " + err.Error())
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest[:1]
}
