// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/samsa-dev/samsa/controllers"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/kubetest"
)

// healing is what everything has to be mended within once its cause is gone.
const healing = 10 * time.Second

// workerImage is what the managers of this suite put into pods, which nothing runs here.
const workerImage = "samsa.test/worker:suite"

// The API server of the suite, as an administrator sees it; api reads past every cache.
var (
	restConfig *rest.Config
	scheme     *runtime.Scheme
	api        client.Client
)

func TestControllers(t *testing.T) {
	log.SetLogger(logr.Discard()) // the managers have their own; without one it complains after half a minute
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(healing)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Controllers")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var (
		stop func() error
		err  error
	)
	restConfig, stop, err = kubetest.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return stop() })
	scheme, err = controllers.Scheme()
	Expect(err).NotTo(HaveOccurred())
	restConfig.QPS = -1 // the tests' own requests are not held back
	api, err = client.New(restConfig, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	komega.SetClient(api)
	// What is running from here on is the API server's and this client's; every spec has to end its own.
	running := goleak.IgnoreCurrent()
	DeferCleanup(func() {
		Eventually(func() error { return goleak.Find(append(leftToLibraries(), running)...) }).Should(Succeed())
	})
})

const cachePackage = "sigs.k8s.io/controller-runtime/pkg/cache"

// leftToLibraries are goroutines that the libraries keep for the process: connections stay for whoever comes next.
func leftToLibraries() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("net/http.(*http2ClientConn).readLoop"),
		goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*ClientConn).readLoop"),
		goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*clientConnReadLoop).run"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("github.com/onsi/ginkgo/v2/internal.(*Suite).runNode.func3"),
		// They wait for the first list of a cache, and nothing ends them when the cache is stopped before it came.
		goleak.IgnoreTopFunction(cachePackage + ".newMultiNamespaceInformer.func1"),
		goleak.IgnoreTopFunction(cachePackage + ".newMultiNamespaceInformerHandlerRegistration.func1"),
		goleak.IgnoreAnyFunction(
			"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"),
	}
}

// newNamespace gives a spec a namespace of its own. There is no controller in envtest that would empty it.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(api.Create(ctx, namespace)).To(Succeed())
	return namespace.Name
}

// manager is one that runs for a spec.
type manager struct {
	ctrl.Manager
	counter
	stop func()
}

// startManager runs a manager for one namespace until the spec ends, at the latest.
func startManager(ctx context.Context, namespace string) *manager {
	GinkgoHelper()
	m := &manager{}
	counted := rest.CopyConfig(restConfig)
	counted.Wrap(func(next http.RoundTripper) http.RoundTripper { return counting{next, &m.counter} })
	var err error
	m.Manager, err = controllers.NewManager(counted, controllers.Options{
		WorkerImage: workerImage, Namespaces: []string{namespace}, Logger: testLogger(),
		Registerer: prometheus.NewRegistry(),
	})
	Expect(err).NotTo(HaveOccurred())
	running, cancel := context.WithCancel(context.WithoutCancel(ctx)) // beyond BeforeEach, whose ctx ends with it
	ended := make(chan error, 1)
	go func() { ended <- m.Start(running) }()
	m.stop = func() {
		cancel()
		err, ok := <-ended
		if ok {
			close(ended)
			Expect(err).NotTo(HaveOccurred())
		}
	}
	DeferCleanup(m.stop)
	Eventually(m.Elected()).Should(BeClosed())
	return m
}

// counter counts requests that may change something, and those for more Secrets than one.
type counter struct{ writes, secretLists atomic.Int64 }

// counting is a transport that counts.
type counting struct {
	next http.RoundTripper
	into *counter
}

// RoundTrip implements http.RoundTripper.
func (c counting) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		c.into.writes.Add(1)
	}
	if strings.HasSuffix(request.URL.Path, "/secrets") {
		c.into.secretLists.Add(1)
	}
	return c.next.RoundTrip(request)
}

// startWorld runs a ZooKeeper and a Kafka until the spec ends. A session has to be of 3 ticks (600 ms) at least.
func startWorld(ctx context.Context, topics map[string]int32) *world.World {
	GinkgoHelper()
	w, err := world.Start(ctx, world.Config{Tick: 200 * time.Millisecond, Topics: topics})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	return w
}

// testLogger says something only if somebody wants to know.
func testLogger() *slog.Logger {
	if os.Getenv("SAMSA_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(GinkgoWriter, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
