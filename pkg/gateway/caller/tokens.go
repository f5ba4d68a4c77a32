// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// leeway is how far the clocks of nodes may be apart: with NTP, they are by milliseconds.
const leeway = 10 * time.Second

// algorithms are those with a public key. Those with a shared one (HS256 and so on) would take the public key for it.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// Tokens verifies JSON Web Tokens by the issuer's keys, without asking anybody about each: that an account was deleted
// is noticed when its token expires, not before. A token without an end is refused.
func Tokens(keys *Keys, issuer, audience string, now func() time.Time) TokenVerifier {
	return &tokens{keys: keys, issuer: issuer, audience: audience, now: now}
}

type tokens struct {
	keys             *Keys
	issuer, audience string
	now              func() time.Time
}

// VerifyToken implements TokenVerifier.
func (t *tokens) VerifyToken(ctx context.Context, token string) (Verdict, error) {
	if len(token) > maxToken {
		return Verdict{}, InvalidToken("the token is longer than 16 KiB")
	}
	parsed, err := jwt.ParseSigned(token, algorithms())
	if err != nil || len(parsed.Headers) != 1 {
		return Verdict{}, InvalidToken("it is no JSON Web Token that is signed with a public key's algorithm")
	}
	// Whoever names another issuer or audience, or is too late, learns of it without costing a look at keys. Nothing of
	// this counts before the signature does.
	var claims jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return Verdict{}, InvalidToken("what the token claims cannot be read")
	}
	if err := t.check(claims); err != nil {
		return Verdict{}, err
	}
	keys, err := t.keys.find(ctx, parsed.Headers[0].KeyID)
	if err != nil {
		return Verdict{}, err
	}
	for _, key := range keys {
		if parsed.Claims(key.Key) == nil {
			return Verdict{Caller: Named(claims.Subject), Expires: claims.Expiry.Time().Add(leeway)}, nil
		}
	}
	return Verdict{}, InvalidToken("the token's signature is wrong")
}

// check compares claims with what is expected.
func (t *tokens) check(claims jwt.Claims) error {
	now := t.now()
	switch {
	case claims.Issuer != t.issuer:
		return InvalidToken("the token is of another issuer")
	case !claims.Audience.Contains(t.audience):
		return InvalidToken("the token is for another audience; get one for " + quoted(t.audience))
	case claims.Expiry == nil:
		return InvalidToken("the token has no end")
	case !now.Before(claims.Expiry.Time().Add(leeway)):
		return errExpired()
	case claims.NotBefore != nil && now.Add(leeway).Before(claims.NotBefore.Time()):
		return InvalidToken("the token is not valid yet; compare the clocks")
	case claims.Subject == "":
		return InvalidToken("the token names nobody")
	}
	return nil
}

// ExpiryOf is when a JSON Web Token says that it ends, zero where it does not: for tokens that somebody else has
// verified.
func ExpiryOf(token string) time.Time {
	if claims, ok := unverified(token); ok && claims.Expiry != nil {
		return claims.Expiry.Time()
	}
	return time.Time{}
}

// IssuerOf is whom a JSON Web Token says to be of. Nothing says that this is true.
func IssuerOf(token string) (issuer string, ok bool) {
	claims, ok := unverified(strings.TrimSpace(token))
	return claims.Issuer, ok && claims.Issuer != ""
}

func unverified(token string) (claims jwt.Claims, ok bool) {
	if len(token) > maxToken {
		return claims, false
	}
	parsed, err := jwt.ParseSigned(token, algorithms())
	return claims, err == nil && parsed.UnsafeClaimsWithoutVerification(&claims) == nil
}
