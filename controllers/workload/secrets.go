// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// The volumes of Secrets, and their directories below /etc/samsa/secrets. A Secret is mounted as it is: its user
// changes it, the kubelet changes the files, and the worker reads them for the next connection.
const (
	digestSecret = "zookeeper-digest"
	loginSecret  = "kafka-login"
	tokenSecret  = "kafka-token"
)

// tlsFiles are the volumes of one TLS.
type tlsFiles struct{ authority, certificate string }

func zookeeperFiles() tlsFiles { return tlsFiles{"zookeeper-ca", "zookeeper-tls"} }

func brokerFiles() tlsFiles { return tlsFiles{"kafka-ca", "kafka-tls"} }

// mount is a Secret of the user's in the pod.
type mount struct {
	name, secret string
	// files are the names in the pod by key of the Secret; nil for all of them, by their own names.
	files map[string]string
}

// secrets are those that the workers need, and no others.
func (in *input) secrets() []mount { return secretsOf(&in.cluster.Spec, in.zookeeper()) }

// secretsOf are those that reaching a cluster takes. Of ZooKeeper it is what zk says, which is nil for none.
func secretsOf(spec *v1alpha1.KafkaClusterSpec, zk *v1alpha1.ZooKeeper) (mounts []mount) {
	if zk != nil {
		if ref := zk.DigestSecretRef; ref.Name != "" {
			mounts = append(mounts, mount{digestSecret, ref.Name, map[string]string{ref.Key: "digest"}})
		}
		mounts = append(mounts, zookeeperFiles().of(zk.TLS)...)
	}
	mounts = append(mounts, brokerFiles().of(spec.TLS)...)
	if ref := spec.SASL.CredentialsSecretRef; ref.Name != "" {
		mounts = append(mounts, mount{loginSecret, ref.Name, map[string]string{
			corev1.BasicAuthUsernameKey: "username", corev1.BasicAuthPasswordKey: "password",
		}})
	}
	if ref := spec.SASL.TokenSecretRef; ref.Name != "" {
		mounts = append(mounts, mount{tokenSecret, ref.Name, map[string]string{ref.Key: "token"}})
	}
	return mounts
}

func (f tlsFiles) of(tls *v1alpha1.TLS) (mounts []mount) {
	if tls == nil {
		return nil
	}
	if ref := tls.CASecretRef; ref.Name != "" {
		mounts = append(mounts, mount{f.authority, ref.Name, map[string]string{ref.Key: "ca.crt"}})
	}
	if ref := tls.CertificateSecretRef; ref.Name != "" {
		mounts = append(mounts, mount{f.certificate, ref.Name, map[string]string{
			corev1.TLSCertKey: "tls.crt", corev1.TLSPrivateKeyKey: "tls.key",
		}})
	}
	return mounts
}

func (m mount) volume() *corev1ac.VolumeApplyConfiguration {
	source := corev1ac.SecretVolumeSource().WithSecretName(m.secret)
	for _, key := range slices.Sorted(maps.Keys(m.files)) {
		source.WithItems(corev1ac.KeyToPath().WithKey(key).WithPath(m.files[key]))
	}
	return corev1ac.Volume().WithName(m.name).WithSecret(source)
}
