// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"net/http"
	"slices"
	"strconv"
)

// Account is a ServiceAccount that may publish, or all of a namespace where it has no name.
type Account struct{ Namespace, ServiceAccount string }

// Allow lets those callers in that verifier knows, and the list has. An empty list has nobody.
func Allow(verifier Verifier, list []Account) Verifier {
	return &allow{verifier: verifier, list: slices.Clone(list)}
}

type allow struct {
	verifier Verifier
	list     []Account
}

// Verify implements Verifier.
func (a *allow) Verify(ctx context.Context, r *http.Request) (Caller, error) {
	c, err := a.verifier.Verify(ctx, r)
	if err != nil {
		return Caller{}, err
	}
	if slices.ContainsFunc(a.list, c.is) {
		return c, nil
	}
	return Caller{}, forbidden(quoted(c.Name) + " is not among those who may publish here")
}

func (c Caller) is(a Account) bool {
	return c.Namespace != "" && c.Namespace == a.Namespace &&
		(a.ServiceAccount == "" || a.ServiceAccount == c.ServiceAccount)
}

// quoted is a name in a text: those of others may hold anything.
func quoted(name string) string { return strconv.QuoteToASCII(name) }
