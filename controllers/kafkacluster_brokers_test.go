// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kfake"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

var _ = Describe("A KafkaCluster by brokers", func() {
	var namespace string
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startManager(ctx, namespace)
	})

	It("shows what was found, by one of them", func(ctx SpecContext) {
		kafka := startBrokers(ctx, 2, map[string]int32{"orders": 3, "audit": 1}, kfake.ClusterID("an-id"))
		cluster := newClusterOfBrokers(namespace, "main", "127.0.0.1:1", kafka.Addrs()[1])
		create(ctx, cluster)
		becomesReady(ctx, cluster)
		Eventually(komega.Object(cluster)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("BrokerCount", HaveValue(Equal(int32(2)))),
			HaveField("TopicCount", HaveValue(Equal(int32(2)))),
			HaveField("Brokers", Equal([]v1alpha1.Broker{
				{ID: "0", Address: kafka.Addrs()[0]}, {ID: "1", Address: kafka.Addrs()[1]},
			})),
			HaveField("Era", v1alpha1.EraKafka08),
			HaveField("KafkaVersion", MatchRegexp(`^[0-9]+\.[0-9]+`)),
			HaveField("Controller", v1alpha1.ControllerKRaft),
			HaveField("ClusterID", "an-id"),
			HaveField("SessionTimeout", BeEmpty()),
		)))
		Expect(cluster.Status.Conditions[0].Message).To(HavePrefix("Brokers answer: 2, of Kafka "))
	})

	It("says that nobody answers, and heals when somebody does", func(ctx SpecContext) {
		kafka := startBrokers(ctx, 1, nil)
		Expect(kafka.StopBroker(0)).To(Succeed())
		cluster := newClusterOfBrokers(namespace, "main", kafka.Addrs()...)
		create(ctx, cluster)
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
			beCondition(cluster, metav1.ConditionUnknown, v1alpha1.ReasonBrokersUnreachable),
			HaveField("Message", ContainSubstring("spec.bootstrapServers"))))
		Expect(kstatus(cluster)(ctx)).To(Equal(status.InProgressStatus))
		Expect(kafka.StartBroker(ctx, 0)).To(Succeed())
		becomesReady(ctx, cluster)
		Expect(kafka.StopBroker(0)).To(Succeed())
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).WithTimeout(2 * healing).
			Should(beCondition(cluster, metav1.ConditionUnknown, v1alpha1.ReasonBrokersUnreachable))
		Expect(kafka.StartBroker(ctx, 0)).To(Succeed())
		becomesReady(ctx, cluster)
	})

	It("says that the credentials are refused, and heals when the Secret is corrected", func(ctx SpecContext) {
		kafka := startBrokers(ctx, 1, nil, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "samsa", "right"))
		login := newLogin(namespace, "login", "samsa", "wrong")
		cluster := withLogin(newClusterOfBrokers(namespace, "main", kafka.Addrs()...))
		create(ctx, login, cluster)
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).Should(
			And(beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonAccessDenied),
				HaveField("Message", Not(ContainSubstring("wrong")))))
		Expect(kstatus(cluster)(ctx)).To(Equal(status.FailedStatus))
		update(ctx, login, func(s *corev1.Secret) { s.Data["password"] = []byte("right\n") })
		becomesReady(ctx, cluster)
	})

	It("says that it trusts nobody who signed the certificate, and heals when it is told whom to", func(ctx SpecContext) {
		certificate, server := authority()
		kafka := startBrokers(ctx, 1, nil, kfake.TLS(server))
		cluster := newClusterOfBrokers(namespace, "main", kafka.Addrs()...)
		cluster.Spec.TLS = &v1alpha1.TLS{}
		create(ctx, newSecret(namespace, "authority", "ca.crt", string(certificate)), cluster)
		Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).
			Should(beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonCertificateInvalid))
		Expect(kstatus(cluster)(ctx)).To(Equal(status.FailedStatus))
		update(ctx, cluster, func(c *v1alpha1.KafkaCluster) {
			c.Spec.TLS.CASecretRef = v1alpha1.SecretKeyReference{Name: "authority", Key: "ca.crt"}
		})
		becomesReady(ctx, cluster)
	})

	DescribeTable("says what its Secrets lack, and looks again",
		func(ctx SpecContext, spec v1alpha1.KafkaClusterSpec, data map[string]string, field, text string) {
			cluster := newClusterOfBrokers(namespace, "main", "127.0.0.1:1")
			cluster.Spec.TLS, cluster.Spec.SASL = spec.TLS, spec.SASL
			create(ctx, cluster)
			says := func(text string) {
				GinkgoHelper()
				Eventually(condition(cluster, v1alpha1.ConditionReady)).WithContext(ctx).Should(And(
					beCondition(cluster, metav1.ConditionFalse, v1alpha1.ReasonSecretInvalid),
					HaveField("Message", And(ContainSubstring(field), ContainSubstring(text), Not(ContainSubstring("rubbish")))),
				))
				Expect(kstatus(cluster)(ctx)).To(Equal(status.FailedStatus))
			}
			says("does not exist: create it")
			create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "s"}, StringData: data})
			says(text)
		},
		Entry("a password", v1alpha1.KafkaClusterSpec{SASL: v1alpha1.SASL{
			Mechanism: v1alpha1.SASLPlain, CredentialsSecretRef: v1alpha1.SecretReference{Name: "s"},
		}}, map[string]string{"username": "me"}, "spec.sasl.credentialsSecretRef", "lacks the key password"),
		Entry("a user", v1alpha1.KafkaClusterSpec{SASL: v1alpha1.SASL{
			Mechanism: v1alpha1.SASLScramSHA512, CredentialsSecretRef: v1alpha1.SecretReference{Name: "s"},
		}}, map[string]string{"username": "\n", "password": "rubbish"}, "spec.sasl.credentialsSecretRef", "key username"),
		Entry("a token", v1alpha1.KafkaClusterSpec{SASL: v1alpha1.SASL{
			Mechanism: v1alpha1.SASLOAuthBearer, TokenSecretRef: v1alpha1.SecretKeyReference{Name: "s", Key: "jwt"},
		}}, map[string]string{"token": "rubbish"}, "spec.sasl.tokenSecretRef", "lacks the key jwt"),
		Entry("an authority", v1alpha1.KafkaClusterSpec{TLS: &v1alpha1.TLS{
			CASecretRef: v1alpha1.SecretKeyReference{Name: "s", Key: "ca.crt"},
		}}, map[string]string{"ca.crt": "rubbish"}, "spec.tls.caSecretRef", "the CA holds no certificate"),
		Entry("a certificate's key", v1alpha1.KafkaClusterSpec{TLS: &v1alpha1.TLS{
			CertificateSecretRef: v1alpha1.SecretReference{Name: "s"},
		}}, map[string]string{"tls.crt": "rubbish"}, "spec.tls.certificateSecretRef", "lacks the key tls.key"),
	)
})
