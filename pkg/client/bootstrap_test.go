// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"net"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// brokersAlone runs a cluster that registers nowhere.
func brokersAlone(ctx context.Context, config embedkafka.Config) *embedkafka.Cluster {
	GinkgoHelper()
	cluster, err := embedkafka.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

// bootstrap follows a cluster by some of its brokers, until the spec ends.
func bootstrap(ctx context.Context, addresses ...string) *client.Cluster {
	GinkgoHelper()
	cluster, err := client.Open(ctx, client.Config{Bootstrap: addresses, Logger: logger()})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

// deadAddress is one that nobody listens on.
func deadAddress(ctx context.Context) string {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return listener.Addr().String()
}

// hangingUp accepts connections and ends each as soon as something is asked, as brokers before Kafka 0.10 do when they
// are asked what they understand.
func hangingUp(ctx context.Context) string {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	}()
	DeferCleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

func valuesOf(ctx context.Context, cluster *client.Cluster, topic string) func() int {
	return func() (total int) {
		transport, err := cluster.Transport(ctx)
		if err != nil {
			return -1
		}
		defer transport.Close()
		partitions, err := cluster.Topic(topic).Partitions(ctx)
		if err != nil {
			return -1
		}
		ends, err := transport.Positions(ctx, partitions, kafka.Latest())
		if err != nil {
			return -1
		}
		for _, end := range ends {
			total += int(end)
		}
		return total
	}
}

var _ = Describe("A cluster known by its brokers", func() {
	It("is found from one of them, with its topics and what it is", func(ctx SpecContext) {
		world := brokersAlone(ctx, embedkafka.Config{Brokers: 3, Topics: map[string]int32{"orders": 4, "audit": 1}})
		cluster := bootstrap(ctx, deadAddress(ctx), world.Addrs()[1])

		Eventually(cluster.State).Should(SatisfyAll(
			HaveField("Brokers", HaveLen(3)),
			HaveField("Err", BeNil()),
			HaveField("Connected", BeTrue()),
			HaveField("DialectKnown", BeTrue()),
			HaveField("Dialect", layout.Modern),
			HaveField("Controller", client.ControllerKRaft),
			HaveField("MinVersion", Not(BeEmpty())),
			HaveField("MaxVersion", Not(BeEmpty())),
			HaveField("ClusterID", Not(BeEmpty())),
			HaveField("Degraded", BeEmpty()),
		))
		Expect(cluster.Brokers()).To(HaveKeyWithValue("2", HaveField("Address", world.Addrs()[2])))
		Expect(cluster.Topics(ctx)).To(Equal([]string{"audit", "orders"}))
		Expect(cluster.Topic("orders").Partitions(ctx)).To(HaveLen(4))
		_, err := cluster.Topic("none").Partitions(ctx)
		Expect(err).To(MatchError(client.ErrNoTopic))
		Expect(cluster.Resolve(client.CoordinationAuto)).To(Equal(client.CoordinationKafka))
		_, err = cluster.Resolve(client.CoordinationZooKeeper)
		Expect(err).To(MatchError(ContainSubstring("names no ZooKeeper")))
	}, SpecTimeout(time.Minute))

	It("notices partitions that are added, and topics that come and go", func(ctx SpecContext) {
		world := brokersAlone(ctx, embedkafka.Config{Topics: map[string]int32{"orders": 1}})
		cluster := bootstrap(ctx, world.Addrs()...)
		orders := cluster.Topic("orders")
		Expect(orders.Partitions(ctx)).To(HaveLen(1))

		Expect(world.Grow(ctx, "orders", 3)).To(Succeed())
		Eventually(orders.Partitions).WithContext(ctx).Should(HaveLen(3))

		Expect(world.CreateTopic(ctx, "payments", 2)).To(Succeed())
		Expect(cluster.Topic("payments").Partitions(ctx)).To(HaveLen(2))
		Expect(cluster.Topics(ctx)).To(Equal([]string{"orders", "payments"}))

		Expect(world.DeleteTopic(ctx, "orders")).To(Succeed())
		Eventually(func() error { _, err := orders.Partitions(ctx); return err }).Should(MatchError(client.ErrNoTopic))
	}, SpecTimeout(time.Minute))

	It("is published to while brokers die and come back", func(ctx SpecContext) {
		world := brokersAlone(ctx, embedkafka.Config{Brokers: 3, Topics: map[string]int32{"orders": 3}})
		for id := range int32(3) {
			Expect(world.MoveLeader(ctx, "orders", id, id)).To(Succeed())
		}
		cluster := bootstrap(ctx, world.Addrs()[0])
		orders := cluster.Topic("orders")
		Expect(orders.Publish(ctx, []byte("first"))).To(Succeed())

		Expect(world.StopBroker(0)).To(Succeed())
		Expect(orders.Publish(ctx, []byte("without the one that was named"))).To(Succeed())
		Expect(world.StopBroker(1)).To(Succeed())
		Expect(orders.Publish(ctx, []byte("without a second one"))).To(Succeed())

		Expect(world.StopBroker(2)).To(Succeed())
		Eventually(cluster.Err).Should(MatchError(client.ErrNoAnswer))
		Expect(cluster.State()).To(HaveField("Connected", BeFalse()))
		Expect(world.StartBroker(ctx, 2)).To(Succeed()) // of which the configuration tells nothing
		Eventually(cluster.Err).Should(Succeed())

		Expect(world.StartBroker(ctx, 0)).To(Succeed())
		Expect(world.StartBroker(ctx, 1)).To(Succeed())
		Eventually(func() error { return orders.Publish(ctx, []byte("again")) }).Should(Succeed())
		Eventually(valuesOf(ctx, cluster, "orders")).Should(BeNumerically(">=", 4))
	}, SpecTimeout(2*time.Minute))

	It("is published to after a topic was made again", func(ctx SpecContext) {
		world := brokersAlone(ctx, embedkafka.Config{Topics: map[string]int32{"orders": 1}})
		cluster := bootstrap(ctx, world.Addrs()...)
		publisher := cluster.Topic("orders").Publisher(client.ByKey())
		publish := func() error {
			_, err := publisher.PublishMessages(ctx, []kafka.Message{{Key: []byte("key"), Value: []byte("value")}})
			return err
		}
		Expect(publish()).To(Succeed())
		Expect(world.DeleteTopic(ctx, "orders")).To(Succeed())
		Expect(world.CreateTopic(ctx, "orders", 1)).To(Succeed())
		Expect(publish()).To(Succeed())
		Expect(publish()).To(Succeed())
		Expect(valuesOf(ctx, cluster, "orders")()).To(Equal(2))
	}, SpecTimeout(time.Minute))

	It("says of each address why nobody answers there, in words that stay", func(ctx SpecContext) {
		dead, rude := deadAddress(ctx), hangingUp(ctx)
		cluster, err := client.Connect(client.Config{Bootstrap: []string{dead, rude, "no-such-host.invalid:9092"}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)

		Eventually(cluster.Err).Should(SatisfyAll(
			MatchError(client.ErrNoAnswer),
			MatchError(ContainSubstring(dead+": connection refused")),
			MatchError(ContainSubstring(rude+": it hangs up")),
			MatchError(ContainSubstring("no-such-host.invalid:9092: ")),
		))
		text := cluster.Err().Error()
		Consistently(func() string { return cluster.Err().Error() }, 3*time.Second).Should(Equal(text))
		_, err = cluster.Topic("orders").Partitions(ctx)
		Expect(err).To(MatchError(client.ErrNoAnswer))
	}, SpecTimeout(time.Minute))

	It("does not wait for a broker that hangs", func(ctx SpecContext) {
		world := brokersAlone(ctx, embedkafka.Config{Brokers: 3, Topics: map[string]int32{"orders": 3}})
		Expect(world.FreezeBroker(0)).To(Succeed())
		DeferCleanup(func() error { return world.ThawBroker(0) })
		began := time.Now()
		cluster := bootstrap(ctx, world.Addrs()...)
		Expect(cluster.Topic("orders").Partitions(ctx)).To(HaveLen(3))
		Expect(time.Since(began)).To(BeNumerically("<", 3*time.Second))
	}, SpecTimeout(time.Minute))

	It("ends what waits when it is closed", func(ctx SpecContext) {
		cluster, err := client.Connect(client.Config{Bootstrap: []string{deadAddress(ctx)}})
		Expect(err).NotTo(HaveOccurred())
		Expect(cluster.Close()).To(Succeed())
		_, err = cluster.Topic("orders").Partitions(ctx)
		Expect(errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrNoAnswer)).To(BeTrue(), "%v", err)
		_, err = cluster.Topics(ctx)
		Expect(err).To(HaveOccurred())
	}, SpecTimeout(time.Minute))

	It("has groups in a ZooKeeper that knows nothing of its topics", func(ctx SpecContext) {
		groups := start(ctx, nil)
		brokers := brokersAlone(ctx, embedkafka.Config{Brokers: 2, Topics: map[string]int32{"orders": 2}})
		cluster, err := client.Open(ctx, client.Config{
			ZooKeeper: groups.Connect(), Bootstrap: brokers.Addrs(), SessionTimeout: sessionTimeout, Logger: logger(),
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		Expect(cluster.Resolve(client.CoordinationAuto)).To(Equal(client.CoordinationZooKeeper))
		Expect(cluster.Topics(ctx)).To(Equal([]string{"orders"}))

		into := newBook()
		config := client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
		one, two := join(cluster, "one", config, into), join(cluster, "two", config, into)
		Eventually(func() []int { return []int{one.running(), two.running()} }).Should(Equal([]int{1, 1}))
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(func() []int { return into.missing(20) }).Should(BeEmpty())

		Expect(brokers.Grow(ctx, "orders", 4)).To(Succeed())
		Eventually(func() []int { return []int{one.running(), two.running()} }).Should(Equal([]int{2, 2}))
		Eventually(func() (int64, error) {
			view, err := cluster.Group("billing").Inspect(ctx, []string{"orders"}, nil)
			if err != nil || len(view.Partitions) != 4 {
				return -1, err
			}
			committed := int64(0)
			for _, partition := range view.Partitions {
				committed += max(partition.Committed, 0)
			}
			return committed, view.EndErr
		}).Should(Equal(int64(20)))
		Expect(into.twice()).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	It("is consumed by a pattern, also topics that come", func(ctx SpecContext) {
		brokers := brokersAlone(ctx, embedkafka.Config{Topics: map[string]int32{"log.web": 1, "orders": 1}})
		cluster := bootstrap(ctx, brokers.Addrs()...)
		into := newBook()
		one := join(cluster, "one", client.ConsumerConfig{Group: "audit", Pattern: regexp.MustCompile(`log\..*`)}, into)
		Eventually(one.running).Should(Equal(1))
		Expect(brokers.CreateTopic(ctx, "log.mail", 2)).To(Succeed())
		Eventually(func() int { return one.runningOf("log.mail") }).Should(Equal(2))
		publish(ctx, cluster.Topic("log.mail"), 5)
		Eventually(func() []int { return into.missing(5) }).Should(BeEmpty())
		Expect(one.runningOf("orders")).To(BeZero())
	}, SpecTimeout(time.Minute))

	DescribeTable("refuses addresses that are none", func(addresses []string, said string) {
		_, err := client.Connect(client.Config{Bootstrap: addresses})
		Expect(err).To(MatchError(ContainSubstring(said)))
	},
		Entry("none at all", nil, "neither ZooKeeper nor bootstrap servers"),
		Entry("no port", []string{"b1"}, `bootstrap[0]: "b1"`),
		Entry("no host", []string{"b1:9092", ":9092"}, `bootstrap[1]: ":9092"`),
		Entry("no number", []string{"b1:kafka"}, `bootstrap[0]: "b1:kafka"`),
		Entry("a number too large", []string{"b1:70000"}, `bootstrap[0]: "b1:70000"`),
		Entry("a chroot", []string{"b1:9092/kafka"}, `bootstrap[0]: "b1:9092/kafka"`),
	)

	It("refuses a SASL mechanism that there is not, and one without credentials", func() {
		for _, sasl := range []*wire.SASL{{Mechanism: "GSSAPI"}, {Mechanism: wire.Plain}} {
			_, err := client.Connect(client.Config{Bootstrap: []string{"b1:9092"}, SASL: sasl})
			Expect(err).To(MatchError(ContainSubstring("sasl")))
		}
	})
})
