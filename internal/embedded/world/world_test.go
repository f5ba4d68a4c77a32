// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package world_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestWorld(t *testing.T) {
	leaks := []goleak.Option{
		goleak.IgnoreCurrent(),
		// Ginkgo's own, which it leaves behind.
		goleak.IgnoreAnyFunction(
			"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"),
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "World")
	goleak.VerifyNone(t, leaks...)
}

// start runs a world for one spec.
func start(ctx SpecContext, config world.Config) *world.World {
	GinkgoHelper()
	w, err := world.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	return w
}

// startWithin is many times what a world takes to start, and its brokers to stop and start again.
const startWithin = 20 * time.Second

var _ = DescribeTable("A world of either era has topics and takes messages", func(
	ctx SpecContext, era world.Era, names []string, second, end int64,
) {
	w := start(ctx, world.Config{Era: era, Brokers: 2, Topics: map[string]int32{"lines": 4}})
	brokers := w.Brokers()
	Expect(brokers.Addrs()).To(HaveLen(2))
	Expect(w.ZooKeeper.Children(w.Path("/brokers/ids"))).To(ConsistOf("0", "1"))
	Expect(w.ZooKeeper.Children(w.Path("/brokers/topics"))).To(ConsistOf("lines"))
	Expect(brokers.Partitions("lines")).To(Equal(names))
	Expect(brokers.CreateTopic(ctx, "more", 3)).To(Succeed())
	Expect(brokers.Partitions("more")).To(HaveLen(3))
	Expect(brokers.Partitions("none")).To(BeEmpty())

	producer, err := w.Producer()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(producer.Close)
	last := kafka.Partition{Topic: "lines", ID: names[3]}
	Expect(brokers.End(last)).To(BeZero())
	Expect(producer.Produce(ctx, last, []byte("ab"), []byte("cde"))).To(Equal([]int64{0, second}))
	Expect(brokers.End(last)).To(Equal(end))
	Expect(brokers.End(kafka.Partition{Topic: "lines", ID: "9"})).To(BeEquivalentTo(-1))

	By("stopping a broker and starting it again")
	Expect(brokers.StopBroker(1)).To(Succeed())
	Expect(w.ZooKeeper.Children(w.Path("/brokers/ids"))).To(ConsistOf("0"))
	Expect(brokers.StartBroker(ctx, 1)).To(Succeed())
	Expect(w.ZooKeeper.Children(w.Path("/brokers/ids"))).To(ConsistOf("0", "1"))
	Expect(brokers.End(last)).To(Equal(end))
	Expect(producer.Produce(ctx, last, []byte("f"))).To(Equal([]int64{end}), "a producer is to find a broker that is back")
},
	Entry("as it is today", world.Modern, []string{"0", "1", "2", "3"}, int64(1), int64(2), SpecTimeout(startWithin)),
	Entry("0.7", world.Era07, []string{"0-0", "0-1", "1-0", "1-1"}, int64(12), int64(25), SpecTimeout(startWithin)),
)

var _ = Describe("A world of Kafka 0.7", func() {
	It("shows messages when its brokers are told to", func(ctx SpecContext) {
		w := start(ctx, world.Config{
			Era: world.Era07, Topics: map[string]int32{"lines": 1}, Broker07: kafka07.Config{FlushMessages: 2},
		})
		partition := kafka.Partition{Topic: "lines", ID: "0-0"}
		producer, err := w.Producer()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(producer.Close)
		Expect(producer.Produce(ctx, partition, []byte("a"))).To(Equal([]int64{0}))
		Expect(w.Brokers().End(partition)).To(BeZero())
		Expect(producer.Produce(ctx, partition, []byte("b"))).To(Equal([]int64{11}))
		Expect(w.Brokers().End(partition)).To(BeEquivalentTo(22))
		_, err = producer.Produce(ctx, kafka.Partition{Topic: "lines", ID: "0"}, []byte("c"))
		Expect(err).To(MatchError(ContainSubstring("no partition's name")))
	}, SpecTimeout(startWithin))
})

func TestEras(t *testing.T) {
	for name, want := range map[string]world.Era{"": world.Modern, "modern": world.Modern, "0.7": world.Era07} {
		if got, err := world.ParseEra(name); got != want || err != nil {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
	}
	if _, err := world.ParseEra("0.8"); err == nil {
		t.Error("0.8 was taken")
	}
}

// startReal is many times what real brokers take to start: 5 s on two idle cores, and others may be at work on them.
const startReal = 3 * time.Minute

// realWorlds are those that this machine has Java and jars for.
func realWorlds() (entries []TableEntry) {
	for _, era := range []world.Era{world.Era39, world.Era4} {
		if era.Available() == nil {
			entries = append(entries, Entry(string(era), era, SpecTimeout(startReal)))
		}
	}
	return entries
}

var _ = DescribeTable("A world of real brokers has topics and takes messages", func(ctx SpecContext, era world.Era) {
	w := start(ctx, world.Config{Era: era, Brokers: 2, Topics: map[string]int32{"lines": 4}})
	brokers := w.Brokers()
	Expect(brokers.Addrs()).To(HaveLen(2))
	if era.ZooKeeper() {
		Expect(w.Bootstrap()).To(BeEmpty())
		Expect(w.ZooKeeper.Children(w.Path("/brokers/ids"))).To(ConsistOf("0", "1"))
		Expect(w.ZooKeeper.Children(w.Path("/brokers/topics"))).To(ConsistOf("lines"))
	} else {
		Expect(w.Bootstrap()).To(Equal(brokers.Addrs()))
		Expect(w.Connect()).To(BeEmpty())
	}
	Expect(brokers.Partitions("lines")).To(Equal([]string{"0", "1", "2", "3"}))
	Expect(brokers.Partitions("none")).To(BeEmpty())
	Expect(brokers.CreateTopic(ctx, "lines", 3)).NotTo(Succeed(), "there is one already")

	producer, err := w.Producer()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(producer.Close)
	last := kafka.Partition{Topic: "lines", ID: "3"}
	Expect(brokers.End(last)).To(BeZero())
	Expect(producer.Produce(ctx, last, []byte("ab"), []byte("cde"))).To(Equal([]int64{0, 1}))
	Expect(brokers.End(last)).To(BeEquivalentTo(2))
	Expect(brokers.End(kafka.Partition{Topic: "lines", ID: "9"})).To(BeEquivalentTo(-1))
}, realWorlds())

var _ = DescribeTable("An era is named on a command line", func(name string, era world.Era, java, zookeeper bool) {
	Expect(world.ParseEra(name)).To(Equal(era))
	Expect(era.Real()).To(Equal(java))
	Expect(era.ZooKeeper()).To(Equal(zookeeper))
},
	Entry("by nothing", "", world.Modern, false, true),
	Entry("0.7", "0.7", world.Era07, false, true),
	Entry("3.9", "3.9", world.Era39, true, true),
	Entry("4", "4", world.Era4, true, false),
)

var _ = It("An era that there is not is refused with those that there are", func() {
	_, err := world.ParseEra("5")
	Expect(err).To(MatchError(`there is no Kafka "5" here: give modern, 0.7, 3.9 or 4`))
})
