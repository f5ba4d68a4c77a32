// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/pkg/client/secure"
)

// What gateways read from Secrets is checked as they do it themselves: one that starts would end of what is wrong, and
// one that runs goes on with what it had, and says so in its log alone.

// requireKey checks what a Secret has in the key that a field names, if it names any.
func (r secretReader) requireKey(
	ctx context.Context, field string, ref v1alpha1.SecretKeyReference, check func([]byte) error,
) error {
	if ref.Name == "" {
		return nil
	}
	text, err := r.key(ctx, field, ref.Name, ref.Key)
	if err != nil {
		return err
	}
	if err := check([]byte(text)); err != nil {
		return secretInvalid("Secret %s, key %s, named by %s: %v", ref.Name, ref.Key, field, err)
	}
	return nil
}

func checkAuthority(text []byte) error { return secure.Material{CA: text}.Check() }

// requirePair checks the certificate that gateways show and its key. The authority that signed it need not be there:
// then it is known to everybody.
func (r secretReader) requirePair(ctx context.Context, field, name string) (pair secure.Material, err error) {
	secret, err := r.secret(ctx, field, name)
	if err != nil {
		return secure.Material{}, err
	}
	for _, key := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if _, err := valueOf(secret, field, key); err != nil {
			return secure.Material{}, err
		}
	}
	pair = secure.Material{Certificate: secret.Data[corev1.TLSCertKey], Key: secret.Data[corev1.TLSPrivateKeyKey]}
	if err := pair.Check(); err != nil {
		return secure.Material{}, secretInvalid("Secret %s, named by %s: %v", name, field, err)
	}
	pair.CA = secret.Data[corev1.ServiceAccountRootCAKey]
	if err := checkAuthority(pair.CA); err != nil {
		return secure.Material{}, secretInvalid("Secret %s, key %s, named by %s: %v",
			name, corev1.ServiceAccountRootCAKey, field, err)
	}
	return pair, nil
}
