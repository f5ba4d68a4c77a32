// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// configurationOf is what the workers of the one group in a namespace are told; of several revisions the first listed.
func configurationOf(namespace string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		maps, err := configMapsOf(namespace)(ctx)
		if err != nil || len(maps) == 0 {
			return "", err
		}
		return maps[0].Data["worker.yaml"], nil
	}
}

// coordinated waits for the status to say where a group is kept.
func coordinated(ctx context.Context, group *v1alpha1.ConsumerGroup, by v1alpha1.Coordination) {
	GinkgoHelper()
	Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("Status.Coordination", by))
}

var _ = Describe("A ConsumerGroup that brokers coordinate", func() {
	var namespace string
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startManager(ctx, namespace)
	})

	It("consumes, and leaves nothing behind if it is not to", func(ctx SpecContext) {
		kafka := startBrokers(ctx, 1, map[string]int32{"orders": 4})
		startNode(ctx, namespace)
		admin := kadm.NewClient(clientOf(kafka))
		group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 2)
		group.Spec.DeletionPolicy = v1alpha1.DeletionDelete
		create(ctx, newClusterOfBrokers(namespace, "main", kafka.Addrs()...), group)
		consumes(ctx, group)
		Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("Coordination", v1alpha1.CoordinationKafka),
			HaveField("OwnedPartitions", HaveValue(Equal(int32(4)))),
			HaveField("ReadyReplicas", HaveValue(Equal(int32(2)))),
			HaveField("ForeignMembers", HaveValue(BeZero())),
			HaveField("Lag", HaveValue(BeZero())),
		)))
		Expect(groupsOf(ctx, admin)).To(ConsistOf("billing"))
		Expect(api.Delete(ctx, group)).To(Succeed())
		Eventually(komega.Get(group)).WithContext(ctx).WithTimeout(2 * healing).ShouldNot(Succeed())
		Expect(groupsOf(ctx, admin)).To(BeEmpty())
	})

	It("goes on by a password that is changed, without another pod", func(ctx SpecContext) {
		kafka := startBrokers(ctx, 1, map[string]int32{"orders": 2},
			kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "samsa", "first"))
		startNode(ctx, namespace)
		login := newLogin(namespace, "login", "samsa", "wrong")
		cluster := withLogin(newClusterOfBrokers(namespace, "main", kafka.Addrs()...))
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, login, cluster, group)
		Eventually(condition(group, v1alpha1.ConditionStalled)).WithContext(ctx).Should(And(
			HaveField("Reason", v1alpha1.ReasonClusterNotReady),
			HaveField("Message", ContainSubstring(v1alpha1.ReasonAccessDenied))))
		update(ctx, login, func(s *corev1.Secret) { s.Data["password"] = []byte("first") })
		consumes(ctx, group)
		before := podsOf(ctx, namespace)

		altered, err := kadm.NewClient(clientOf(kafka, withPassword("first"))).AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{
			{User: "samsa", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "second"},
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(altered.Error()).NotTo(HaveOccurred())
		update(ctx, login, func(s *corev1.Secret) { s.Data["password"] = []byte("second") })
		Expect(kafka.StopBroker(0)).To(Succeed()) // so that every connection is made anew
		Expect(kafka.StartBroker(ctx, 0)).To(Succeed())
		producer := clientOf(kafka, withPassword("second"), kgo.DefaultProduceTopic("orders"))
		Expect(producer.ProduceSync(ctx, kgo.StringRecord("hello")).FirstErr()).To(Succeed())
		Eventually(komega.Object(group)).WithContext(ctx).WithTimeout(3 * healing).Should(HaveField("Status.Partitions",
			ContainElement(HaveField("Committed", HaveValue(Equal(int64(1)))))))
		consumes(ctx, group)
		Expect(podsOf(ctx, namespace)).To(Equal(before))
		becomesReady(ctx, cluster)
	})

	It("tells of members that are not samsa's", func(ctx SpecContext) {
		kafka := startBrokers(ctx, 1, map[string]int32{"orders": 4})
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, newClusterOfBrokers(namespace, "main", kafka.Addrs()...), group)
		consumes(ctx, group)
		leave := joinAs(ctx, kafka, "billing", "orders")
		Eventually(condition(group, v1alpha1.ConditionDegraded)).WithContext(ctx).WithTimeout(2 * healing).Should(And(
			HaveField("Reason", v1alpha1.ReasonForeignMembers),
			HaveField("Message", And(HavePrefix("The group has 1 member that is not samsa's"), ContainSubstring(`by "range"`)))))
		Eventually(komega.Object(group)).WithContext(ctx).WithTimeout(2 * healing).Should(HaveField("Status", And(
			HaveField("ForeignMembers", HaveValue(Equal(int32(1)))),
			HaveField("OwnedPartitions", HaveValue(Equal(int32(4)))),
			HaveField("Members", ContainElement(And(
				HaveField("Origin", v1alpha1.OriginForeign), HaveField("Partitions", HaveValue(Equal(int32(2)))),
			))),
		)))
		leave()
		Eventually(condition(group, v1alpha1.ConditionDegraded)).WithContext(ctx).WithTimeout(2 * healing).Should(
			HaveField("Type", BeEmpty()))
		consumes(ctx, group)
	})
})

