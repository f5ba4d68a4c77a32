// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

var _ = Describe("A KafkaCluster", func() {
	var (
		namespace string
		running   *manager
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startManager(ctx, namespace)
	})

	It("shows what was found", func(ctx SpecContext) {
		w := startWorld(ctx, map[string]int32{"orders": 3, "audit": 1})
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		create(ctx, cluster)
		Expect(cluster.Status.ObservedGeneration).To(HaveValue(Equal(int64(-1))))
		becomesReady(ctx, cluster)
		Eventually(komega.Object(cluster)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("BrokerCount", HaveValue(Equal(int32(1)))),
			HaveField("TopicCount", HaveValue(Equal(int32(2)))),
			HaveField("Brokers", Equal([]v1alpha1.Broker{{ID: "0", Address: w.Kafka.Addrs()[0]}})),
			HaveField("Era", v1alpha1.EraKafka08),
			HaveField("SessionTimeout", v1alpha1.Duration("2s")),
			HaveField("ObservedGeneration", HaveValue(Equal(cluster.Generation))),
		)))
		Expect(cluster.Status.Conditions).To(HaveLen(1), "Reconciling, Stalled and Degraded are not there unless true")
	})

	It("heals when its ZooKeeper comes back", func(ctx SpecContext) {
		w := startWorld(ctx, nil)
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		create(ctx, cluster)
		becomesReady(ctx, cluster)
		Expect(w.ZooKeeper.Stop()).To(Succeed())
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).
			Should(beCondition(cluster, metav1.ConditionUnknown, v1alpha1.ReasonZooKeeperUnreachable))
		Expect(kstatus(cluster)(ctx)).To(Equal(status.InProgressStatus))
		Expect(cluster.Status.Brokers).NotTo(BeEmpty(), "what was known last stays")
		Expect(w.ZooKeeper.Restart(ctx)).To(Succeed())
		becomesReady(ctx, cluster)
		Eventually(eventsOf(cluster)).WithContext(ctx).Should(ConsistOf(
			v1alpha1.ReasonReachable, v1alpha1.ReasonZooKeeperUnreachable, v1alpha1.ReasonReachable))
	})

	It("says that nobody answers, and heals when the address is corrected", func(ctx SpecContext) {
		w := startWorld(ctx, nil)
		cluster := newKafkaCluster(namespace, "main", "127.0.0.1:1/kafka")
		create(ctx, cluster)
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
			beCondition(cluster, metav1.ConditionUnknown, v1alpha1.ReasonZooKeeperUnreachable),
			HaveField("Message", ContainSubstring("spec.zookeeper.connect")),
		))
		Expect(kstatus(cluster)(ctx)).To(Equal(status.InProgressStatus))
		update(ctx, cluster, func(c *v1alpha1.KafkaCluster) { c.Spec.ZooKeeper.Connect = w.Connect() })
		becomesReady(ctx, cluster)
	})

	It("says that the chroot is missing, and heals when it is made", func(ctx SpecContext) {
		w := startWorld(ctx, nil)
		cluster := newKafkaCluster(namespace, "main", w.ZooKeeper.Addr()+"/elsewhere")
		create(ctx, cluster)
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).
			Should(beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonChrootMissing))
		Expect(kstatus(cluster)(ctx)).To(Equal(status.FailedStatus))
		_, err := administer(w).Create("/elsewhere", nil, 0, zk.WorldACL(zk.PermAll))
		Expect(err).NotTo(HaveOccurred())
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
			beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonNoBrokers),
			HaveField("Message", ContainSubstring("check the chroot")),
		))
		Expect(kstatus(cluster)(ctx)).To(Equal(status.InProgressStatus))
		Expect(cluster.Status.BrokerCount).To(HaveValue(BeZero()))
	})

	It("says that there are no brokers, and heals when one comes", func(ctx SpecContext) {
		w := startWorld(ctx, nil)
		Expect(w.Kafka.StopBroker(0)).To(Succeed())
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		create(ctx, cluster)
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).
			Should(beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonNoBrokers))
		Expect(w.Kafka.StartBroker(ctx, 0)).To(Succeed())
		becomesReady(ctx, cluster)
	})

	It("says that the credentials are refused, and heals when the Secret is corrected", func(ctx SpecContext) {
		w := startWorld(ctx, nil)
		_, err := administer(w).SetACL(w.Path("/brokers/ids"), zk.DigestACL(zk.PermAll, "samsa", "right"), -1)
		Expect(err).NotTo(HaveOccurred())
		secret := newSecret(namespace, "zookeeper", "digest", "samsa:wrong")
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		cluster.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{Name: "zookeeper", Key: "digest"}
		create(ctx, secret, cluster)
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).
			Should(beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonAccessDenied))
		Expect(kstatus(cluster)(ctx)).To(Equal(status.FailedStatus))
		update(ctx, secret, func(s *corev1.Secret) { s.Data["digest"] = []byte("samsa:right\n") })
		becomesReady(ctx, cluster)
	})

	It("says what its Secret lacks, and heals when it comes", func(ctx SpecContext) {
		w := startWorld(ctx, nil)
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		cluster.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{Name: "zookeeper", Key: "digest"}
		create(ctx, cluster)
		says := func(text string) {
			GinkgoHelper()
			Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
				beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid),
				HaveField("Message", And(ContainSubstring(text), ContainSubstring("spec.zookeeper.digestSecretRef"))),
			))
			Expect(kstatus(cluster)(ctx)).To(Equal(status.FailedStatus))
		}
		says("does not exist")
		secret := newSecret(namespace, "zookeeper", "password", "samsa:secret")
		create(ctx, secret)
		says("lacks the key digest")
		update(ctx, secret, func(s *corev1.Secret) { s.Data["digest"] = []byte("secret") })
		says("does not hold user:password")
		update(ctx, secret, func(s *corev1.Secret) { s.Data["digest"] = []byte("samsa:secret") })
		becomesReady(ctx, cluster)
		Expect(running.secretLists.Load()).To(BeZero(), "Secrets are neither listed nor watched")
	})

	DescribeTable("says what is wrong with certificates",
		func(ctx SpecContext, tls *v1alpha1.TLS, data map[string]string, text string) {
			cluster := newKafkaCluster(namespace, "main", "127.0.0.1:1")
			cluster.Spec.ZooKeeper.TLS = tls
			create(ctx, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "tls"}, StringData: data,
			}, cluster)
			Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
				beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid),
				HaveField("Message", And(ContainSubstring(text), Not(ContainSubstring("rubbish")))),
			))
		},
		Entry("a CA that is none",
			&v1alpha1.TLS{CASecretRef: v1alpha1.SecretKeyReference{Name: "tls", Key: "ca.crt"}},
			map[string]string{"ca.crt": "rubbish"}, "the CA holds no certificate"),
		Entry("a certificate without a key",
			&v1alpha1.TLS{CertificateSecretRef: v1alpha1.SecretReference{Name: "tls"}},
			map[string]string{"tls.crt": "rubbish"}, "lacks the key tls.key"),
		Entry("a certificate that is none",
			&v1alpha1.TLS{CertificateSecretRef: v1alpha1.SecretReference{Name: "tls"}},
			map[string]string{"tls.crt": "rubbish", "tls.key": "rubbish"}, "the certificate and its key do not work"),
	)

	It("says what protection a ZooKeeper without transactions lacks", func(ctx SpecContext) {
		w, err := world.Start(ctx, world.Config{Tick: 200 * time.Millisecond, WithoutMulti: true})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Close)
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		create(ctx, cluster)
		becomesReady(ctx, cluster)
		Eventually(condition(cluster, v1alpha1.ConditionDegraded)).WithContext(ctx).
			Should(beCondition(cluster, metav1.ConditionTrue, v1alpha1.ReasonUnfenced))
	})

	It("keeps its connection for as long as a group refers to it", func(ctx SpecContext) {
		w := startWorld(ctx, map[string]int32{"orders": 1})
		others := len(w.ZooKeeper.Sessions())
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		group.Spec.Replicas = new(int32(0))
		create(ctx, cluster, group)
		becomesReady(ctx, cluster)
		Expect(api.Delete(ctx, cluster)).To(Succeed())
		Consistently(func() int { return len(w.ZooKeeper.Sessions()) }).WithTimeout(3 * time.Second).
			Should(BeNumerically(">", others))
		Expect(api.Delete(ctx, group)).To(Succeed())
		Eventually(komega.Get(group)).WithContext(ctx).ShouldNot(Succeed())
		Eventually(func() int { return len(w.ZooKeeper.Sessions()) }).Should(Equal(others))
	})

	It("closes its connection with the manager", func(ctx SpecContext) {
		w := startWorld(ctx, nil)
		others := len(w.ZooKeeper.Sessions())
		cluster := newKafkaCluster(namespace, "main", w.Connect())
		create(ctx, cluster)
		becomesReady(ctx, cluster)
		running.stop()
		Expect(w.ZooKeeper.Sessions()).To(HaveLen(others))
	})
})

// becomesReady waits until a cluster can be used, for kubectl wait and for kstatus.
func becomesReady(ctx context.Context, cluster *v1alpha1.KafkaCluster) {
	GinkgoHelper()
	Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).
		Should(beCondition(cluster, metav1.ConditionTrue, v1alpha1.ReasonReachable))
	Expect(kstatus(cluster)(ctx)).To(Equal(status.CurrentStatus))
}

// eventsOf are the reasons of the events about an object.
func eventsOf(object client.Object) func(context.Context) ([]string, error) {
	return func(ctx context.Context) (reasons []string, err error) {
		var list eventsv1.EventList
		err = api.List(ctx, &list, client.InNamespace(object.GetNamespace()))
		for _, event := range list.Items {
			if event.Regarding.UID == object.GetUID() {
				reasons = append(reasons, event.Reason)
			}
		}
		return reasons, err
	}
}

// administer is a ZooKeeper client for what somebody else does.
func administer(w *world.World) *zk.Conn {
	GinkgoHelper()
	conn, _, err := zk.Connect([]string{w.ZooKeeper.Addr()}, 4*time.Second, zk.WithLogInfo(false))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(conn.Close)
	return conn
}
