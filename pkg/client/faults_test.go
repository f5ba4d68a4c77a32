// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// outsider is a client of the world's ZooKeeper that plays by no rules.
func outsider(w *world.World) *zk.Conn {
	GinkgoHelper()
	conn, _, err := zk.Connect([]string{w.ZooKeeper.Addr()}, sessionTimeout, zk.WithLogInfo(false))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(conn.Close)
	return conn
}

// deleteRecords does what retention does: the log of partition 0 of the topic begins at that offset.
func deleteRecords(ctx context.Context, w *world.World, topic string, before int64) {
	GinkgoHelper()
	broker, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Addrs()...))
	Expect(err).NotTo(HaveOccurred())
	defer broker.Close()
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 0, before, -1)
	answers, err := kadm.NewClient(broker).DeleteRecords(ctx, offsets)
	Expect(err).NotTo(HaveOccurred())
	Expect(answers.Error()).NotTo(HaveOccurred())
}

var _ = Describe("A consumer, when things go wrong", func() {
	var billing client.ConsumerConfig

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	It("reports a foreign member with an impossible topic, and goes on without it", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		a := join(open(ctx, w), "a", billing, newBook())
		Eventually(a.running).Should(Equal(2))
		path := "/consumers/billing/ids/host-1"
		_, err := outsider(w).Create(w.Path(path),
			[]byte(`{"version":1,"subscription":{"a//b":1},"pattern":"static","timestamp":"1"}`), 0, zk.WorldACL(zk.PermAll))
		Expect(err).NotTo(HaveOccurred())
		Eventually(a.problems).Should(ConsistOf(path))
		Expect(w.Kafka.Grow(ctx, "orders", 4)).To(Succeed())
		Eventually(a.running).Should(Equal(4))
	})

	It("says why it is not registered, and heals", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		conn := outsider(w)
		consumers := w.Path("/consumers")
		_, err := conn.SetACL(consumers, zk.WorldACL(zk.PermRead|zk.PermAdmin), -1)
		Expect(err).NotTo(HaveOccurred())
		a := join(open(ctx, w), "a", billing, newBook())
		Eventually(func() error { return a.Status().RegisterErr }).Should(MatchError(ContainSubstring("/consumers")))
		_, err = conn.SetACL(consumers, zk.WorldACL(zk.PermAll), -1)
		Expect(err).NotTo(HaveOccurred())
		Eventually(a.running).Should(Equal(2))
		Expect(a.Status().RegisterErr).NotTo(HaveOccurred())
	})

	It("says why a group cannot begin while brokers do not answer, and heals", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		Expect(w.Kafka.FreezeBroker(0)).To(Succeed())
		Expect(w.Kafka.FreezeBroker(1)).To(Succeed())
		a := join(cluster, "a", billing, newBook())
		Eventually(func() error { return a.Status().BeginErr }).Should(HaveOccurred())
		Expect(a.Status().Begun).To(BeFalse())
		Expect(w.Kafka.ThawBroker(0)).To(Succeed())
		Expect(w.Kafka.ThawBroker(1)).To(Succeed())
		Eventually(a.running).Should(Equal(2))
	})

	It("goes on at the earliest message where retention was faster, after saying so", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		cluster := open(ctx, w)
		publish(ctx, cluster.Topic("orders"), 10)
		a := join(cluster, "a", billing, newBook())
		Eventually(a.running).Should(Equal(1))
		a.leave()
		deleteRecords(ctx, w, "orders", 10)
		publish(ctx, cluster.Topic("orders"), 3)
		_, err := outsider(w).Set(w.Path("/consumers/billing/offsets/orders/0"), []byte("4"), -1)
		Expect(err).NotTo(HaveOccurred())

		consumer, err := cluster.Consumer(billing)
		Expect(err).NotTo(HaveOccurred())
		var failures, messages int
		for _, err := range consumer.Messages(ctx) {
			if err != nil {
				Expect(err).To(MatchError(ContainSubstring("outside the log")))
				failures++
			} else if messages++; messages == 3 {
				break
			}
		}
		Expect(failures).To(Equal(1))
	})

	It("keeps a topic whose node somebody overwrote, says so, and heals", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 10)
		Eventually(a.running).Should(Equal(2))
		conn, path := outsider(w), "/brokers/topics/orders"
		good, _, err := conn.Get(w.Path(path))
		Expect(err).NotTo(HaveOccurred())
		_, err = conn.Set(w.Path(path), []byte("{bad"), -1)
		Expect(err).NotTo(HaveOccurred())
		Eventually(a.problems).Should(ConsistOf(path))
		publish(ctx, cluster.Topic("orders"), 10)
		Eventually(received.distinct).Should(Equal(20))
		Expect(a.running()).To(Equal(2))
		Expect(a.Status().Missing).To(BeEmpty())
		_, err = conn.Set(w.Path(path), good, -1)
		Expect(err).NotTo(HaveOccurred())
		Eventually(a.problems).Should(BeEmpty())
		Expect(received.twice()).To(BeEmpty())
	})

	It("shares out the other topics alike, whatever its members remember of an overwritten one", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 8, "returns": 8})
		both := billing
		both.Topics = []string{"orders", "returns"}
		members := map[string]*member{}
		for _, name := range []string{"w-0", "w-1", "w-2"} {
			members[name] = join(open(ctx, w), name, both, newBook())
		}
		of := func(topic string) func() int {
			return func() (n int) {
				for _, m := range members {
					n += m.runningOf(topic)
				}
				return n
			}
		}
		Eventually(of("orders")).Should(Equal(8))
		Eventually(of("returns")).Should(Equal(8))
		_, err := outsider(w).Set(w.Path("/brokers/topics/orders"), []byte("{bad"), -1)
		Expect(err).NotTo(HaveOccurred())
		Eventually(members["w-0"].problems).Should(HaveLen(1))
		members["w-2"].leave()
		Eventually(of("returns")).Should(Equal(8))
		members["w-2"] = join(open(ctx, w), "w-2", both, newBook()) // it never saw the topic as it was
		Eventually(func() int { return members["w-2"].runningOf("returns") }).Should(BeNumerically(">", 0))
		Eventually(of("returns")).Should(Equal(8))
		Expect(of("orders")()).To(BeNumerically(">", 0))
	})

	It("names a broker's node that cannot be understood", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		a := join(open(ctx, w), "a", billing, newBook())
		_, err := outsider(w).Create(w.Path("/brokers/ids/77"), []byte("bad"), 0, zk.WorldACL(zk.PermAll))
		Expect(err).NotTo(HaveOccurred())
		Eventually(a.problems).Should(ConsistOf("/brokers/ids/77"))
		Eventually(a.running).Should(Equal(2))
	})

	It("gives up leaving soon where ZooKeeper is away, and says that nobody was told", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		consumer, err := open(ctx, w).Consumer(billing)
		Expect(err).NotTo(HaveOccurred())
		running, leave := context.WithCancel(ctx)
		defer leave()
		result := make(chan error, 1)
		live := &owners{live: map[kafka.Partition]int{}}
		go func() { result <- consumer.Run(running, live) }()
		Eventually(func() int { return len(consumer.Status().Fetches) }).Should(Equal(2))
		w.ZooKeeper.Faults().Freeze()
		leave()
		const slack = 8 * time.Second // 5 s after the last delivery, not the 30 s that a drain may take
		Eventually(result).WithTimeout(slack).Should(Receive(MatchError(client.ErrNotReleased)))
		w.ZooKeeper.Faults().Thaw()
	})

	It("never runs a partition twice, with several members in one session", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		owners := &owners{live: map[kafka.Partition]int{}}
		slow := billing
		slow.DrainTimeout = time.Second
		a := serve(cluster, "a", slow, owners)
		Eventually(a.running).Should(Equal(4))
		late := w.ZooKeeper.Faults().AnswerLate(450*time.Millisecond, zookeeper.Match{
			Op: zookeeper.OpMulti, Path: func(path string) bool { return strings.Contains(path, "/owners/") },
		})
		b := serve(cluster, "b", slow, owners)
		Eventually(late.Fired()).Should(BeClosed())
		late.Cancel()
		Eventually(a.running).Should(Equal(2))
		Eventually(b.running).Should(Equal(2))
		Expect(owners.twice()).To(BeEmpty())
	})

	It("leaves nothing behind in a cluster that stays open, although it could not drain", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		hasty := billing
		hasty.DrainTimeout = time.Millisecond
		a := serve(open(ctx, w), "a", hasty, stubborn{})
		Eventually(a.running).Should(Equal(2))
		a.leave()
		Eventually(func() []string {
			return append(w.ZooKeeper.Children(w.Path("/consumers/billing/ids")),
				w.ZooKeeper.Children(w.Path("/consumers/billing/owners/orders"))...)
		}).Should(BeEmpty())
	})
})