var _ = Describe("Where a ConsumerGroup is kept", func() {
	var (
		namespace string
		w         *world.World
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		w = startWorld(ctx, map[string]int32{"orders": 2})
		startManager(ctx, namespace)
		startNode(ctx, namespace, idle)
	})
	template := func(group *v1alpha1.ConsumerGroup) func() (corev1.PodTemplateSpec, error) {
		return func() (corev1.PodTemplateSpec, error) {
			set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: group.Name}}
			err := komega.Get(set)()
			return set.Spec.Template, err
		}
	}

	It("is resolved once: with brokers, though ZooKeeper is named later", func(ctx SpecContext) {
		cluster := newClusterOfBrokers(namespace, "main", w.Kafka.Addrs()...)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, cluster, group)
		coordinated(ctx, group, v1alpha1.CoordinationKafka)
		Eventually(configurationOf(namespace)).WithContext(ctx).Should(And(
			ContainSubstring("coordination: Kafka\n"), ContainSubstring("bootstrapServers:\n  - "+w.Kafka.Addrs()[0])))
		Eventually(podsOf).WithArguments(ctx, namespace).Should(HaveLen(1))
		before, err := template(group)()
		Expect(err).NotTo(HaveOccurred())
		update(ctx, cluster, func(c *v1alpha1.KafkaCluster) {
			c.Spec.ZooKeeper = v1alpha1.ZooKeeper{Connect: w.Connect(), SessionTimeout: "2s"}
		})
		becomesReady(ctx, cluster)
		younger := newConsumerGroup(namespace, "audit", "main", "orders")
		create(ctx, younger)
		coordinated(ctx, younger, v1alpha1.CoordinationZooKeeper)
		Consistently(template(group)).WithTimeout(healing / 5).Should(Equal(before))
		coordinated(ctx, group, v1alpha1.CoordinationKafka)
	})

	It("is resolved once: in ZooKeeper, and stands where a cluster names it no more", func(ctx SpecContext) {
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, cluster, group)
		coordinated(ctx, group, v1alpha1.CoordinationZooKeeper)
		Eventually(configurationOf(namespace)).WithContext(ctx).Should(ContainSubstring("coordination: ZooKeeper\n"))
		Eventually(podsOf).WithArguments(ctx, namespace).Should(HaveLen(1))
		before := podsOf(ctx, namespace)
		zookeeper := cluster.Spec.ZooKeeper
		update(ctx, cluster, func(c *v1alpha1.KafkaCluster) {
			c.Spec.ZooKeeper, c.Spec.BootstrapServers = v1alpha1.ZooKeeper{}, bootstrap(w.Kafka.Addrs()...)
		})
		Eventually(condition(group, v1alpha1.ConditionStalled)).WithContext(ctx).Should(And(
			HaveField("Reason", v1alpha1.ReasonCoordinationUnavailable),
			HaveField("Message", ContainSubstring("give it spec.zookeeper"))))
		Expect(kstatus(group)(ctx)).To(Equal(status.FailedStatus))
		becomesReady(ctx, cluster)
		Consistently(podsOf).WithArguments(ctx, namespace).WithTimeout(healing / 5).Should(Equal(before))
		Expect(group.Status.Coordination).To(Equal(v1alpha1.CoordinationZooKeeper))
		Eventually(condition(group, v1alpha1.ConditionBalanced)).WithContext(ctx).Should(And(
			HaveField("Status", metav1.ConditionUnknown), HaveField("Reason", v1alpha1.ReasonCoordinationUnavailable)))
		update(ctx, cluster, func(c *v1alpha1.KafkaCluster) {
			c.Spec.ZooKeeper, c.Spec.BootstrapServers = zookeeper, nil
		})
		Eventually(condition(group, v1alpha1.ConditionStalled)).WithContext(ctx).Should(HaveField("Type", BeEmpty()))
		Expect(podsOf(ctx, namespace)).To(Equal(before))
	})

	It("has no workers where its cluster never had what it asks for", func(ctx SpecContext) {
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		group.Spec.Coordination = v1alpha1.CoordinationZooKeeper
		create(ctx, newClusterOfBrokers(namespace, "main", w.Kafka.Addrs()...), group)
		becomes(ctx, group, metav1.ConditionFalse, v1alpha1.ReasonCoordinationUnavailable, status.FailedStatus)
		Expect(podsOf(ctx, namespace)).To(BeEmpty())
	})

	It("can be with brokers that ZooKeeper tells of", func(ctx SpecContext) {
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		group.Spec.Coordination = v1alpha1.CoordinationKafka
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), group)
		coordinated(ctx, group, v1alpha1.CoordinationKafka)
		Eventually(configurationOf(namespace)).WithContext(ctx).Should(And(
			ContainSubstring("coordination: Kafka\n"), ContainSubstring("connect: "+w.Connect())))
	})

	It("tells one group from another of its name", func(ctx SpecContext) {
		both := newKafkaCluster(namespace, "main", w.Connect())
		both.Spec.BootstrapServers = bootstrap(w.Kafka.Addrs()...)
		first := newConsumerGroup(namespace, "first", "main", "orders")
		second := newConsumerGroup(namespace, "second", "main", "orders")
		first.Spec.Group, second.Spec.Group = "billing", "billing"
		second.Spec.Coordination = v1alpha1.CoordinationKafka
		create(ctx, both, first, second)
		Eventually(podsOf).WithArguments(ctx, namespace).Should(HaveLen(2), "kept in two places, they are two groups")

		third := newConsumerGroup(namespace, "third", "other", "orders")
		third.Spec.Group = "billing"
		// Ages are in whole seconds: of the same one any may be the older.
		Eventually(func() int64 { return metav1.Now().Unix() }).Should(BeNumerically(">", second.CreationTimestamp.Unix()))
		create(ctx, newClusterOfBrokers(namespace, "other", w.Kafka.Addrs()...), third)
		becomes(ctx, third, metav1.ConditionFalse, v1alpha1.ReasonGroupInUse, status.FailedStatus)
		Eventually(condition(third, v1alpha1.ConditionReady)).WithContext(ctx).Should(
			HaveField("Message", ContainSubstring(namespace+"/second is older")))
		Expect(third.Status.Coordination).To(BeEmpty(), "nothing is made by it")
	})

	It("reaches the workers with what secures it, as files of the user's own Secrets", func(ctx SpecContext) {
		certificate, server := authority()
		kafka := startBrokers(ctx, 1, map[string]int32{"orders": 2},
			kfake.TLS(server), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "samsa", "right"))
		cluster := withLogin(newClusterOfBrokers(namespace, "main", kafka.Addrs()...))
		cluster.Spec.TLS = &v1alpha1.TLS{CASecretRef: v1alpha1.SecretKeyReference{Name: "authority", Key: "bundle"}}
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, newSecret(namespace, "authority", "bundle", string(certificate)),
			newLogin(namespace, "login", "samsa", "right"), cluster, group)
		Eventually(configurationOf(namespace)).WithContext(ctx).Should(And(
			ContainSubstring("caFile: ../secrets/kafka-ca/ca.crt"), ContainSubstring("mechanism: SCRAM-SHA-256"),
			ContainSubstring("passwordFile: ../secrets/kafka-login/password"),
			ContainSubstring("usernameFile: ../secrets/kafka-login/username"),
			Not(ContainSubstring("right")), Not(ContainSubstring("BEGIN CERTIFICATE"))))
		Eventually(podsOf).WithArguments(ctx, namespace).Should(HaveLen(1))
		pods, err := template(group)()
		Expect(err).NotTo(HaveOccurred())
		secret := func(name, secret string, items ...corev1.KeyToPath) OmegaMatcher {
			return And(HaveField("Name", name), HaveField("VolumeSource.Secret", And(
				HaveField("SecretName", secret), HaveField("Items", items))))
		}
		Expect(pods.Spec.Volumes).To(ContainElements(
			secret("kafka-ca", "authority", corev1.KeyToPath{Key: "bundle", Path: "ca.crt"}),
			secret("kafka-login", "login", corev1.KeyToPath{Key: "password", Path: "password"},
				corev1.KeyToPath{Key: "username", Path: "username"})))
		Expect(pods.Spec.Containers[0].VolumeMounts).To(ContainElement(corev1.VolumeMount{
			Name: "kafka-login", MountPath: "/etc/samsa/secrets/kafka-login", ReadOnly: true,
		}))
		var secrets corev1.SecretList
		Expect(api.List(ctx, &secrets, client.InNamespace(namespace))).To(Succeed())
		Expect(secrets.Items).To(HaveLen(2), "nothing is copied")
	})
})
