// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// binding is one as the API server completes it.
func binding() *v1alpha1.ProducerBinding {
	return &v1alpha1.ProducerBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: "shop", UID: "7f8a"},
		Spec: v1alpha1.ProducerBindingSpec{
			ClusterRef: v1alpha1.ClusterReference{Name: "prod"}, Topic: "orders", Replicas: ptr.To[int32](2),
			HTTP: v1alpha1.BindingHTTP{
				Port: 8080, MaxBodyBytes: 1 << 20, RequestTimeout: "30s",
				Auth: v1alpha1.BindingAuth{Type: v1alpha1.AuthServiceAccount},
			},
			Produce: v1alpha1.Produce{
				Partitioner: v1alpha1.PartitionerKey, KeyedMessages: v1alpha1.KeyedMessagesWait, Acks: v1alpha1.AcksAll,
				Compression: v1alpha1.CompressionNone, Linger: "0s", Timeout: "30s", MaxBufferedBytes: 64 << 20,
			},
			Idempotency: v1alpha1.Idempotency{Window: "5m"},
		},
	}
}

// gatewayOf gives the configuration that gateways get, and their template.
func gatewayOf(t *testing.T, change func(*v1alpha1.ProducerBinding)) (config, template string) {
	t.Helper()
	_, cluster := brokers()
	b := binding()
	change(b)
	gateway, err := workload.OfGateway(b, cluster, v1alpha1.VerificationTokenReview, options)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(gateway.Deployment.Spec.Template)
	if err != nil {
		t.Fatal(err)
	}
	return gateway.ConfigMap.Data["gateway.yaml"], string(data)
}

// What the API takes the gateway takes: all of these would be an error otherwise.
func TestGatewayIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		change       func(*v1alpha1.ProducerBinding)
		says, mounts []string
		never        string
	}{
		"who may publish unless told otherwise": {
			change: func(*v1alpha1.ProducerBinding) {},
			says: []string{"type: ServiceAccount", "mode: TokenReview", "namespace: shop", "window: 5m0s",
				"audience: kafka.samsa.dev/producerbinding/shop/orders", "scope: shop/orders",
				"peers: orders-peers.shop.svc:8080",
				"passwordFile: ../secrets/kafka-login/password"},
			mounts: []string{`{"name":"POD_IP","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"status.podIP"}}}`,
				`"automountServiceAccountToken":true`, `"secretName":"billing-login"`},
		},
		"that keys are ignored": {
			change: func(b *v1alpha1.ProducerBinding) { b.Spec.Idempotency.Window = "0s" },
			says:   []string{"window: 0s"}, never: "peers",
		},
		"everything of producing": {
			change: func(b *v1alpha1.ProducerBinding) {
				b.Spec.Produce = v1alpha1.Produce{
					Partitioner: v1alpha1.PartitionerRoundRobin, KeyedMessages: v1alpha1.KeyedMessagesMove,
					Acks: v1alpha1.AcksNone, Compression: v1alpha1.CompressionSnappy, Linger: "5ms", Timeout: "10s",
					MaxBufferedBytes: 1 << 21,
				}
				b.Spec.Limits = v1alpha1.CallerLimits{MessagesPerSecond: 10, BytesPerSecond: 1 << 20, Concurrent: 3}
			},
			says: []string{"partitioner: round-robin", "keyedMoves: true", "acks: none", "compression: snappy", "linger: 5ms",
				"timeout: 10s", "maxBufferedBytes: 2097152", "messagesPerSecond: 10", "bytesPerSecond: 1048576", "concurrent: 3"},
			mounts: []string{`"terminationGracePeriodSeconds":90`},
		},
		"whose certificates count": {
			change: func(b *v1alpha1.ProducerBinding) {
				b.Spec.HTTP.TLS.SecretRef.Name = "gateway-tls"
				b.Spec.HTTP.Auth = v1alpha1.BindingAuth{Type: v1alpha1.AuthMTLS, MTLS: v1alpha1.MTLSAuth{
					CASecretRef: v1alpha1.SecretKeyReference{Name: "ca", Key: "bundle.pem"}, Allow: []string{"shop"},
				}}
			},
			says: []string{"type: MTLS", "caFile: ../secrets/callers-ca/ca.crt", "certFile: ../secrets/http-tls/tls.crt",
				"caFile: ../secrets/http-tls/ca.crt", "serverName: orders-gateway.shop.svc"},
			mounts: []string{`"automountServiceAccountToken":false`, `"secret":{"secretName":"gateway-tls"}`,
				`{"key":"bundle.pem","path":"ca.crt"}`},
		},
		"whose passwords count": {
			change: func(b *v1alpha1.ProducerBinding) {
				b.Spec.HTTP.Auth = v1alpha1.BindingAuth{Type: v1alpha1.AuthBasic, Basic: v1alpha1.BasicAuth{
					SecretRef: v1alpha1.SecretKeyReference{Name: "users", Key: "htpasswd"},
				}}
			},
			says: []string{"type: Basic", "usersFile: ../secrets/callers-users/users"},
		},
		"to ask nobody": {
			change: func(b *v1alpha1.ProducerBinding) { b.Spec.HTTP.Auth.Type = v1alpha1.AuthNone },
			says:   []string{"type: None"}, never: "audience",
		},
	} {
		t.Run(name, func(t *testing.T) {
			config, template := gatewayOf(t, test.change)
			for _, text := range test.says {
				if !strings.Contains(config, text) {
					t.Errorf("lacks %q:\n%s", text, config)
				}
			}
			for _, text := range test.mounts {
				if !strings.Contains(template, text) {
					t.Errorf("lacks %q:\n%s", text, template)
				}
			}
			if test.never != "" && strings.Contains(config, test.never) {
				t.Errorf("has %q:\n%s", test.never, config)
			}
		})
	}
}

func TestGatewaysAreNotReplacedForWhatIsNoneOfTheirBusiness(t *testing.T) {
	_, before := gatewayOf(t, func(*v1alpha1.ProducerBinding) {})
	for name, change := range map[string]func(*v1alpha1.ProducerBinding){
		"replicas":    func(b *v1alpha1.ProducerBinding) { b.Spec.Replicas = ptr.To[int32](7) },
		"port":        func(b *v1alpha1.ProducerBinding) { b.Spec.HTTP.Port = 80 },
		"createTopic": func(b *v1alpha1.ProducerBinding) { b.Spec.CreateTopic.Partitions = 3 },
		"subject": func(b *v1alpha1.ProducerBinding) {
			b.Spec.Subject = v1alpha1.BindingSubject{Kind: v1alpha1.SubjectDeployment, Name: "shop"}
		},
	} {
		if _, after := gatewayOf(t, change); after != before {
			t.Errorf("%s changes the template:\n%s\n%s", name, before, after)
		}
	}
}

func TestGatewayRefuses(t *testing.T) {
	_, cluster := brokers()
	b := binding()
	b.Spec.Produce.Linger = "20s" // the API server refuses this, unless its rules were changed
	_, err := workload.OfGateway(b, cluster, v1alpha1.VerificationJWKS, options)
	if invalid, ok := errors.AsType[*workload.InvalidError](err); !ok || !strings.Contains(invalid.Error(), "linger") {
		t.Errorf("got %v", err)
	}
}
