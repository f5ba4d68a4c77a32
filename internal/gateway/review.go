// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authclient "k8s.io/client-go/kubernetes/typed/authentication/v1"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
)

// review asks Kubernetes whose a token is.
type review struct {
	api      authclient.TokenReviewInterface
	audience string
	logger   *slog.Logger

	mu      sync.Mutex
	trouble string
}

func newReview(api authclient.TokenReviewInterface, audience string, logger *slog.Logger) *review {
	return &review{api: api, audience: audience, logger: logger}
}

// VerifyToken implements caller.TokenVerifier.
func (r *review) VerifyToken(ctx context.Context, token string) (caller.Verdict, error) {
	asked := &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{r.audience}},
	}
	answer, err := r.api.Create(ctx, asked, metav1.CreateOptions{})
	r.note(err)
	if err != nil {
		return caller.Verdict{}, &caller.Refusal{
			Cause: caller.ErrUnavailable, Reason: "Kubernetes cannot be asked about the token; come back in a moment",
		}
	}
	status := answer.Status
	if !status.Authenticated || status.User.Username == "" {
		return caller.Verdict{}, caller.InvalidToken("Kubernetes does not accept the token for audience " +
			strconv.QuoteToASCII(r.audience) + ": it has expired, is for another audience, or its account is gone")
	}
	// A server that knows no audiences would let in whoever has a token for something else.
	if !slices.Contains(status.Audiences, r.audience) {
		return caller.Verdict{}, caller.InvalidToken("the token is for another audience; get one for " +
			strconv.QuoteToASCII(r.audience))
	}
	return caller.Verdict{Caller: caller.Named(status.User.Username), Expires: caller.ExpiryOf(token)}, nil
}

// note logs when Kubernetes begins not to answer, and when it does again.
func (r *review) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil && r.trouble == "":
		r.logger.Error("Kubernetes cannot be asked about tokens; known callers get in for five minutes more", "error", err)
		r.trouble = err.Error()
	case err == nil && r.trouble != "":
		r.logger.Info("Kubernetes answers about tokens again")
		r.trouble = ""
	}
}
