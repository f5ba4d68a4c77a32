// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Verdict is whose a token is.
type Verdict struct {
	Caller Caller
	// Expires is when the token does; zero where nobody says.
	Expires time.Time
}

// TokenVerifier tells whose a token is. Its errors are those of a Verifier.
type TokenVerifier interface {
	VerifyToken(ctx context.Context, token string) (Verdict, error)
}

// maxToken bounds what is looked at: tokens of Kubernetes have about 1 KiB, and all headers of a request together are
// bounded to a few times this.
const maxToken = 16 << 10

const bearerChallenge = `Bearer realm="samsa"`

// InvalidToken is the refusal of a token that does not prove anything. The reason is told to whoever sent it.
func InvalidToken(reason string) error {
	return &Refusal{Cause: ErrUnauthenticated, Reason: reason, Challenge: bearerChallenge + `, error="invalid_token"`}
}

// Bearer verifies the token of "Authorization: Bearer TOKEN" (RFC 6750).
func Bearer(tokens TokenVerifier) Verifier { return bearer{tokens} }

type bearer struct{ tokens TokenVerifier }

// Verify implements Verifier.
func (b bearer) Verify(ctx context.Context, r *http.Request) (Caller, error) {
	token, ok := authorization(r, "Bearer")
	switch {
	case !ok:
		return Caller{}, &Refusal{
			Cause: ErrUnauthenticated, Reason: "send a token, as `Authorization: Bearer TOKEN`", Challenge: bearerChallenge,
		}
	case len(token) > maxToken:
		return Caller{}, InvalidToken("the token is longer than 16 KiB")
	}
	verdict, err := b.tokens.VerifyToken(ctx, token)
	return verdict.Caller, err
}

// authorization gives what stands behind the scheme in the request's one Authorization header. Of two headers nobody
// knows which one a proxy before this has looked at.
func authorization(r *http.Request, scheme string) (string, bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	given, credentials, _ := strings.Cut(values[0], " ")
	credentials = strings.TrimSpace(credentials)
	return credentials, strings.EqualFold(given, scheme) && credentials != ""
}
