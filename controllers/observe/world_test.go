// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/controllers/observe"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
)

func TestObserve(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Observe")
}

// run runs something until the spec ends.
func run(ctx context.Context, runnable interface {
	Run(ctx context.Context) error
}) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- runnable.Run(own) }()
	DeferCleanup(func() {
		cancel()
		Expect(<-ended).To(Succeed())
	})
}

// A KafkaCluster and a ConsumerGroup.
var (
	main    = types.NamespacedName{Namespace: "n", Name: "main"}
	billing = types.NamespacedName{Namespace: "n", Name: "billing"}
)

var _ = Describe("An observer in a real world", func() {
	var (
		w        *world.World
		observer *observe.Observer
		target   observe.Target
	)
	observed := func() observe.Observation {
		observation, _ := observer.Latest(billing)
		return observation
	}
	view := func() client.GroupView { return observed().Groups["billing"] }
	owners := func() (owned int) {
		for _, p := range view().Partitions {
			if p.Owner != "" {
				owned++
			}
		}
		return owned
	}
	// join runs a member of the group until leave is called.
	join := func(ctx context.Context, name string) (leave func()) {
		GinkgoHelper()
		cluster, err := client.Open(ctx, client.Config{ZooKeeper: w.Connect(), SessionTimeout: 2 * time.Second})
		Expect(err).NotTo(HaveOccurred())
		consumer, err := cluster.Consumer(client.ConsumerConfig{
			Group: "billing", Name: name, Topics: []string{"orders"}, CommitInterval: 100 * time.Millisecond,
		})
		Expect(err).NotTo(HaveOccurred())
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, err := range consumer.Messages(own) { // asking for the next acknowledges
				if err != nil {
					return
				}
			}
		}()
		leave = func() {
			cancel()
			<-done
			Expect(cluster.Close()).To(Succeed())
		}
		return leave
	}
	BeforeEach(func(ctx SpecContext) {
		var err error
		w, err = world.Start(ctx, world.Config{Tick: 200 * time.Millisecond, Topics: map[string]int32{"orders": 4}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Close)
		cache := connections.New(slog.New(slog.DiscardHandler))
		run(ctx, cache)
		observer = observe.New(observe.Through(cache), slog.New(slog.DiscardHandler), 0)
		run(ctx, observer)
		cache.Ensure(main, connections.Settings{ZooKeeper: w.Connect(), SessionTimeout: 2 * time.Second})
		target = observe.Target{Cluster: main, Groups: []string{"billing"}, Topics: []string{"orders", "absent"}}
		observer.Watch(billing, target)
	})

	It("sees a group's members, owners and positions come and go", func(ctx SpecContext) {
		Eventually(observed).Should(And(
			HaveField("Err", BeNil()), HaveField("At", Not(BeZero())), HaveField("Missing", []string{"absent"})))
		Expect(view().Partitions).To(HaveLen(4))
		Expect(owners()).To(BeZero())

		leave := join(ctx, "billing-0")
		Eventually(owners).WithTimeout(3 * time.Second).Should(Equal(4))
		Expect(view().Members).To(ConsistOf(HaveField("Pod", "billing-0")))
		second := join(ctx, "billing-1")
		Eventually(func() []client.GroupMember { return view().Members }).WithTimeout(3 * time.Second).Should(HaveLen(2))
		Eventually(owners).Should(Equal(4))
		second()
		leave()
		Eventually(owners).WithTimeout(3 * time.Second).Should(BeZero())
		Expect(view().Members).To(BeEmpty())
	})

	It("keeps what it saw while ZooKeeper is away", func(ctx SpecContext) {
		leave := join(ctx, "billing-0")
		defer leave()
		Eventually(owners).Should(Equal(4))
		Expect(w.ZooKeeper.Stop()).To(Succeed())
		Eventually(observed).Should(HaveField("Err", HaveOccurred()))
		before := observed().At
		Expect(owners()).To(Equal(4))
		Expect(w.ZooKeeper.Restart(ctx)).To(Succeed())
		Eventually(observed).Should(And(HaveField("Err", BeNil()), HaveField("At", BeTemporally(">", before))))
		Eventually(owners).Should(Equal(4))
	})

	It("sees topics that come", func(ctx SpecContext) {
		target.Topics, target.Pattern = nil, "or.*"
		observer.Watch(billing, target)
		Eventually(observed).Should(HaveField("Topics", []string{"orders"}))
		Expect(w.Kafka.CreateTopic(ctx, "order-lines", 2)).To(Succeed())
		Eventually(observed).WithTimeout(12 * time.Second).Should(HaveField("Topics", []string{"order-lines", "orders"}))
		Expect(view().Partitions).To(HaveLen(6))
	})

	It("asks the workers", func() {
		server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(to).Encode(worker.Status{Version: worker.StatusVersion, Group: "billing"})
		}))
		DeferCleanup(server.Close)
		target.Pods = []observe.Pod{
			{Name: "billing-0", Address: strings.TrimPrefix(server.URL, "http://")}, {Name: "billing-1", Address: "127.0.0.1:1"},
		}
		observer.Watch(billing, target)
		Eventually(observed).Should(HaveField("Workers", And(
			HaveKeyWithValue("billing-0", HaveField("Status", HaveField("Group", "billing"))),
			HaveKeyWithValue("billing-1", HaveField("Err", MatchError(ContainSubstring("connection refused")))),
		)))
	})
})
