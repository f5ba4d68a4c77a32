// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// Caller is who sends a request.
type Caller struct {
	// Name is what logs and limits know the caller by: system:serviceaccount:NAMESPACE:NAME, a user's name, or that of a
	// certificate; empty for somebody who was not asked.
	Name string
	// Namespace and ServiceAccount are set where the caller is a ServiceAccount.
	Namespace, ServiceAccount string
}

// Verifier tells who sends a request. It does not read the body.
//
// The error is one of ErrUnauthenticated, ErrForbidden and ErrUnavailable, by errors.Is, and a *Refusal, or the end of
// ctx.
type Verifier interface {
	Verify(ctx context.Context, r *http.Request) (Caller, error)
}

// Why a request is not let in.
var (
	// ErrUnauthenticated: the request proves nobody's name. Answered with 401, and a challenge (see Challenge).
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrForbidden: who it is is known, and may not publish here. 403.
	ErrForbidden = errors.New("not allowed")
	// ErrUnavailable: nobody can tell just now, because whoever knows cannot be asked. 503.
	ErrUnavailable = errors.New("callers cannot be verified")
)

// Refusal is why a request is not let in. Its text is made for the caller: it holds nothing of what was sent.
type Refusal struct {
	// Cause is one of the three.
	Cause error
	// Reason is what is wrong, and what to do.
	Reason string
	// Challenge is the value of WWW-Authenticate that belongs to ErrUnauthenticated (RFC 9110, 11.6.1).
	Challenge string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Cause.Error() + ": " + r.Reason }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Challenge is the value of WWW-Authenticate for an error of a Verifier; empty where it has none.
func Challenge(err error) string {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal.Challenge
	}
	return ""
}

func forbidden(reason string) error   { return &Refusal{Cause: ErrForbidden, Reason: reason} }
func unavailable(reason string) error { return &Refusal{Cause: ErrUnavailable, Reason: reason} }

// Anonymous asks nobody for a name.
func Anonymous() Verifier { return anonymous{} }

type anonymous struct{}

func (anonymous) Verify(context.Context, *http.Request) (Caller, error) { return Caller{}, nil }

// accountPrefix begins the name of a ServiceAccount in Kubernetes.
const accountPrefix = "system:serviceaccount:"

// Named is the caller of a name, which may be that of a ServiceAccount: system:serviceaccount:NAMESPACE:NAME.
func Named(name string) Caller {
	c := Caller{Name: name}
	if account, ok := strings.CutPrefix(name, accountPrefix); ok {
		if namespace, account, ok := strings.Cut(account, ":"); ok {
			c.Namespace, c.ServiceAccount = namespace, account
		}
	}
	return c
}