var _ = Describe("A cluster without brokers", func() {
	It("keeps nobody waiting longer than they want", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		Expect(w.Kafka.StopBroker(0)).To(Succeed())
		Expect(w.Kafka.StopBroker(1)).To(Succeed())
		cluster, err := client.Connect(client.Config{ZooKeeper: w.Connect(), SessionTimeout: sessionTimeout})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		Eventually(cluster.Err).Should(MatchError(client.ErrNoBrokers))

		patient := make(chan error, 1)
		go func() { patient <- cluster.Topic("orders").Publish(ctx, []byte("x")) }()
		hasty, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		Expect(cluster.Topic("orders").Publish(hasty, []byte("x"))).To(MatchError(client.ErrNoBrokers))
		a := join(cluster, "a", client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}, newBook())
		Eventually(func() error { return a.Status().RegisterErr }).Should(MatchError(ContainSubstring("which Kafka")))
		Expect(a.Status().Registered).To(BeFalse())
		Expect(a.Status().Err).To(MatchError(client.ErrNoBrokers))
		a.leave()
		Expect(cluster.Close()).To(Succeed())
		Eventually(patient).Should(Receive(MatchError(client.ErrClosed)))
	})

	It("is told of brokers that come, and publishes to them", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		cluster := open(ctx, w)
		publish(ctx, cluster.Topic("orders"), 1)
		Expect(w.Kafka.StopBroker(0)).To(Succeed())
		Eventually(cluster.Brokers).Should(HaveLen(1))
		Expect(w.Kafka.StartBroker(ctx, 0)).To(Succeed())
		Eventually(cluster.Brokers).Should(HaveLen(2))
		publish(ctx, cluster.Topic("orders"), 1)
	})

	It("refuses consumers that cannot work, with everything that is wrong", func(ctx SpecContext) {
		cluster := open(ctx, start(ctx, nil))
		_, err := cluster.Consumer(client.ConsumerConfig{
			Group: "a//b", Topics: []string{"or ders"}, CommitInterval: 1, DrainTimeout: -1,
		})
		Expect(err).To(MatchError(And(ContainSubstring("group:"), ContainSubstring("topics[0]:"),
			ContainSubstring("commit interval:"), ContainSubstring("drain timeout:"))))
	})
})

