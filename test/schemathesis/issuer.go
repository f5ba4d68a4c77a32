// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	issuerName = "https://kubernetes.default.svc"
	audience   = "orders.shop.svc"
	account    = "system:serviceaccount:shop:billing"
	keyID      = "schemathesis"
)

// issuer makes tokens as Kubernetes does, and serves the key that they are signed with.
type issuer struct {
	*httptest.Server

	key *ecdsa.PrivateKey
}

func startIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: key.Public(), KeyID: keyID, Algorithm: string(jose.ES256), Use: "sig"},
	}})
	if err != nil {
		return nil, err
	}
	serve := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(keys) }
	return &issuer{httptest.NewServer(http.HandlerFunc(serve)), key}, nil
}

func (i *issuer) token() (string, error) {
	options := (&jose.SignerOptions{}).WithHeader("kid", keyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, options)
	if err != nil {
		return "", err
	}
	now := time.Now()
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: issuerName, Subject: account, Audience: jwt.Audience{audience},
		NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)), Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
	}).Serialize()
}
