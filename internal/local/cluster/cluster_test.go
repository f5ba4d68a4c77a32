// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/kubetest"
)

func TestCluster(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Cluster")
}

// config is a world on free ports whose manager counts its runs.
func config(runs *atomic.Int64) Config {
	programs, err := kubetest.Assets()
	Expect(err).NotTo(HaveOccurred())
	return Config{
		Directory: filepath.Join(GinkgoT().TempDir(), "w"), Programs: programs, Worker: "/bin/sh",
		CRDs: filepath.Join(kubetest.Root(), "config", "crd", "bases"), ZooKeeper: "127.0.0.1:0",
		Manager: func(ctx context.Context, _ *rest.Config) error {
			runs.Add(1)
			<-ctx.Done()
			return nil
		},
	}
}

// asked asks a world for a topic, as another process does, and gives the status of the answer.
func asked(ctx context.Context, c *Cluster, topic, partitions string) int {
	target := "/topics/" + topic + "?partitions=" + partitions
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, target, http.NoBody)
	request.SetPathValue("name", topic)
	answer := httptest.NewRecorder()
	c.createTopic(answer, request)
	return answer.Code
}

var _ = Describe("Cluster", func() {
	It("starts, takes objects, loses parts and gets them back, and leaves nothing", func(ctx SpecContext) {
		leaks := goleak.IgnoreCurrent()
		var runs atomic.Int64
		c := config(&runs)
		var steps []string
		c.Progress = func(step string) { steps = append(steps, step) }
		world, err := Start(ctx, c)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(world.Close)
		Expect(steps).To(ContainElements("ZooKeeper and Kafka", "the API server", "the node"))

		By("refusing a second world in the same directory")
		_, err = Start(ctx, c)
		Expect(err).To(BeAssignableToTypeOf(Refusal{}))
		Expect(err).To(MatchError(ContainSubstring("--dir")))

		By("taking the samples")
		Expect(world.Kubectl(ctx, "apply", "-k", filepath.Join(kubetest.Root(), "config", "samples"))).
			To(ContainSubstring("consumergroup.kafka.samsa.dev/demo created"))
		Expect(world.Kubectl(ctx, "get", "nodes")).To(ContainSubstring("Ready"))
		_, err = world.Kubectl(ctx, "get", "nonsense")
		Expect(err).To(MatchError(ContainSubstring("nonsense")))

		By("creating topics from another process")
		Expect(CreateTopic(ctx, c.Directory, "orders", 3)).To(Succeed())
		Expect(world.World().ZooKeeper.Children(world.World().Path("/brokers/topics"))).
			To(ConsistOf(DefaultTopic, "orders"))
		Expect(CreateTopic(ctx, c.Directory, "orders", 3)).To(MatchError(ContainSubstring("orders")))
		Expect(CreateTopic(ctx, c.Directory, "many", 100000)).To(MatchError(ContainSubstring("from 1 to 1000")))

		By("ending the manager and the API server, and bringing them back")
		Eventually(runs.Load).Should(BeEquivalentTo(1))
		Expect(world.StopManager()).To(Succeed())
		Expect(world.KillAPIServer()).To(Succeed())
		Expect(world.StartAPIServer(ctx)).To(Succeed())
		Expect(world.StartManager(ctx)).To(Succeed())
		Expect(world.StartManager(ctx)).NotTo(Succeed())
		Eventually(runs.Load).Should(BeEquivalentTo(2))
		Expect(world.Kubectl(ctx, "get", "consumergroups", "-o", "name")).To(ContainSubstring("demo"))
		Expect(world.Failed()).NotTo(Receive())

		Expect(world.Close()).To(Succeed())
		_, err = Read(c.Directory)
		Expect(err).To(MatchError(ContainSubstring("no system runs")))
		// kubectl's and the kinds' connections end with the API server, a moment later.
		Eventually(func() error { return goleak.Find(leaks) }, 10*time.Second).Should(Succeed())
	}, SpecTimeout(2*time.Minute))

	It("has a Kafka 0.7 if it is asked to", func(ctx SpecContext) {
		var runs atomic.Int64
		settings := config(&runs)
		settings.Kafka = world.Era07
		c := &Cluster{config: settings.withDefaults()}
		Expect(c.startWorld(ctx)).To(Succeed())
		DeferCleanup(c.Close)
		tree := func(path string) string {
			node, _ := c.World().ZooKeeper.Get(c.World().Path(path))
			return string(node.Data)
		}
		Expect(tree("/brokers/ids/0")).To(MatchRegexp(`^127\.0\.0\.1-\d+:127\.0\.0\.1:\d+$`))
		Expect(tree("/brokers/topics/"+DefaultTopic+"/0") + tree("/brokers/topics/"+DefaultTopic+"/1")).To(Equal("66"))

		Expect(asked(ctx, c, "orders", "5")).To(Equal(http.StatusOK))
		Expect(tree("/brokers/topics/orders/0") + tree("/brokers/topics/orders/1")).To(Equal("32"))
		Expect(asked(ctx, c, "orders", "5")).To(Equal(http.StatusConflict))
		Expect(asked(ctx, c, "single", "1")).To(Equal(http.StatusConflict), "each broker has partitions of its own")
	}, SpecTimeout(time.Minute))

	It("tells of a manager that ends by itself", func(ctx SpecContext) {
		var runs atomic.Int64
		c := config(&runs)
		c.Manager = func(context.Context, *rest.Config) error { return os.ErrPermission }
		world, err := Start(ctx, c)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(world.Close)
		Eventually(world.Failed()).Should(Receive(MatchError(os.ErrPermission)))
	}, SpecTimeout(time.Minute))

	It("tells of a part that ends without an error", func() {
		told := make(chan error, 1)
		DeferCleanup(start(func(context.Context) error { return nil }, func(err error) { told <- err }).stop)
		Eventually(told).Should(Receive(MatchError(errEnded)))
	})

	It("believes the lock of a world, not the number of its process", func() {
		directory := GinkgoT().TempDir()
		release, err := lock(directory)
		Expect(err).NotTo(HaveOccurred())
		Expect(State{PID: os.Getpid()}.write(directory)).To(Succeed())
		Expect(Read(directory)).To(HaveField("PID", os.Getpid()))

		By("finding the number with another process")
		Expect(release()).To(Succeed())
		_, err = Read(directory)
		Expect(err).To(MatchError(ContainSubstring("is dead")))
		release, err = lock(directory)
		Expect(err).NotTo(HaveOccurred())
		Expect(release()).To(Succeed())
	})

	It("says all that is wrong before anything starts", func(ctx SpecContext) {
		var runs atomic.Int64
		c := config(&runs)
		taken, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(taken.Close)
		c.ZooKeeper, c.Worker, c.CRDs, c.Programs = taken.Addr().String(), "/nowhere/samsa", "/nowhere", "/nowhere"
		_, err = Start(ctx, c)
		Expect(err).To(BeAssignableToTypeOf(Refusal{}))
		for _, text := range []string{
			"make kube", "--samsa", "--crds", "address of ZooKeeper: listen tcp " + taken.Addr().String(), "--zookeeper",
		} {
			Expect(err).To(MatchError(ContainSubstring(text)))
		}
	}, SpecTimeout(time.Minute))

	It("removes nothing of a directory but its own", func() {
		directory := GinkgoT().TempDir()
		for _, name := range []string{"mine", "node"} {
			Expect(os.WriteFile(filepath.Join(directory, name), nil, 0o600)).To(Succeed())
		}
		release, err := lock(directory)
		Expect(err).NotTo(HaveOccurred())
		Expect(release()).To(Succeed())
		Expect(filepath.Join(directory, "mine")).To(BeAnExistingFile())
		Expect(filepath.Join(directory, "node")).NotTo(BeAnExistingFile())
	})
})
