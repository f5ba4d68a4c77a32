// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	handling "github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
)

const (
	// reviewsPerSecond bounds questions to the API server: 50 a second are 500 tokens that are in use, each asked for
	// every 10 s. A restart of everything may ask for twice that at once.
	reviewsPerSecond = 50
	reviewsAtOnce    = 100
	// apiTimeout bounds one question.
	apiTimeout = 5 * time.Second
	// ownKeys is where the API server has the keys of its tokens.
	ownKeys = "/openid/v1/jwks"
)

// verifier makes what knows the callers.
func (a *Auth) verifier(logger *slog.Logger) (caller.Verifier, error) {
	switch a.Type {
	case AuthServiceAccount:
		return a.ServiceAccount.verifier(logger)
	case AuthMTLS:
		return caller.MTLS(a.MTLS.Allow, time.Now), nil
	case AuthBasic:
		users, err := caller.NewUsers(a.Basic.UsersFile, time.Now, logger)
		if err != nil {
			return nil, fmt.Errorf("auth.basic.usersFile: %w", err)
		}
		return caller.Basic(users), nil
	case AuthNone:
	}
	return caller.Anonymous(), nil
}

// security is how the document calls that.
func (a *Auth) security() handling.Security {
	switch a.Type {
	case AuthServiceAccount:
		return handling.SecurityToken
	case AuthMTLS:
		return handling.SecurityCertificate
	case AuthBasic:
		return handling.SecurityBasic
	case AuthNone:
	}
	return handling.SecurityNone
}

func (s *ServiceAccount) verifier(logger *slog.Logger) (caller.Verifier, error) {
	tokens, err := s.tokens(logger)
	if err != nil {
		return nil, fmt.Errorf("auth.serviceAccount: %w", err)
	}
	verifier := caller.Bearer(caller.Cached(tokens, caller.CacheConfig{}))
	if len(s.Allow) == 0 {
		return verifier, nil
	}
	list := make([]caller.Account, len(s.Allow))
	for i, allowed := range s.Allow {
		list[i] = caller.Account(allowed)
	}
	return caller.Allow(verifier, list), nil
}

func (s *ServiceAccount) tokens(logger *slog.Logger) (caller.TokenVerifier, error) {
	if s.Mode == ReviewToken {
		config, err := apiServer()
		if err != nil {
			return nil, fmt.Errorf("mode TokenReview: %w", err)
		}
		config.QPS, config.Burst, config.Timeout = reviewsPerSecond, reviewsAtOnce, apiTimeout
		api, err := kubernetes.NewForConfig(config)
		if err != nil {
			return nil, fmt.Errorf("mode TokenReview: %w", err)
		}
		return newReview(api.AuthenticationV1().TokenReviews(), s.Audience, logger), nil
	}
	issuer, err := s.issuer()
	if err != nil {
		return nil, err
	}
	fetch, err := s.fetch()
	if err != nil {
		return nil, err
	}
	return caller.Tokens(caller.NewKeys(fetch, time.Now), issuer, s.Audience, time.Now), nil
}

// apiServer is the cluster's that this process is a pod of, or the one that KUBECONFIG names.
func apiServer() (*rest.Config, error) {
	if file := os.Getenv(clientcmd.RecommendedConfigPathEnvVar); file != "" {
		return clientcmd.BuildConfigFromFlags("", file)
	}
	return rest.InClusterConfig()
}

// issuer is that of this process's own token where none is given: nobody else's tokens are known in the cluster.
func (s *ServiceAccount) issuer() (string, error) {
	if s.Issuer != "" {
		return s.Issuer, nil
	}
	config, err := apiServer()
	if err != nil {
		return "", fmt.Errorf("issuer is not given, and there is no API server: %w", err)
	}
	token := []byte(config.BearerToken)
	if config.BearerTokenFile != "" {
		if token, err = os.ReadFile(config.BearerTokenFile); err != nil {
			return "", fmt.Errorf("issuer is not given, and cannot be taken from this pod's own token: %w", err)
		}
	}
	issuer, ok := caller.IssuerOf(string(token))
	if !ok {
		return "", errors.New("issuer is not given, and this pod's own token names none")
	}
	return issuer, nil
}

// fetch reads keys from where they are said to be, or from the API server.
func (s *ServiceAccount) fetch() (caller.Fetch, error) {
	if s.JWKSURL != "" {
		return caller.FetchURL(&http.Client{Timeout: apiTimeout}, s.JWKSURL), nil
	}
	config, err := apiServer()
	if err != nil {
		return nil, fmt.Errorf("mode JWKS: no jwksUrl is given, and there is no API server: %w", err)
	}
	config.Timeout = apiTimeout
	asking, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("mode JWKS: %w", err)
	}
	return caller.FetchURL(asking, config.Host+ownKeys), nil
}
