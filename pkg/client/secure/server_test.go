// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure_test

import (
	"testing"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/secure"
)

func TestAServersCertificateIsThatOfTheMoment(t *testing.T) {
	authority, err := pki.NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	material := secure.Material{}
	source := func() (secure.Material, error) { return material, nil }
	if _, err := secure.Server(source); err == nil {
		t.Error("a server without a certificate")
	}
	for _, name := range []string{"old", "new"} {
		pair, err := authority.Issue(pki.Certificate{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		material = secure.Material{Certificate: pair.Certificate, Key: pair.Key, CA: authority.PEM()}
		config, err := secure.Server(source, "h2")
		if err != nil {
			t.Fatal(err)
		}
		one, err := config.GetConfigForClient(nil)
		if err != nil || one.Certificates[0].Leaf.Subject.CommonName != name || one.ClientCAs == nil ||
			one.NextProtos[0] != "h2" {
			t.Errorf("%s: %+v, %v", name, one, err)
		}
	}
	material.Key = nil
	if _, err := secure.Server(source); err == nil {
		t.Error("a server without its key")
	}
}
