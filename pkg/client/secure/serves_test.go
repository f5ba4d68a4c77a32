// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/secure"
)

func TestWhatClientsWouldRefuseIsToldBeforehand(t *testing.T) {
	const host = "orders-gateway.shop.svc"
	authority, other := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		certificate pki.Certificate
		ca          []byte
		says        string // empty where they accept
	}{
		"good":                {pki.Certificate{Hosts: []string{host}}, authority.PEM(), ""},
		"of whom nobody asks": {pki.Certificate{Hosts: []string{host}}, nil, ""},
		"for all names there": {pki.Certificate{Hosts: []string{"*.shop.svc"}}, authority.PEM(), ""},
		"for another name": {
			pki.Certificate{Hosts: []string{"shop.example"}}, authority.PEM(), "is for shop.example, and not for " + host,
		},
		"for no name":        {pki.Certificate{Name: host}, authority.PEM(), "is for no name at all, and not for " + host},
		"expired":            {pki.Certificate{Hosts: []string{host}, Expired: true}, authority.PEM(), "expired at "},
		"early":              {pki.Certificate{Hosts: []string{host}, Early: true}, authority.PEM(), "not valid before "},
		"of somebody else":   {pki.Certificate{Hosts: []string{host}}, other.PEM(), "nobody in the CA has signed"},
		"of a CA of rubbish": {pki.Certificate{Hosts: []string{host}}, []byte("rubbish"), "the CA holds no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			pair, err := authority.Issue(c.certificate)
			if err != nil {
				t.Fatal(err)
			}
			material := secure.Material{CA: c.ca, Certificate: pair.Certificate, Key: pair.Key}
			err = material.Serves(host, time.Now())
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	if err := (secure.Material{}).Serves(host, time.Now()); err == nil {
		t.Error("no certificate is good for nobody")
	}
}

func newAuthority(t *testing.T) *pki.Authority {
	t.Helper()
	authority, err := pki.NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	return authority
}
