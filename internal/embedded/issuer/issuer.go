// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package issuer makes tokens of ServiceAccounts as Kubernetes does, and serves the key that they are signed with.
package issuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	// Name is the issuer's own, which its tokens carry.
	Name  = "https://kubernetes.default.svc"
	keyID = "embedded"
)

// Issuer is a running one.
type Issuer struct {
	server *httptest.Server
	key    *ecdsa.PrivateKey
}

// Start makes a key and serves it. Close ends that.
func Start() (*Issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: key.Public(), KeyID: keyID, Algorithm: string(jose.ES256), Use: "sig"},
	}})
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	serve := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(keys) // who does not listen any more needs none
	}
	return &Issuer{server: httptest.NewServer(http.HandlerFunc(serve)), key: key}, nil
}

// URL is where the key is.
func (i *Issuer) URL() string { return i.server.URL }

// Close ends the server.
func (i *Issuer) Close() { i.server.Close() }

// Token is one of an account for an audience, good for so long from now; one that is good for less than nothing has
// expired.
func (i *Issuer) Token(namespace, account, audience string, life time.Duration) (string, error) {
	options := (&jose.SignerOptions{}).WithHeader("kid", keyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, options)
	if err != nil {
		return "", fmt.Errorf("issuer: %w", err)
	}
	now := time.Now()
	token, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: Name, Subject: "system:serviceaccount:" + namespace + ":" + account, Audience: jwt.Audience{audience},
		NotBefore: jwt.NewNumericDate(now.Add(-time.Hour)), Expiry: jwt.NewNumericDate(now.Add(life)),
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("issuer: %w", err)
	}
	return token, nil
}
