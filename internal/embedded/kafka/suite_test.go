// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package embedkafka_test

import (
	"encoding/base64"
	"regexp"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

func TestEmbeddedKafka(t *testing.T) {
	leaks := []goleak.Option{
		goleak.IgnoreCurrent(),
		// Ginkgo's own, which it leaves behind.
		goleak.IgnoreAnyFunction(
			"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"),
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(10 * time.Millisecond)
	RunSpecs(t, "Embedded Kafka")
	goleak.VerifyNone(t, leaks...)
}

var _ = Describe("A cluster with ZooKeeper", func() {
	var (
		keeper  *zookeeper.Server
		cluster *embedkafka.Cluster
	)

	// text gives what a node below the chroot holds.
	text := func(path string) string {
		found, ok := keeper.Get("/kafka" + path)
		Expect(ok).To(BeTrue(), "no node "+path)
		return string(found.Data)
	}
	// without digits that differ from run to run
	stable := func(path string) string {
		return regexp.MustCompile(`:\d{4,}|"\d{13}"`).ReplaceAllString(text(path), ":#")
	}
	owner := func(path string) int64 {
		found, _ := keeper.Get("/kafka" + path)
		return found.Stat.EphemeralOwner
	}

	BeforeEach(func(ctx SpecContext) {
		var err error
		keeper, err = zookeeper.Start(ctx, zookeeper.Config{TickTime: 100 * time.Millisecond})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { Expect(keeper.Close()).To(Succeed()) })
		cluster, err = embedkafka.Start(ctx, embedkafka.Config{
			ZooKeeper: keeper.Addr() + "/kafka",
			Brokers:   3,
			Topics:    map[string]int32{"orders": 2},
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
	})

	It("registers brokers as Kafka does", func() {
		Expect(keeper.Children("/kafka/brokers/ids")).To(ConsistOf("0", "1", "2"))
		Expect(stable("/brokers/ids/1")).To(Equal(`{"features":{},` +
			`"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://127.0.0.1:#"],` +
			`"jmx_port":-1,"port":#,"host":"127.0.0.1","version":5,"timestamp"::#}`))
		Expect(text("/brokers/ids/1")).To(ContainSubstring(cluster.Addrs()[1]))
		Expect(owner("/brokers/ids/1")).To(Equal(cluster.Sessions()[1]))
		Expect(stable("/controller")).To(Equal(
			`{"version":2,"brokerid":0,"timestamp"::#,"kraftControllerEpoch":-1}`))
		Expect(text("/cluster/id")).To(Equal(`{"version":"1","id":"kfake"}`))
	})

	It("registers topics as Kafka does", func() {
		info := cluster.Fake().TopicInfo("orders")
		Expect(text("/brokers/topics/orders")).To(And(
			ContainSubstring(`"topic_id":"`+base64.RawURLEncoding.EncodeToString(info.TopicID[:])+`"`),
			ContainSubstring(`"version":3`),
			ContainSubstring(`"adding_replicas":{}`),
			MatchRegexp(`"partitions":\{"0":\[[012]\],"1":\[[012]\]\}`)))
		Expect(text("/brokers/topics/orders/partitions/1/state")).To(MatchRegexp(
			`^\{"controller_epoch":1,"leader":[012],"version":1,"leader_epoch":0,"isr":\[[012]\]\}$`))
	})

	It("follows topics that are created, grow, move and go", func(ctx SpecContext) {
		Expect(cluster.CreateTopic(ctx, "audit", 1)).To(Succeed())
		Expect(cluster.Grow(ctx, "audit", 3)).To(Succeed())
		Expect(keeper.Children("/kafka/brokers/topics/audit/partitions")).To(ConsistOf("0", "1", "2"))
		leader := cluster.Fake().LeaderFor("audit", 2)
		Expect(cluster.MoveLeader(ctx, "audit", 2, (leader+1)%3)).To(Succeed())
		Expect(text("/brokers/topics/audit/partitions/2/state")).To(ContainSubstring(`"leader_epoch":1`))
		Expect(cluster.DeleteTopic(ctx, "audit")).To(Succeed())
		Expect(keeper.Children("/kafka/brokers/topics")).To(ConsistOf("orders"))
		Expect(cluster.Fake().TopicInfo("audit")).To(BeNil())
	})

	It("registers what clients do to topics", func(ctx SpecContext) {
		admin := adminOf(cluster)
		topics := func() []string { return keeper.Children("/kafka/brokers/topics") }
		partitions := func() []string { return keeper.Children("/kafka/brokers/topics/made/partitions") }
		_, err := admin.CreateTopic(ctx, 2, 1, nil, "made")
		Expect(err).NotTo(HaveOccurred())
		Eventually(topics).Should(ConsistOf("orders", "made"))
		Eventually(partitions).Should(ConsistOf("0", "1"))
		_, err = admin.UpdatePartitions(ctx, 3, "made")
		Expect(err).NotTo(HaveOccurred())
		Eventually(partitions).Should(ConsistOf("0", "1", "2"))
		_, err = admin.DeleteTopic(ctx, "made")
		Expect(err).NotTo(HaveOccurred())
		_, err = admin.CreateTopic(ctx, 1, 1, nil, "made")
		Expect(err).NotTo(HaveOccurred())
		id := cluster.Fake().TopicInfo("made").TopicID
		Eventually(func() string { return text("/brokers/topics/made") }).Should(
			ContainSubstring(base64.RawURLEncoding.EncodeToString(id[:])), "it is another one of that name")
		Eventually(partitions).Should(ConsistOf("0"))
		_, err = admin.DeleteTopics(ctx, "made", "orders")
		Expect(err).NotTo(HaveOccurred())
		Eventually(topics).Should(BeEmpty())
		Expect(keeper.Children("/kafka/config/topics")).To(BeEmpty())
	})

	It("gives a topic settings of its own", func(ctx SpecContext) {
		settings := map[string]string{"cleanup.policy": "compact"}
		Expect(cluster.CreateTopicWith(ctx, "latest", 1, settings)).To(Succeed())
		Expect(cluster.Fake().TopicInfo("latest").Configs).To(HaveKeyWithValue("cleanup.policy", HaveValue(Equal("compact"))))
		Expect(keeper.Children("/kafka/brokers/topics")).To(ContainElement("latest"))
	})

	It("takes a stopped broker out and a started one in again, at its address", func(ctx SpecContext) {
		addr := cluster.Addrs()[0]
		Expect(cluster.StopBroker(0)).To(Succeed())
		Expect(keeper.Children("/kafka/brokers/ids")).To(ConsistOf("1", "2"))
		Eventually(func() string {
			found, _ := keeper.Get("/kafka/controller")
			return string(found.Data)
		}).Should(MatchRegexp(`"brokerid":[12]`))
		client, err := kgo.NewClient(kgo.SeedBrokers(addr))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(client.Close)
		Expect(client.Ping(ctx)).NotTo(Succeed())

		Expect(cluster.StartBroker(ctx, 0)).To(Succeed())
		Expect(keeper.Children("/kafka/brokers/ids")).To(ConsistOf("0", "1", "2"))
		Expect(text("/brokers/ids/0")).To(ContainSubstring(addr))
		Expect(client.Ping(ctx)).To(Succeed())
	})

	It("registers brokers again when their sessions expired", func() {
		before := cluster.Sessions()
		Expect(keeper.ExpireAll()).To(BeNumerically(">=", 4))
		for id, session := range before {
			path := "/brokers/ids/" + string(rune('0'+id))
			Eventually(func() int64 { return owner(path) }).Should(And(Not(BeZero()), Not(Equal(session))))
		}
		Eventually(func() int64 { return owner("/controller") }).ShouldNot(BeZero())
	})
})

// adminOf is a client of a cluster.
func adminOf(cluster *embedkafka.Cluster) *kadm.Client {
	GinkgoHelper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.Close)
	return kadm.NewClient(client)
}

var _ = It("Topics that are made by being asked for are registered", func(ctx SpecContext) {
	keeper, err := zookeeper.Start(ctx, zookeeper.Config{TickTime: 100 * time.Millisecond})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(keeper.Close()).To(Succeed()) })
	cluster, err := embedkafka.Start(ctx, embedkafka.Config{
		ZooKeeper: keeper.Addr(), Options: []kfake.Opt{kfake.AllowAutoTopicCreation()},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.AllowAutoTopicCreation())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.Close)
	Expect(client.ProduceSync(ctx, &kgo.Record{Topic: "asked", Value: []byte("m")}).FirstErr()).To(Succeed())
	Eventually(func() []string { return keeper.Children("/brokers/topics") }).Should(ConsistOf("asked"))
})

var _ = Describe("A cluster without ZooKeeper", func() {
	It("serves, and a frozen broker hangs until it thaws", func(ctx SpecContext) {
		cluster, err := embedkafka.Start(ctx, embedkafka.Config{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(client.Close)
		Expect(client.Ping(ctx)).To(Succeed())

		Expect(cluster.FreezeBroker(0)).To(Succeed())
		answered := make(chan error, 1)
		go func() { answered <- client.Ping(ctx) }()
		Consistently(answered, 200*time.Millisecond).ShouldNot(Receive())
		Expect(cluster.ThawBroker(0)).To(Succeed())
		Eventually(answered).Should(Receive(BeNil()))
	}, NodeTimeout(20*time.Second))

	It("refuses brokers that do not exist", func(ctx SpecContext) {
		cluster, err := embedkafka.Start(ctx, embedkafka.Config{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		Expect(cluster.StopBroker(1)).To(MatchError(ContainSubstring("no broker 1")))
		Expect(cluster.StartBroker(ctx, -1)).To(MatchError(ContainSubstring("no broker -1")))
	})
})
