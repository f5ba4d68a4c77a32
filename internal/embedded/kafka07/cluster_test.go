// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// alice is the partition that these specs write to.
func alice() kafka.Partition { return kafka.Partition{Topic: "alice", ID: "0-1"} }

var _ = Describe("A cluster", func() {
	var server *zookeeper.Server
	begin := func(ctx SpecContext, topics map[string]int32) *kafka07.Cluster {
		GinkgoHelper()
		var err error
		server, err = zookeeper.Start(ctx, zookeeper.Config{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Close)
		cluster, err := kafka07.StartCluster(ctx, kafka07.ClusterConfig{
			Brokers: 2, Topics: topics, Broker: kafka07.Config{ZooKeeper: server.Addr() + "/kafka", FlushMessages: 1},
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		return cluster
	}
	count := func(topic, broker string) string {
		node, _ := server.Get("/kafka/brokers/topics/" + topic + "/" + broker)
		return string(node.Data)
	}

	It("declares a topic on all brokers before anybody writes to it", func(ctx SpecContext) {
		cluster := begin(ctx, map[string]int32{"alice": 5})
		Expect(count("alice", "0") + count("alice", "1")).To(Equal("32"))
		Expect(cluster.Partitions("alice")).To(Equal([]string{"0-0", "0-1", "0-2", "1-0", "1-1"}))
		Expect(cluster.Partitions("bob")).To(BeEmpty())
		Expect(cluster.End(alice())).To(BeZero())
		Expect(cluster.CreateTopic(ctx, "alice", 5)).To(MatchError(ContainSubstring("has it already, with 3")))
		Expect(cluster.CreateTopic(ctx, "bob", 1)).To(MatchError(ContainSubstring("give at least 2")))
		Expect(cluster.CreateTopic(ctx, "a/b", 2)).To(MatchError(ContainSubstring("a/b")))
		for _, name := range []string{"", "0", "2-0", "0-3", "0-1x", "00-1", "-1-0"} {
			Expect(cluster.End(kafka.Partition{Topic: "alice", ID: name})).To(BeEquivalentTo(-1), name)
		}
	}, SpecTimeout(20*time.Second))

	It("keeps a topic that was declared while a broker was down", func(ctx SpecContext) {
		cluster := begin(ctx, nil)
		Expect(cluster.StopBroker(1)).To(Succeed())
		Expect(cluster.CreateTopic(ctx, "alice", 4)).To(Succeed())
		Expect(count("alice", "0")).To(Equal("2"))
		Expect(count("alice", "1")).To(BeEmpty())
		Expect(cluster.StartBroker(ctx, 1)).To(Succeed())
		Expect(count("alice", "1")).To(Equal("2"))
		Expect(cluster.StartBroker(ctx, 2)).To(MatchError(ContainSubstring("ids are 0 to 1")))
	}, SpecTimeout(20*time.Second))

	It("tells what stands in a partition", func(ctx SpecContext) {
		cluster := begin(ctx, map[string]int32{"alice": 4})
		request := produce("alice", "one", "", strings.Repeat("x", 5000))
		request.Partition = 1
		client := dial(ctx, cluster.Broker(0))
		client.send(request)
		client.end("alice") // behind it everything was handled
		end := int64(len(request.Set))
		Expect(cluster.End(alice())).To(Equal(end))
		stored, err := cluster.Stored(alice(), 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(stored).To(HaveLen(3))
		Expect(stored[2].Next).To(Equal(end))
		Expect(cluster.Stored(alice(), stored[1].Offset)).To(Equal(stored[1:]))
		Expect(cluster.Stored(alice(), end)).To(BeEmpty())
		_, err = cluster.Stored(alice(), 1)
		Expect(err).To(HaveOccurred(), "there is no message at that position")
	}, SpecTimeout(20*time.Second))
})