// owners counts who runs a partition at the same time.
type owners struct {
	mu    sync.Mutex
	live  map[kafka.Partition]int
	fault []kafka.Partition
}

func (o *owners) Assign(assignment client.Assignment) client.Processor {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.live[assignment.Partition]++; o.live[assignment.Partition] > 1 {
		o.fault = append(o.fault, assignment.Partition)
	}
	return &owned{owners: o, assignment: assignment}
}

func (o *owners) twice() []kafka.Partition {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fault
}

// owned ends at once when it is told to drain.
type owned struct {
	stubborn
	owners     *owners
	assignment client.Assignment
}

func (o *owned) Drain() {
	o.Stop()
	o.assignment.Drained(o.assignment.Position)
}

func (o *owned) Stop() {
	o.owners.mu.Lock()
	defer o.owners.mu.Unlock()
	o.owners.live[o.assignment.Partition]--
}

func (o *owned) Position() int64 { return o.assignment.Position }

// stubborn does nothing, ever.
type stubborn struct{}

func (stubborn) Assign(client.Assignment) client.Processor { return stubborn{} }
func (stubborn) Fetched(kafka.Fetch) bool                  { return true }
func (stubborn) Pause()                                    {}
func (stubborn) Resume()                                   {}
func (stubborn) Drain()                                    {}
func (stubborn) Cut()                                      {}
func (stubborn) Stop()                                     {}
func (stubborn) Position() int64                           { return 0 }

// serve runs a member with a handler until leave, at the latest until the spec ends.
func serve(cluster *client.Cluster, name string, config client.ConsumerConfig, handler client.Handler) *member {
	GinkgoHelper()
	config.Name = name
	consumer, err := cluster.Consumer(config)
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // ends with the spec, in order
	m := &member{Consumer: consumer, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		_ = consumer.Run(ctx, handler)
	}()
	DeferCleanup(m.leave)
	return m
}
