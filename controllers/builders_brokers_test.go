// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
)

// startBrokers runs a Kafka that is registered nowhere, until the spec ends.
func startBrokers(ctx context.Context, brokers int, topics map[string]int32, options ...kfake.Opt) *embedkafka.Cluster {
	GinkgoHelper()
	kafka, err := embedkafka.Start(ctx, embedkafka.Config{Brokers: brokers, Topics: topics, Options: options})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(kafka.Close)
	return kafka
}

// newClusterOfBrokers is a KafkaCluster by brokers alone.
func newClusterOfBrokers(namespace, name string, servers ...string) *v1alpha1.KafkaCluster {
	return &v1alpha1.KafkaCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.KafkaClusterSpec{BootstrapServers: bootstrap(servers...)},
	}
}

func bootstrap(servers ...string) (list []v1alpha1.BootstrapServer) {
	for _, server := range servers {
		list = append(list, v1alpha1.BootstrapServer(server))
	}
	return list
}

// newLogin is a Secret with credentials.
func newLogin(namespace, name, user, password string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: corev1.SecretTypeBasicAuth,
		StringData: map[string]string{corev1.BasicAuthUsernameKey: user, corev1.BasicAuthPasswordKey: password},
	}
}

// withLogin is a KafkaCluster whose brokers want SCRAM, by the Secret login.
func withLogin(cluster *v1alpha1.KafkaCluster) *v1alpha1.KafkaCluster {
	cluster.Spec.SASL = v1alpha1.SASL{
		Mechanism: v1alpha1.SASLScramSHA256, CredentialsSecretRef: v1alpha1.SecretReference{Name: "login"},
	}
	return cluster
}

// clientOf is a client for what somebody else does.
func clientOf(kafka *embedkafka.Cluster, options ...kgo.Opt) *kgo.Client {
	GinkgoHelper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(kafka.Addrs()...), kgo.DisableClientMetrics())...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.Close)
	return client
}

// withPassword is SCRAM in such a client's words.
func withPassword(password string) kgo.Opt {
	return kgo.SASL(scram.Auth{User: "samsa", Pass: password}.AsSha256Mechanism())
}

// joinAs runs a member that is not samsa's until leave is called.
func joinAs(ctx context.Context, kafka *embedkafka.Cluster, group, topic string) (leave func()) {
	GinkgoHelper()
	member := clientOf(kafka, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RangeBalancer()))
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var polling sync.WaitGroup
	polling.Go(func() {
		for own.Err() == nil {
			member.PollFetches(own)
		}
	})
	leave = sync.OnceFunc(func() {
		cancel()
		polling.Wait()
		member.Close()
	})
	DeferCleanup(leave)
	return leave
}

// groupsOf are the groups that brokers know.
func groupsOf(ctx context.Context, kafka *kadm.Client) []string {
	GinkgoHelper()
	listed, err := kafka.ListGroups(ctx)
	Expect(err).NotTo(HaveOccurred())
	return listed.Groups()
}

// authority is a certificate that signed itself, for 127.0.0.1, in PEM and as a server has it.
func authority(names ...string) (certificate []byte, server *tls.Config) {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		&tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

// privateKey is the key of a server's certificate, in PEM.
func privateKey(server *tls.Config) []byte {
	GinkgoHelper()
	der, err := x509.MarshalPKCS8PrivateKey(server.Certificates[0].PrivateKey)
	Expect(err).NotTo(HaveOccurred())
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// alice is a line of a file of users.
const alice = "alice:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC\n"
