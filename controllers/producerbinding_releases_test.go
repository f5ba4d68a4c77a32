// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/internal/realkafka"
)

// realReleases are those of SAMSA_TEST_RELEASES, as in "0.8.2,4": without it the suite needs no Java.
func realReleases() (entries []TableEntry) {
	for name := range strings.SplitSeq(os.Getenv("SAMSA_TEST_RELEASES"), ",") {
		if name != "" && realkafka.Available(name) == nil {
			entries = append(entries, Entry(name, name, SpecTimeout(3*time.Minute)))
		}
	}
	return entries
}

var _ = DescribeTable("A ProducerBinding's topic on real brokers", func(ctx SpecContext, version string) {
	namespace := newNamespace(ctx)
	config := realkafka.Config{Version: version, Properties: map[string]string{"auto.create.topics.enable": "false"}}
	release, err := realkafka.Find(version)
	Expect(err).NotTo(HaveOccurred())
	cluster := newKafkaCluster(namespace, "main", "")
	if release.RunsWithZooKeeper() {
		server, err := zookeeper.Start(ctx, zookeeper.Config{TickTime: 500 * time.Millisecond})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Close)
		config.ZooKeeper = server.Addr()
		cluster = newKafkaCluster(namespace, "main", server.Addr())
	}
	brokers, err := realkafka.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(brokers.Stop)
	if !release.RunsWithZooKeeper() {
		cluster = newClusterOfBrokers(namespace, "main", strings.Split(brokers.Bootstrap(), ",")...)
	}
	startManager(ctx, namespace)
	made := newProducerBinding(namespace, "made", "main", "made")
	made.Spec.CreateTopic = v1alpha1.TopicCreation{
		Partitions: 3, ReplicationFactor: 1, Configs: []v1alpha1.TopicConfig{{Name: "retention.ms", Value: "60000"}},
	}
	create(ctx, cluster, made)
	ready := func() AsyncAssertion {
		return Eventually(condition(made, v1alpha1.ConditionTopicReady)).WithContext(ctx).WithTimeout(time.Minute)
	}
	if release.Before("0.10.1") {
		ready().Should(And(beCondition(made, metav1.ConditionFalse, v1alpha1.ReasonTopicNotCreated),
			HaveField("Message", ContainSubstring("kafka-topics.sh"))))
		Expect(brokers.CreateTopic(ctx, realkafka.Topic{Name: "made", Partitions: 2})).To(Succeed())
		ready().Should(And(beCondition(made, metav1.ConditionTrue, v1alpha1.ReasonTopicFound),
			HaveField("Message", ContainSubstring("has 2 partitions where spec.createTopic says 3"))))
		return
	}
	ready().Should(And(beCondition(made, metav1.ConditionTrue, v1alpha1.ReasonTopicFound),
		HaveField("Message", HaveSuffix("has 3 partitions"))))
	update(ctx, made, func(b *v1alpha1.ProducerBinding) {
		b.Spec.CreateTopic.Partitions = 6
		b.Spec.CreateTopic.Configs[0].Value = "120000"
	})
	ready().Should(HaveField("Message", And(
		ContainSubstring("3 partitions where spec.createTopic says 6"),
		ContainSubstring("retention.ms is 60000 where it says 120000"))))
	client, err := brokers.Client()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.Close)
	topics, err := kadm.NewClient(client).ListTopics(ctx, "made")
	Expect(err).NotTo(HaveOccurred())
	Expect(topics["made"].Partitions).To(HaveLen(3), "none is ever changed")
}, realReleases())
