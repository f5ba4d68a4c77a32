// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

var _ = Describe("A ProducerBinding", func() {
	var (
		namespace string
		running   *manager
		kafka     *embedkafka.Cluster
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		kafka = startBrokers(ctx, 1, map[string]int32{"orders": 4})
		running = startManager(ctx, namespace)
		create(ctx, newClusterOfBrokers(namespace, "main", kafka.Addrs()...))
	})

	It("is ready once its gateways are, and nothing is written while nothing changes", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		create(ctx, binding)
		Expect(kstatus(binding)(ctx)).To(Equal(status.InProgressStatus))
		Eventually(condition(binding, v1alpha1.ConditionTopicReady)).WithContext(ctx).
			Should(beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonTopicFound))
		Eventually(condition(binding, v1alpha1.ConditionReady)).WithContext(ctx).
			Should(beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonStarting))
		runGateways(ctx, binding)
		publishes(ctx, binding)
		url := "http://orders-gateway." + namespace + ".svc:8080"
		Expect(binding.Status).To(And(
			HaveField("URL", url), HaveField("Binding.Name", "orders-binding"),
			HaveField("Address", v1alpha1.Address{
				URL: url, Audience: "kafka.samsa.dev/producerbinding/" + namespace + "/orders",
			}),
			HaveField("Verification", v1alpha1.VerificationJWKS),
			HaveField("Topic.Partitions", HaveValue(Equal(int32(4)))),
			HaveField("Replicas", HaveValue(Equal(int32(2)))), HaveField("ReadyReplicas", HaveValue(Equal(int32(2)))),
			HaveField("Selector", "kafka.samsa.dev/producer-binding=orders"),
			HaveField("ObservedGeneration", HaveValue(Equal(binding.Generation))),
		))
		Eventually(eventsOf(binding)).WithContext(ctx).Should(ConsistOf(v1alpha1.ReasonPublishing))
		writes, version := running.writes.Load(), binding.ResourceVersion
		Consistently(func(g Gomega) {
			g.Expect(komega.Get(binding)()).To(Succeed())
			g.Expect(binding.ResourceVersion).To(Equal(version))
			g.Expect(running.writes.Load()).To(Equal(writes))
		}).WithContext(ctx).WithTimeout(healing / 2).Should(Succeed())
		Expect(running.secretLists.Load()).To(BeZero(), "Secrets are neither listed nor watched")
	})

	It("is made of what it needs, and of no more", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		create(ctx, binding)
		gateways := gatewaysOf(binding)
		Eventually(komega.Get(gateways)).WithContext(ctx).Should(Succeed())
		Expect(gateways.Spec.Replicas).To(HaveValue(Equal(int32(2))))
		Expect(gateways.Spec.Template.Spec).To(And(
			HaveField("ServiceAccountName", "orders-gateway"),
			HaveField("Containers", ConsistOf(And(
				HaveField("Image", workerImage), HaveField("Args", ContainElement("gateway")))))))
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "orders-binding"}}
		Eventually(komega.Object(secret)).WithContext(ctx).Should(And(
			HaveField("Type", corev1.SecretType("servicebinding.io/kafka")),
			HaveField("Data", Equal(map[string][]byte{
				"type": []byte("kafka"), "provider": []byte("samsa"), "topic": []byte("orders"),
				"uri":      []byte("http://orders-gateway." + namespace + ".svc:8080"),
				"audience": []byte("kafka.samsa.dev/producerbinding/" + namespace + "/orders"),
			}))))
		meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }
		budget := &policyv1.PodDisruptionBudget{ObjectMeta: meta("orders-gateway")}
		account := &corev1.ServiceAccount{ObjectMeta: meta("orders-gateway")}
		service := &corev1.Service{ObjectMeta: meta("orders-gateway")}
		peers := &corev1.Service{ObjectMeta: meta("orders-peers")}
		for _, object := range []client.Object{budget, peers, service, account} {
			Eventually(komega.Get(object)).WithContext(ctx).Should(Succeed())
			Expect(metav1.IsControlledBy(object, binding)).To(BeTrue(), "%T", object)
		}
		Expect(peers.Spec).To(And(HaveField("ClusterIP", corev1.ClusterIPNone), HaveField("PublishNotReadyAddresses", false)),
			"one that is not ready, or about to leave, answers for no keys")
		Expect(service.Spec.Ports).To(ConsistOf(HaveField("Port", int32(8080))))

		By("somebody deletes what cannot be done without")
		Expect(api.Delete(ctx, secret)).To(Succeed())
		Expect(api.Delete(ctx, service)).To(Succeed())
		for _, object := range []client.Object{secret, service} {
			uid := object.GetUID()
			Eventually(komega.Object(object)).WithContext(ctx).WithTimeout(2 * healing).Should(
				HaveField("ObjectMeta.UID", Not(Equal(uid))))
		}

		By("one gateway is enough")
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Replicas = new(int32(1)) })
		Eventually(komega.Object(gateways)).WithContext(ctx).Should(HaveField("Spec.Replicas", HaveValue(Equal(int32(1)))))
		Eventually(komega.Get(budget)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
	})

	It("says that its topic is missing, and heals once it is there", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "later", "main", "later")
		create(ctx, binding)
		runGateways(ctx, binding)
		Eventually(condition(binding, v1alpha1.ConditionTopicReady)).WithContext(ctx).Should(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonTopicMissing),
			HaveField("Message", ContainSubstring("spec.createTopic"))))
		Eventually(condition(binding, v1alpha1.ConditionReady)).WithContext(ctx).
			Should(beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonTopicMissing))
		Eventually(kstatus(binding)).WithContext(ctx).Should(Equal(status.FailedStatus))
		Expect(binding.Status.Topic).To(BeZero())
		makeTopic(ctx, kafka, "later", 2)
		publishes(ctx, binding)
		Expect(binding.Status.Topic.Partitions).To(HaveValue(Equal(int32(2))))
	})

	It("creates its topic if it is to, and leaves one alone that exists", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "made", "main", "made")
		binding.Spec.CreateTopic = v1alpha1.TopicCreation{
			Partitions: 3, ReplicationFactor: 1, Configs: []v1alpha1.TopicConfig{{Name: "retention.ms", Value: "60000"}},
		}
		existing := newProducerBinding(namespace, "orders", "main", "orders")
		existing.Spec.CreateTopic = v1alpha1.TopicCreation{
			Partitions: 8, Configs: []v1alpha1.TopicConfig{{Name: "max.message.bytes", Value: "1234"}},
		}
		create(ctx, binding, existing)
		Eventually(condition(binding, v1alpha1.ConditionTopicReady)).WithContext(ctx).
			Should(beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonTopicFound))
		admin := kadm.NewClient(clientOf(kafka))
		configs, err := admin.DescribeTopicConfigs(ctx, "made")
		Expect(err).NotTo(HaveOccurred())
		Expect(configs[0].Configs).To(ContainElement(And(
			HaveField("Key", "retention.ms"), HaveField("Value", HaveValue(Equal("60000"))))))
		Eventually(condition(existing, v1alpha1.ConditionTopicReady)).WithContext(ctx).Should(And(
			beCondition(existing, metav1.ConditionTrue, v1alpha1.ReasonTopicFound),
			HaveField("Message", MatchRegexp("has 4 partitions where spec.createTopic says 8, "+
				"and max.message.bytes is [0-9]+ where it says 1234; one that exists is not changed"))))
		Expect(api.Delete(ctx, binding)).To(Succeed())
		Expect(api.Delete(ctx, existing)).To(Succeed())
		Eventually(komega.Get(binding)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
		topics, err := admin.ListTopics(ctx, "made", "orders")
		Expect(err).NotTo(HaveOccurred())
		Expect(topics["made"].Partitions).To(HaveLen(3), "none is ever deleted")
		Expect(topics["orders"].Partitions).To(HaveLen(4), "nor changed")
	})

	It("creates its topic where the cluster is known by ZooKeeper alone", func(ctx SpecContext) {
		w, err := world.Start(ctx, world.Config{Tick: 200 * time.Millisecond})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Close)
		create(ctx, newKafkaCluster(namespace, "keeper", w.Connect()))
		binding := newProducerBinding(namespace, "made", "keeper", "made")
		binding.Spec.CreateTopic.Partitions = 3
		create(ctx, binding)
		Eventually(condition(binding, v1alpha1.ConditionTopicReady)).WithContext(ctx).Should(And(
			beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonTopicFound),
			HaveField("Message", ContainSubstring("3 partitions"))))
		runGateways(ctx, binding)
		publishes(ctx, binding)
	})

	It("says why its topic cannot be created", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "made", "main", "made")
		binding.Spec.CreateTopic = v1alpha1.TopicCreation{Partitions: 3, ReplicationFactor: 5}
		create(ctx, binding)
		Eventually(condition(binding, v1alpha1.ConditionTopicReady)).WithContext(ctx).Should(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonTopicNotCreated),
			HaveField("Message", And(ContainSubstring("REPLICATION_FACTOR"),
				ContainSubstring("spec.createTopic says (partitions: 3, replicationFactor: 5)")))))
	})

	It("needs no topic in Kafka 0.7, which cannot be asked for one", func(ctx SpecContext) {
		w, err := world.Start(ctx, world.Config{Era: world.Era07, Tick: 200 * time.Millisecond})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Close)
		create(ctx, newKafkaCluster(namespace, "old", w.Connect()))
		plain := newProducerBinding(namespace, "plain", "old", "plain")
		asking := newProducerBinding(namespace, "asking", "old", "asking")
		asking.Spec.CreateTopic.Partitions = 3
		create(ctx, plain, asking)
		Eventually(condition(plain, v1alpha1.ConditionTopicReady)).WithContext(ctx).Should(And(
			beCondition(plain, metav1.ConditionTrue, v1alpha1.ReasonTopicComes),
			HaveField("Message", HaveSuffix("with the first message"))))
		Eventually(condition(asking, v1alpha1.ConditionTopicReady)).WithContext(ctx).Should(And(
			beCondition(asking, metav1.ConditionTrue, v1alpha1.ReasonTopicComes),
			HaveField("Message", HaveSuffix("whatever spec.createTopic says"))))
		Expect(asking.Status.Topic.Partitions).To(HaveValue(BeZero()))
	})

	It("leaves its gateways as they are while its cluster cannot be used", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		create(ctx, binding)
		runGateways(ctx, binding)
		publishes(ctx, binding)
		gateways := gatewaysOf(binding)
		Expect(komega.Get(gateways)()).To(Succeed())
		generation := gateways.Generation
		cluster := newClusterOfBrokers(namespace, "main")
		Expect(api.Delete(ctx, cluster)).To(Succeed())
		Eventually(condition(binding, v1alpha1.ConditionClusterReachable)).WithContext(ctx).
			Should(beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonClusterMissing))
		Eventually(kstatus(binding)).WithContext(ctx).Should(Equal(status.FailedStatus))
		Expect(komega.Get(gateways)()).To(Succeed())
		Expect(gateways.Generation).To(Equal(generation))
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Replicas = new(int32(3)) })
		Eventually(komega.Object(gateways)).WithContext(ctx).Should(HaveField("Spec.Replicas", HaveValue(Equal(int32(3)))))
		create(ctx, newClusterOfBrokers(namespace, "main", kafka.Addrs()...))
		Eventually(func(g Gomega) { // what is applied then makes another generation of the Deployment
			runGateways(ctx, binding)
			g.Expect(kstatus(binding)(ctx)).To(Equal(status.CurrentStatus))
		}).WithContext(ctx).Should(Succeed())
	})

	It("does not touch what is somebody else's", func(ctx SpecContext) {
		foreign := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "orders-gateway"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		}
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		create(ctx, foreign, binding)
		Eventually(condition(binding, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonNameConflict),
			HaveField("Message", ContainSubstring("Service orders-gateway exists and does not belong to this ProducerBinding"))))
		Eventually(kstatus(binding)).WithContext(ctx).Should(Equal(status.FailedStatus))
		Expect(api.Delete(ctx, foreign)).To(Succeed())
		runGateways(ctx, binding)
		publishes(ctx, binding)
	})

	It("speaks TLS by a Secret, and says so once there is one", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		binding.Spec.HTTP.TLS.SecretRef.Name = "tls"
		create(ctx, binding)
		Eventually(condition(binding, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid),
			HaveField("Message", And(ContainSubstring("spec.http.tls.secretRef"), ContainSubstring("does not exist")))))
		Expect(komega.Get(gatewaysOf(binding))()).To(Satisfy(apierrors.IsNotFound), "none of them would start")
		certificate, server := authority("orders-gateway." + namespace + ".svc")
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "tls"},
			StringData: map[string]string{"tls.crt": string(certificate), "tls.key": "key", "ca.crt": string(certificate)},
		}
		create(ctx, secret)
		Eventually(condition(binding, v1alpha1.ConditionStalled)).WithContext(ctx).WithTimeout(2 * healing).Should(And(
			beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonSecretInvalid),
			HaveField("Message", ContainSubstring("Secret tls, named by spec.http.tls.secretRef: the certificate and its key"))))
		update(ctx, secret, func(s *corev1.Secret) {
			s.Data[corev1.TLSPrivateKeyKey], s.Data["ca.crt"] = privateKey(server), []byte("authority")
		})
		Eventually(condition(binding, v1alpha1.ConditionStalled)).WithContext(ctx).WithTimeout(2 * healing).Should(
			HaveField("Message", ContainSubstring("Secret tls, key ca.crt, named by spec.http.tls.secretRef: the CA holds no")))
		update(ctx, secret, func(s *corev1.Secret) { s.Data["ca.crt"] = certificate })
		Eventually(komega.Get(gatewaysOf(binding))).WithContext(ctx).WithTimeout(2 * healing).Should(Succeed())
		runGateways(ctx, binding)
		publishes(ctx, binding)
		Expect(binding.Status.Address).To(And(HaveField("CACerts", string(certificate)),
			HaveField("URL", "https://orders-gateway."+namespace+".svc:8080")))
		provided := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "orders-binding"}}
		Expect(komega.Get(provided)()).To(Succeed())
		Expect(provided.Data).To(HaveKeyWithValue("certificates", certificate))

		By("it is renewed, for another name")
		other, server := authority("shop.example")
		update(ctx, secret, func(s *corev1.Secret) {
			s.Data["tls.crt"], s.Data["ca.crt"], s.Data[corev1.TLSPrivateKeyKey] = other, other, privateKey(server)
		})
		Eventually(condition(binding, v1alpha1.ConditionReady)).WithContext(ctx).WithTimeout(2 * healing).Should(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonCertificateRefused), HaveField("Message",
				ContainSubstring("is for shop.example, 127.0.0.1, and not for orders-gateway."+namespace+".svc: issue one"))))
		Eventually(kstatus(binding)).WithContext(ctx).Should(Equal(status.FailedStatus))

		By("nothing that can be used comes after it")
		update(ctx, secret, func(s *corev1.Secret) { s.Data[corev1.TLSPrivateKeyKey] = []byte("key") })
		Eventually(condition(binding, v1alpha1.ConditionStalled)).WithContext(ctx).WithTimeout(2 * healing).Should(
			beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonSecretInvalid))
		Expect(condition(binding, v1alpha1.ConditionEndpointReady)(ctx)).To(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonCertificateRefused),
			HaveField("Message", ContainSubstring("refuse it: Secret tls"))))
		Expect(condition(binding, v1alpha1.ConditionReady)(ctx)).To(HaveField("Status", metav1.ConditionFalse))
	})

	It("has callers trust a new authority, whatever is wrong with its users", func(ctx SpecContext) {
		certificate, server := authority()
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		binding.Spec.HTTP.TLS.SecretRef.Name = "tls"
		binding.Spec.HTTP.Auth = v1alpha1.BindingAuth{Type: v1alpha1.AuthBasic, Basic: v1alpha1.BasicAuth{
			SecretRef: v1alpha1.SecretKeyReference{Name: "users", Key: "htpasswd"},
		}}
		create(ctx, newSecret(namespace, "users", "htpasswd", "nobody"), binding, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "tls"},
			Data: map[string][]byte{
				"tls.crt": certificate, "tls.key": privateKey(server), "ca.crt": certificate,
			},
		})
		Eventually(condition(binding, v1alpha1.ConditionStalled)).WithContext(ctx).Should(
			beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonSecretInvalid))
		Expect(binding.Status.Address.CACerts).To(Equal(string(certificate)))
	})

	It("says which Secret of users cannot be used, and leaves the gateways that know those before", func(ctx SpecContext) {
		users := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "users"},
			StringData: map[string]string{"htpasswd": "alice:secret\n"},
		}
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		binding.Spec.HTTP.Auth = v1alpha1.BindingAuth{Type: v1alpha1.AuthBasic, Basic: v1alpha1.BasicAuth{
			SecretRef: v1alpha1.SecretKeyReference{Name: "users", Key: "htpasswd"},
		}}
		create(ctx, users, binding)
		wrong := HaveField("Message", And(
			ContainSubstring("Secret users, key htpasswd, named by spec.http.auth.basic.secretRef: line 1 is not NAME:HASH"),
			Not(ContainSubstring("alice"))))
		Eventually(condition(binding, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid), wrong))
		Expect(komega.Get(gatewaysOf(binding))()).To(Satisfy(apierrors.IsNotFound), "none of them would start")
		write := func(text string) func(*corev1.Secret) {
			return func(s *corev1.Secret) { s.Data["htpasswd"] = []byte(text) }
		}
		update(ctx, users, write(alice))
		Eventually(komega.Get(gatewaysOf(binding))).WithContext(ctx).WithTimeout(2 * healing).Should(Succeed())
		runGateways(ctx, binding)
		publishes(ctx, binding)
		update(ctx, users, write(alice+alice))
		Eventually(condition(binding, v1alpha1.ConditionStalled)).WithContext(ctx).WithTimeout(2 * healing).Should(And(
			beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonSecretInvalid),
			HaveField("Message", ContainSubstring("line 2: the name was there before"))))
		Expect(condition(binding, v1alpha1.ConditionReady)(ctx)).To(And(
			HaveField("Status", metav1.ConditionTrue),
			HaveField("Message", ContainSubstring("by gateways as they were before"))))
	})

	It("is neither ready nor failed without gateways", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		binding.Spec.Replicas = new(int32(0))
		create(ctx, binding)
		Eventually(condition(binding, v1alpha1.ConditionReady)).WithContext(ctx).
			Should(beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonScaledToZero))
		Eventually(kstatus(binding)).WithContext(ctx).Should(Equal(status.InProgressStatus),
			"it is not ready, and nothing is wrong")
		var scaled autoscalingv1.Scale
		Expect(api.SubResource("scale").Get(ctx, binding, &scaled)).To(Succeed())
		Expect(scaled.Status.Selector).To(Equal("kafka.samsa.dev/producer-binding=orders"))
	})

	It("replaces the gateways' configuration, and removes the one before once they have it", func(ctx SpecContext) {
		binding := newProducerBinding(namespace, "orders", "main", "orders")
		create(ctx, binding)
		runGateways(ctx, binding)
		publishes(ctx, binding)
		configs := func(ctx context.Context) (names []string, err error) {
			var list corev1.ConfigMapList
			err = api.List(ctx, &list, client.InNamespace(namespace))
			for i := range list.Items {
				names = append(names, list.Items[i].Data["gateway.yaml"])
			}
			return names, err
		}
		Expect(configs(ctx)).To(ConsistOf(And(ContainSubstring("topic: orders"), ContainSubstring("acks: all"),
			ContainSubstring("mode: JWKS"), ContainSubstring("namespace: "+namespace), ContainSubstring("orders-peers"))))
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Produce.Acks = v1alpha1.AcksLeader })
		Eventually(configs).WithContext(ctx).Should(ContainElement(ContainSubstring("acks: leader")))
		Eventually(condition(binding, v1alpha1.ConditionReconciling)).WithContext(ctx).Should(
			HaveField("Status", metav1.ConditionTrue))
		Expect(configs(ctx)).To(HaveLen(2))
		runGateways(ctx, binding)
		publishes(ctx, binding)
		Eventually(configs).WithContext(ctx).WithTimeout(2 * healing).Should(ConsistOf(ContainSubstring("acks: leader")))
	})
})

// makeTopic does what somebody else does.
func makeTopic(ctx context.Context, kafka *embedkafka.Cluster, topic string, partitions int32) {
	GinkgoHelper()
	_, err := kadm.NewClient(clientOf(kafka)).CreateTopic(ctx, partitions, 1, nil, topic)
	Expect(err).NotTo(HaveOccurred())
}
