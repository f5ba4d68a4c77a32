// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/secure"
)

func TestAServersCertificateIsThatOfTheMoment(t *testing.T) {
	authority := newAuthority(t)
	material := secure.Material{}
	source := func() (secure.Material, error) { return material, nil }
	if _, err := secure.Server(source, nil); err == nil {
		t.Error("a server without a certificate")
	}
	for _, name := range []string{"old", "new"} {
		pair, err := authority.Issue(pki.Certificate{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		material = secure.Material{Certificate: pair.Certificate, Key: pair.Key, CA: authority.PEM()}
		config, err := secure.Server(source, nil, "h2")
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
	if _, err := secure.Server(source, nil); err == nil {
		t.Error("a server without its key")
	}
}

func TestAServerGoesOnWithWhatWasGoodLast(t *testing.T) {
	authority := newAuthority(t)
	issue := func(name string) secure.Material {
		pair, err := authority.Issue(pki.Certificate{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return secure.Material{Certificate: pair.Certificate, Key: pair.Key, CA: authority.PEM()}
	}
	old, renewed := issue("old"), issue("renewed")
	var (
		material = old
		unread   error
		told     []string
	)
	config, err := secure.Server(func() (secure.Material, error) { return material, unread }, func(err error) {
		told = append(told, fmt.Sprint(err))
	})
	if err != nil {
		t.Fatal(err)
	}
	shows := func(when, want string) {
		t.Helper()
		one, err := config.GetConfigForClient(nil)
		if err != nil || one.Certificates[0].Leaf.Subject.CommonName != want || one.ClientCAs == nil {
			t.Errorf("%s: %+v, %v", when, one, err)
		}
	}
	material.Key = renewed.Key
	shows("another key", "old")
	shows("still another key", "old")
	material, unread = renewed, errors.New("no such file")
	shows("no file", "old")
	unread, material.CA = nil, []byte("rubbish")
	shows("no authority", "old")
	material.Certificate, material.Key, material.CA = nil, nil, old.CA
	shows("no certificate", "old")
	material = renewed
	shows("mended", "renewed")
	shows("still good", "renewed")
	want := []string{"do not work", "no such file", "no certificate; it has to be PEM", "needs a certificate", "<nil>"}
	if len(told) != len(want) {
		t.Fatalf("told %q", told)
	}
	for i := range want {
		if !strings.Contains(told[i], want[i]) {
			t.Errorf("told %q, want %q", told[i], want[i])
		}
	}
}
