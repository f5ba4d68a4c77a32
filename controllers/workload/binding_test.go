// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// What the API takes the worker takes: all of these would be an error otherwise.
func TestWorkersAreToldOfTheirBinding(t *testing.T) {
	const token = `{"name":"producer-binding","projected":{"sources":[{"serviceAccountToken":{` +
		`"audience":"kafka.samsa.dev/producerbinding/shop/orders","expirationSeconds":3600,"path":"token"}}`
	const authority = `{"secret":{"name":"orders-binding","items":[{"key":"certificates","path":"ca.crt"}]}}`
	secure := func(b *v1alpha1.ProducerBinding) {
		b.Spec.HTTP.TLS.SecretRef.Name = "tls"
		b.Status.Address.CACerts = "certificates"
	}
	for name, test := range map[string]struct {
		change func(*v1alpha1.ProducerBinding)
		says   []string
		never  []string
	}{
		"and have a token for it": {
			change: func(*v1alpha1.ProducerBinding) {},
			says: []string{"producerBinding:", "url: http://orders-gateway.shop.svc:8080", "scope: prod",
				"tokenFile: ../secrets/producer-binding/token", token + "]}}", `"mountPath":"/etc/samsa/secrets/producer-binding"`},
			never: []string{"producer-binding/ca.crt"},
		},
		"and know whom to trust": {
			change: secure,
			says: []string{"url: https://orders-gateway.shop.svc:8080", "caFile: ../secrets/producer-binding/ca.crt",
				token + "," + authority},
		},
		"and need no token for those that ask for none": {
			change: func(b *v1alpha1.ProducerBinding) { secure(b); b.Spec.HTTP.Auth.Type = v1alpha1.AuthNone },
			says:   []string{"producer-binding/ca.crt", `"sources":[` + authority},
			never:  []string{"tokenFile", "serviceAccountToken"},
		},
		"and need nothing for those that ask for nothing": {
			change: func(b *v1alpha1.ProducerBinding) { b.Spec.HTTP.Auth.Type = v1alpha1.AuthNone },
			says:   []string{"url: http:"}, never: []string{"tokenFile", "producer-binding"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			group, cluster := brokers()
			b := binding()
			test.change(b)
			group.Spec.Sink = v1alpha1.Sink{ProducerBinding: v1alpha1.ProducerBindingSink{Name: b.Name}}
			to := resolved(cluster)
			to.Binding = b
			children, err := workload.Of(group, to, options)
			if err != nil {
				t.Fatal(err)
			}
			template, err := json.Marshal(children.StatefulSet.Spec.Template)
			if err != nil {
				t.Fatal(err)
			}
			all := children.ConfigMap.Data["worker.yaml"] + string(template)
			for _, text := range test.says {
				if !strings.Contains(all, text) {
					t.Errorf("lacks %q:\n%s", text, all)
				}
			}
			for _, text := range test.never {
				if strings.Contains(all, text) {
					t.Errorf("has %q:\n%s", text, all)
				}
			}
		})
	}
}

func TestAllows(t *testing.T) {
	allow := func(list ...v1alpha1.AllowedAccount) *v1alpha1.ProducerBinding {
		b := binding()
		b.Spec.HTTP.Auth.ServiceAccount.Allow = list
		return b
	}
	for _, c := range []struct {
		binding            *v1alpha1.ProducerBinding
		namespace, account string
		want               bool
	}{
		{allow(), "shop", "default", true},
		{allow(), "other", "default", false},
		{allow(v1alpha1.AllowedAccount{Namespace: "other"}), "shop", "default", false},
		{allow(v1alpha1.AllowedAccount{Namespace: "other"}), "other", "default", true},
		{allow(v1alpha1.AllowedAccount{Namespace: "shop", ServiceAccount: "billing"}), "shop", "default", false},
		{allow(v1alpha1.AllowedAccount{Namespace: "shop", ServiceAccount: "billing"}), "shop", "billing", true},
	} {
		if got := workload.Allows(c.binding, c.namespace, c.account); got != c.want {
			t.Errorf("%v: %s/%s: got %t", c.binding.Spec.HTTP.Auth.ServiceAccount.Allow, c.namespace, c.account, got)
		}
	}
}
