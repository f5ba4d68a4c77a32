// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
)

const (
	issuer   = "https://kubernetes.default.svc"
	audience = "orders.shop.svc"
	billing  = "system:serviceaccount:shop:billing"
)

// issuing is an issuer of tokens.
type issuing struct {
	key     *ecdsa.PrivateKey
	id      string
	fetched atomic.Int64
	down    atomic.Bool
}

func (i *issuing) rotate(id string) {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	i.key, i.id = key, id
}

func (i *issuing) fetch(context.Context) ([]byte, error) {
	i.fetched.Add(1)
	if i.down.Load() {
		return nil, errors.New("no route to host")
	}
	return json.Marshal(map[string]any{"keys": []any{
		map[string]string{"kty": "FUTURE", "kid": "beyond us"},
		jose.JSONWebKey{Key: i.key.Public(), KeyID: i.id, Algorithm: "ES256", Use: "sig"},
	}})
}

func (i *issuing) sign(claims jwt.Claims) string {
	GinkgoHelper()
	options := (&jose.SignerOptions{}).WithHeader("kid", i.id)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, options)
	Expect(err).NotTo(HaveOccurred())
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	Expect(err).NotTo(HaveOccurred())
	return token
}

var _ = Describe("Tokens", func() {
	var (
		time0    *clock
		issuer0  *issuing
		verifier caller.TokenVerifier
	)
	claims := func() jwt.Claims {
		return jwt.Claims{
			Issuer: issuer, Subject: billing, Audience: jwt.Audience{"another", audience},
			Expiry: jwt.NewNumericDate(time0.now().Add(time.Hour)), NotBefore: jwt.NewNumericDate(time0.now()),
		}
	}
	BeforeEach(func() {
		time0, issuer0 = newClock(), new(issuing)
		issuer0.rotate("first")
		verifier = caller.Tokens(caller.NewKeys(issuer0.fetch, time0.now), issuer, audience, time0.now)
	})

	It("knows the ServiceAccount of a good one, and reads the keys once", func(ctx SpecContext) {
		for range 10 {
			verdict, err := verifier.VerifyToken(ctx, issuer0.sign(claims()))
			Expect(err).NotTo(HaveOccurred())
			Expect(verdict.Caller).To(Equal(caller.Caller{Name: billing, Namespace: "shop", ServiceAccount: "billing"}))
		}
		Expect(issuer0.fetched.Load()).To(Equal(int64(1)))
	})

	DescribeTable("refuses", func(ctx SpecContext, change func(*jwt.Claims), reason string) {
		wrong := claims()
		change(&wrong)
		_, err := verifier.VerifyToken(ctx, issuer0.sign(wrong))
		Expect(err).To(MatchError(caller.ErrUnauthenticated))
		Expect(err).To(MatchError(ContainSubstring(reason)))
		Expect(caller.Challenge(err)).To(ContainSubstring(`error="invalid_token"`))
	},
		Entry("another audience", func(c *jwt.Claims) { c.Audience = jwt.Audience{"another"} }, "another audience"),
		Entry("no audience", func(c *jwt.Claims) { c.Audience = nil }, "another audience"),
		Entry("another issuer", func(c *jwt.Claims) { c.Issuer = "https://evil" }, "another issuer"),
		Entry("an expired one", func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(time0.now().Add(-time.Minute)) },
			"expired"),
		Entry("one of the future", func(c *jwt.Claims) { c.NotBefore = jwt.NewNumericDate(time0.now().Add(time.Minute)) },
			"not valid yet"),
		Entry("one without an end", func(c *jwt.Claims) { c.Expiry = nil }, "no end"),
		Entry("one of nobody", func(c *jwt.Claims) { c.Subject = "" }, "nobody"),
	)

	It("refuses what is signed with another key, with a shared one, or not at all", func(ctx SpecContext) {
		good := issuer0.sign(claims())
		_, err := verifier.VerifyToken(ctx, good)
		Expect(err).NotTo(HaveOccurred())
		impostor := new(issuing)
		impostor.rotate("first")
		shared, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}, nil)
		Expect(err).NotTo(HaveOccurred())
		symmetric, err := jwt.Signed(shared).Claims(claims()).Serialize()
		Expect(err).NotTo(HaveOccurred())
		parts := strings.Split(good, ".")
		for _, token := range []string{
			impostor.sign(claims()), symmetric, "eyJhbGciOiJub25lIn0." + parts[1] + ".", parts[0] + "." + parts[1] + ".",
			"", ".", "..", "garbage", strings.Repeat("a", 20<<10),
		} {
			_, err := verifier.VerifyToken(ctx, token)
			Expect(err).To(MatchError(caller.ErrUnauthenticated), "%.60s", token)
		}
	})

	It("follows a rotation, and lets nobody make it read keys often", func(ctx SpecContext) {
		_, err := verifier.VerifyToken(ctx, issuer0.sign(claims()))
		Expect(err).NotTo(HaveOccurred())
		issuer0.rotate("second")
		for range 20 {
			_, err = verifier.VerifyToken(ctx, issuer0.sign(claims()))
			Expect(err).To(MatchError(caller.ErrUnauthenticated))
		}
		Expect(issuer0.fetched.Load()).To(Equal(int64(1)), "10 s have not passed")
		time0.add(11 * time.Second)
		_, err = verifier.VerifyToken(ctx, issuer0.sign(claims()))
		Expect(err).NotTo(HaveOccurred())
		Expect(issuer0.fetched.Load()).To(Equal(int64(2)))
	})

	It("goes on for an hour with the keys it has, and forgets one that was withdrawn after 5 minutes",
		func(ctx SpecContext) {
			_, err := verifier.VerifyToken(ctx, issuer0.sign(claims()))
			Expect(err).NotTo(HaveOccurred())
			issuer0.down.Store(true)
			time0.add(59 * time.Minute)
			_, err = verifier.VerifyToken(ctx, issuer0.sign(claims()))
			Expect(err).NotTo(HaveOccurred())
			time0.add(2 * time.Minute)
			_, err = verifier.VerifyToken(ctx, issuer0.sign(claims()))
			Expect(err).To(MatchError(caller.ErrUnavailable))

			issuer0.down.Store(false)
			time0.add(time.Minute)
			withdrawn := issuer0.sign(claims())
			_, err = verifier.VerifyToken(ctx, withdrawn)
			Expect(err).NotTo(HaveOccurred())
			issuer0.rotate("second")
			time0.add(5 * time.Minute)
			_, err = verifier.VerifyToken(ctx, withdrawn)
			Expect(err).To(MatchError(caller.ErrUnauthenticated))
		})

	It("says that nobody can tell where the keys were never read", func(ctx SpecContext) {
		issuer0.down.Store(true)
		_, err := verifier.VerifyToken(ctx, issuer0.sign(claims()))
		Expect(err).To(MatchError(caller.ErrUnavailable))
	})

	It("is asked for what stands behind Bearer, in one header", func(ctx SpecContext) {
		bearer := caller.Bearer(verifier)
		token := issuer0.sign(claims())
		got, err := bearer.Verify(ctx, with("Authorization", "bearer "+token))
		Expect(err).NotTo(HaveOccurred())
		Expect(got.ServiceAccount).To(Equal("billing"))
		for _, request := range []*http.Request{
			with(), with("Authorization", "Basic "+token), with("Authorization", "Bearer"),
			with("Authorization", "Bearer "+token, "Authorization", "Bearer "+token),
		} {
			_, err = bearer.Verify(ctx, request)
			Expect(err).To(MatchError(caller.ErrUnauthenticated))
			Expect(caller.Challenge(err)).To(HavePrefix("Bearer "))
		}
	})
})

var _ = Describe("FetchURL", func() {
	DescribeTable("bounds what it reads", func(ctx SpecContext, answer http.HandlerFunc, want string) {
		server := httptest.NewServer(answer)
		defer server.Close()
		client := server.Client()
		defer client.CloseIdleConnections()
		_, err := caller.FetchURL(client, server.URL)(ctx)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
		Entry("an error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "403"),
		Entry("too much", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 300<<10))
		}, "more than"),
	)
})
