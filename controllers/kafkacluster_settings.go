// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// kafkaClusterFault is something that a user has to mend before a connection can be tried: a reason and what to do.
type kafkaClusterFault struct{ reason, message string }

// Error implements error.
func (f *kafkaClusterFault) Error() string { return f.message }

func secretInvalid(format string, args ...any) error {
	return &kafkaClusterFault{v1alpha1.ReasonSecretInvalid, fmt.Sprintf(format, args...)}
}

// configurationInvalid is what a user has to mend in the spec; nil if there is nothing.
func configurationInvalid(spec *v1alpha1.KafkaClusterSpec, err error) *kafkaClusterFault {
	if err == nil {
		return nil
	}
	return &kafkaClusterFault{v1alpha1.ReasonConfigurationInvalid, err.Error() + "; correct " + addressFields(spec)}
}

// addressFields are the fields that say where the cluster is.
func addressFields(spec *v1alpha1.KafkaClusterSpec) string {
	switch {
	case len(spec.BootstrapServers) == 0:
		return "spec.zookeeper"
	case spec.ZooKeeper.Connect == "":
		return "spec.bootstrapServers"
	}
	return "spec.bootstrapServers or spec.zookeeper"
}

// readSettings turns the spec and the Secrets that it names into settings. What a user has to mend is no error here: it
// is shown, and looked at again soon.
func (r *KafkaClusterReconciler) readSettings(ctx context.Context, scope *kafkaClusterScope) (ctrl.Result, error) {
	reader := secretReader{reader: r.secrets, namespace: scope.key.Namespace}
	settings, err := reader.settings(ctx, &scope.cluster.Spec)
	if fault := (*kafkaClusterFault)(nil); errors.As(err, &fault) {
		scope.fault = fault
		return ctrl.Result{RequeueAfter: r.secretsEvery}, nil
	}
	scope.settings = settings
	return ctrl.Result{}, err
}

// namesSecrets tells whether there are Secrets to be read.
func namesSecrets(spec *v1alpha1.KafkaClusterSpec) bool {
	secure := func(tls *v1alpha1.TLS) bool {
		return tls != nil && (tls.CASecretRef.Name != "" || tls.CertificateSecretRef.Name != "")
	}
	return spec.ZooKeeper.DigestSecretRef.Name != "" || secure(spec.ZooKeeper.TLS) || secure(spec.TLS) ||
		spec.SASL.Mechanism != ""
}

// secretReader reads the Secrets of one namespace.
type secretReader struct {
	reader    client.Reader
	namespace string
}

func (r secretReader) settings(
	ctx context.Context, spec *v1alpha1.KafkaClusterSpec,
) (settings connections.Settings, err error) {
	servers := make([]string, len(spec.BootstrapServers))
	for i, server := range spec.BootstrapServers {
		servers[i] = string(server)
	}
	settings.Bootstrap = strings.Join(servers, ",")
	if err := r.zookeeper(ctx, &spec.ZooKeeper, &settings); err != nil {
		return settings, err
	}
	if settings.BrokerTLS, err = r.secure(ctx, "spec.tls", spec.TLS); err != nil {
		return settings, err
	}
	settings.SASL, err = r.sasl(ctx, &spec.SASL)
	return settings, err
}

// zookeeper adds what ZooKeeper needs.
func (r secretReader) zookeeper(
	ctx context.Context, spec *v1alpha1.ZooKeeper, settings *connections.Settings,
) (err error) {
	settings.ZooKeeper = spec.Connect
	if spec.SessionTimeout != "" {
		settings.SessionTimeout, err = time.ParseDuration(string(spec.SessionTimeout))
		if err != nil {
			return &kafkaClusterFault{v1alpha1.ReasonConfigurationInvalid,
				fmt.Sprintf("spec.zookeeper.sessionTimeout %q is no duration: write it as in 10s", spec.SessionTimeout)}
		}
	}
	if ref := spec.DigestSecretRef; ref.Name != "" {
		const field = "spec.zookeeper.digestSecretRef"
		digest, err := r.line(ctx, field, ref.Name, ref.Key)
		if err != nil {
			return err
		}
		settings.Digest = strings.TrimSpace(digest)
		if user, _, ok := strings.Cut(settings.Digest, ":"); !ok || user == "" {
			return secretInvalid("Secret %s, key %s, named by %s, does not hold user:password: correct it",
				ref.Name, ref.Key, field)
		}
	}
	settings.ZooKeeperTLS, err = r.secure(ctx, "spec.zookeeper.tls", spec.TLS)
	return err
}

