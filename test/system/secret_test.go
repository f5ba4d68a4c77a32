// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// lock makes ZooKeeper show the brokers only to whoever knows a password. They are registered already.
func (s *stage) lock(user, password string) {
	conn, _, err := zk.Connect([]string{s.kafka.ZooKeeper.Addr()}, 4*time.Second, zk.WithLogInfo(false))
	s.Expect(err).NotTo(HaveOccurred())
	defer conn.Close()
	_, err = conn.SetACL(s.kafka.Path("/brokers/ids"), zk.DigestACL(zk.PermAll, user, password), -1)
	s.Expect(err).NotTo(HaveOccurred())
}

func secretMissing(s *stage) {
	s.ownKafka()
	s.createTopic()
	s.lock("samsa", "right")
	s.createCluster(func(c *v1alpha1.KafkaCluster) {
		c.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{Name: "zookeeper", Key: "digest"}
	})
	s.createGroup()
	s.troubled(healing, v1alpha1.ReasonClusterNotReady, "Secret zookeeper", "does not exist", "create it")
	s.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "zookeeper"}, StringData: map[string]string{"password": "samsa:right"},
	})
	s.troubled(healing, v1alpha1.ReasonClusterNotReady, "lacks the key digest", "add it")
	put := func(password string) {
		change(s, &corev1.Secret{}, "zookeeper", func(secret *corev1.Secret) {
			secret.StringData = map[string]string{"digest": "samsa:" + password}
		})
	}
	put("wrong")
	s.troubled(healing, v1alpha1.ReasonClusterNotReady, "AccessDenied")
	put("right")
	s.heals()
	s.publish(8)
	s.allArrive(s.name)
}
