// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	issuer   = "https://kubernetes.default.svc"
	audience = "orders.shop.svc"
	keyID    = "one"
)

// kubernetes is an API server as far as a gateway sees: it has the keys of its tokens, and reviews them.
type kubernetes struct {
	*httptest.Server
	key *ecdsa.PrivateKey
	// accounts counts those that asked for a token.
	accounts atomic.Int64

	mu sync.Mutex
	// live are the tokens of accounts that are there, with their accounts.
	live map[string]string
}

func startKubernetes() *kubernetes {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	k := &kubernetes{key: key, live: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openid/v1/jwks", k.keys)
	mux.HandleFunc("POST /apis/authentication.k8s.io/v1/tokenreviews", k.review)
	k.Server = httptest.NewServer(mux)
	DeferCleanup(k.Close)
	return k
}

// config is the file that KUBECONFIG names.
func (k *kubernetes) config() string {
	GinkgoHelper()
	file := filepath.Join(GinkgoT().TempDir(), "config")
	Expect(os.WriteFile(file, []byte(fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: here,
contexts: [{name: here, context: {cluster: here}}], clusters: [{name: here, cluster: {server: %q}}]}`, k.URL)), 0o600)).
		To(Succeed())
	return file
}

func (k *kubernetes) keys(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{ // whoever went away asks again
		jose.JSONWebKey{Key: k.key.Public(), KeyID: keyID, Algorithm: "ES256", Use: "sig"},
	}})
}

func (k *kubernetes) review(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what does not come is no review
	decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	review, ok := decoded.(*authenticationv1.TokenReview)
	if err != nil || !ok {
		http.Error(w, fmt.Sprintf("no review: %v", err), http.StatusBadRequest)
		return
	}
	review.TypeMeta = metav1.TypeMeta{APIVersion: "authentication.k8s.io/v1", Kind: "TokenReview"}
	k.mu.Lock()
	defer k.mu.Unlock()
	if name, ok := k.live[review.Spec.Token]; ok {
		review.Status = authenticationv1.TokenReviewStatus{
			Authenticated: true, Audiences: review.Spec.Audiences, User: authenticationv1.UserInfo{Username: name},
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review) // as above
}

// delete deletes the account of a token.
func (k *kubernetes) delete(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.live, token)
}

// newcomer is a token of an account of a namespace that nobody has seen before, so that its limits are unused.
func (k *kubernetes) newcomer(namespace string) string {
	GinkgoHelper()
	return k.token(namespace, audience, time.Hour)
}

func (k *kubernetes) token(namespace, audience string, validFor time.Duration) string {
	GinkgoHelper()
	name := fmt.Sprintf("system:serviceaccount:%s:account-%d", namespace, k.accounts.Add(1))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k.key},
		(&jose.SignerOptions{}).WithHeader("kid", keyID))
	Expect(err).NotTo(HaveOccurred())
	now := time.Now()
	token, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: issuer, Subject: name, Audience: jwt.Audience{audience},
		NotBefore: jwt.NewNumericDate(now.Add(-2 * time.Hour)), Expiry: jwt.NewNumericDate(now.Add(validFor)),
	}).Serialize()
	Expect(err).NotTo(HaveOccurred())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.live[token] = name
	return token
}

// forged is a token whose signature is another's.
func (k *kubernetes) forged() string {
	GinkgoHelper()
	claims, other := k.newcomer("shop"), k.newcomer("elsewhere")
	return claims[:strings.LastIndexByte(claims, '.')] + other[strings.LastIndexByte(other, '.'):]
}