// secure reads what TLS needs. The field is that of spec.
func (r secretReader) secure(
	ctx context.Context, field string, spec *v1alpha1.TLS,
) (secure connections.TLS, err error) {
	if spec == nil {
		return secure, nil
	}
	secure.On, secure.ServerName = true, spec.ServerName
	if ref := spec.CASecretRef; ref.Name != "" {
		field := field + ".caSecretRef"
		if secure.CA, err = r.key(ctx, field, ref.Name, ref.Key); err != nil {
			return secure, err
		}
		if err := secure.Check(); err != nil {
			return secure, secretInvalid("Secret %s, key %s, named by %s: %v", ref.Name, ref.Key, field, err)
		}
	}
	if ref := spec.CertificateSecretRef; ref.Name != "" {
		field := field + ".certificateSecretRef"
		if secure.Certificate, err = r.key(ctx, field, ref.Name, corev1.TLSCertKey); err != nil {
			return secure, err
		}
		if secure.Key, err = r.key(ctx, field, ref.Name, corev1.TLSPrivateKeyKey); err != nil {
			return secure, err
		}
		if err := secure.Check(); err != nil {
			return secure, secretInvalid("Secret %s, named by %s: %v", ref.Name, field, err)
		}
	}
	return secure, nil
}

// sasl reads what proves to brokers who this is.
func (r secretReader) sasl(ctx context.Context, spec *v1alpha1.SASL) (sasl connections.SASL, err error) {
	sasl.Mechanism = wire.Mechanism(spec.Mechanism)
	switch spec.Mechanism {
	case "":
	case v1alpha1.SASLOAuthBearer:
		ref := spec.TokenSecretRef
		sasl.Token, err = r.line(ctx, "spec.sasl.tokenSecretRef", ref.Name, ref.Key)
	case v1alpha1.SASLPlain, v1alpha1.SASLScramSHA256, v1alpha1.SASLScramSHA512:
		const field = "spec.sasl.credentialsSecretRef"
		if sasl.User, err = r.line(ctx, field, spec.CredentialsSecretRef.Name, corev1.BasicAuthUsernameKey); err == nil {
			sasl.Password, err = r.line(ctx, field, spec.CredentialsSecretRef.Name, corev1.BasicAuthPasswordKey)
		}
	}
	return sasl, err
}

// line is key without the end of the line that editors leave behind, which workers leave out, too. What is left may not
// be empty.
func (r secretReader) line(ctx context.Context, field, name, key string) (string, error) {
	text, err := r.key(ctx, field, name, key)
	if err != nil {
		return "", err
	}
	if text = strings.TrimRight(text, "\r\n"); text == "" {
		return "", secretInvalid("Secret %s, key %s, named by %s, is blank: fill it in", name, key, field)
	}
	return text, nil
}

// key reads one key of one Secret. The field is the one that names them.
func (r secretReader) key(ctx context.Context, field, name, key string) (string, error) {
	secret, err := r.secret(ctx, field, name)
	if err != nil {
		return "", err
	}
	return valueOf(secret, field, key)
}

// secret reads a Secret whose keys belong together: read one by one, they may be of before and after a change.
func (r secretReader) secret(ctx context.Context, field, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := r.reader.Get(ctx, types.NamespacedName{Namespace: r.namespace, Name: name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, secretInvalid("Secret %s, named by %s, does not exist: create it, or correct the name", name, field)
	case apierrors.IsForbidden(err):
		return nil, secretInvalid("Secret %s, named by %s, may not be read: let the operator get Secrets in namespace %s",
			name, field, r.namespace)
	case err != nil:
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	return &secret, nil
}

func valueOf(secret *corev1.Secret, field, key string) (string, error) {
	value, there := secret.Data[key]
	if !there {
		return "", secretInvalid("Secret %s, named by %s, lacks the key %s: add it, or correct the key",
			secret.Name, field, key)
	}
	if len(value) == 0 {
		return "", secretInvalid("Secret %s, named by %s, has nothing in the key %s: fill it, or correct the key",
			secret.Name, field, key)
	}
	return string(value), nil
}
