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
)

// kafkaClusterFault is something that a user has to mend before a connection can be tried: a reason and what to do.
type kafkaClusterFault struct{ reason, message string }

// Error implements error.
func (f *kafkaClusterFault) Error() string { return f.message }

func secretInvalid(format string, args ...any) error {
	return &kafkaClusterFault{v1alpha1.ReasonSecretInvalid, fmt.Sprintf(format, args...)}
}

// configurationInvalid is what a user has to mend in the spec; nil if there is nothing.
func configurationInvalid(err error) *kafkaClusterFault {
	if err == nil {
		return nil
	}
	return &kafkaClusterFault{v1alpha1.ReasonConfigurationInvalid, err.Error() + "; correct spec.zookeeper"}
}

// readSettings turns the spec and the Secrets that it names into settings. What a user has to mend is no error here: it
// is shown, and looked at again soon.
func (r *KafkaClusterReconciler) readSettings(ctx context.Context, scope *kafkaClusterScope) (ctrl.Result, error) {
	reader := secretReader{reader: r.secrets, namespace: scope.key.Namespace}
	settings, err := reader.settings(ctx, scope.cluster.Spec.ZooKeeper)
	if fault := (*kafkaClusterFault)(nil); errors.As(err, &fault) {
		scope.fault = fault
		return ctrl.Result{RequeueAfter: r.secretsEvery}, nil
	}
	scope.settings = settings
	return ctrl.Result{}, err
}

// namesSecrets tells whether there are Secrets to be read.
func namesSecrets(spec v1alpha1.ZooKeeper) bool {
	return spec.DigestSecretRef.Name != "" ||
		spec.TLS != nil && (spec.TLS.CASecretRef.Name != "" || spec.TLS.CertificateSecretRef.Name != "")
}

// secretReader reads the Secrets of one namespace.
type secretReader struct {
	reader    client.Reader
	namespace string
}

func (r secretReader) settings(ctx context.Context, spec v1alpha1.ZooKeeper) (connections.Settings, error) {
	settings := connections.Settings{ZooKeeper: spec.Connect}
	if spec.SessionTimeout != "" {
		timeout, err := time.ParseDuration(string(spec.SessionTimeout))
		if err != nil {
			return settings, &kafkaClusterFault{v1alpha1.ReasonConfigurationInvalid,
				fmt.Sprintf("spec.zookeeper.sessionTimeout %q is no duration: write it as in 10s", spec.SessionTimeout)}
		}
		settings.SessionTimeout = timeout
	}
	if ref := spec.DigestSecretRef; ref.Name != "" {
		digest, err := r.key(ctx, "spec.zookeeper.digestSecretRef", ref.Name, ref.Key)
		if err != nil {
			return settings, err
		}
		settings.Digest = strings.TrimSpace(digest)
		if user, _, ok := strings.Cut(settings.Digest, ":"); !ok || user == "" {
			return settings, secretInvalid("Secret %s, key %s, named by spec.zookeeper.digestSecretRef, does not hold "+
				"user:password: correct it", ref.Name, ref.Key)
		}
	}
	err := r.secure(ctx, spec.TLS, &settings)
	return settings, err
}

// secure adds what TLS needs.
func (r secretReader) secure(ctx context.Context, spec *v1alpha1.TLS, settings *connections.Settings) (err error) {
	if spec == nil {
		return nil
	}
	settings.TLS, settings.ServerName = true, spec.ServerName
	if ref := spec.CASecretRef; ref.Name != "" {
		const field = "spec.zookeeper.tls.caSecretRef"
		if settings.CA, err = r.key(ctx, field, ref.Name, ref.Key); err != nil {
			return err
		}
		if err := (connections.Settings{TLS: true, CA: settings.CA}).Check(); err != nil {
			return secretInvalid("Secret %s, key %s, named by %s: %v", ref.Name, ref.Key, field, err)
		}
	}
	if ref := spec.CertificateSecretRef; ref.Name != "" {
		const field = "spec.zookeeper.tls.certificateSecretRef"
		if settings.Certificate, err = r.key(ctx, field, ref.Name, corev1.TLSCertKey); err != nil {
			return err
		}
		if settings.Key, err = r.key(ctx, field, ref.Name, corev1.TLSPrivateKeyKey); err != nil {
			return err
		}
		if err := settings.Check(); err != nil {
			return secretInvalid("Secret %s, named by %s: %v", ref.Name, field, err)
		}
	}
	return nil
}

// key reads one key of one Secret. The field is the one that names them.
func (r secretReader) key(ctx context.Context, field, name, key string) (string, error) {
	var secret corev1.Secret
	err := r.reader.Get(ctx, types.NamespacedName{Namespace: r.namespace, Name: name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return "", secretInvalid("Secret %s, named by %s, does not exist: create it, or correct the name", name, field)
	case apierrors.IsForbidden(err):
		return "", secretInvalid("Secret %s, named by %s, may not be read: let the operator get Secrets in namespace %s",
			name, field, r.namespace)
	case err != nil:
		return "", fmt.Errorf("secret %s: %w", name, err)
	case len(secret.Data[key]) == 0:
		return "", secretInvalid("Secret %s, named by %s, lacks the key %s: add it, or correct the key", name, field, key)
	}
	return string(secret.Data[key]), nil
}
