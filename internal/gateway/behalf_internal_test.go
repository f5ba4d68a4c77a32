// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
)

// known is a verifier that knows one caller, or nobody.
type known struct{ name string }

func (k known) Verify(context.Context, *http.Request) (caller.Caller, error) {
	if k.name == "" {
		return caller.Caller{}, caller.ErrUnauthenticated
	}
	return caller.Named(k.name), nil
}

func TestAReplicaSpeaksForTheCaller(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	key := func(name string) func() ([]byte, error) {
		return func() ([]byte, error) { return []byte("the key " + name), nil }
	}
	clock := func() time.Time { return now }
	const name = "spiffe://cluster/ns/shop.x/sa/billing"
	first := &behalf{Verifier: known{name}, key: key("ours"), now: clock}
	second := &behalf{Verifier: known{}, key: key("ours"), now: clock}
	stranger := &behalf{Verifier: known{name}, key: key("theirs"), now: clock}
	sent := func(by *behalf) *http.Request {
		out := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
		out.Header.Set(window.KeyHeader, "k")
		by.prepare(out.Clone(t.Context()), out)
		return out
	}
	if who, err := second.Verify(t.Context(), sent(first)); err != nil || who.Name != name {
		t.Errorf("%+v, %v", who, err)
	}
	// Whoever has another key, and sends a request on, may be right: this is no verdict on the caller.
	forwarded := sent(stranger)
	forwarded.Header.Set(window.ForwardedHeader, "10.0.0.1:8080")
	if who, err := second.Verify(t.Context(), forwarded); !errors.Is(err, caller.ErrUnavailable) {
		t.Errorf("%+v, %v", who, err)
	}
	for what, change := range map[string]func(r *http.Request){
		"another key":  func(r *http.Request) { r.Header.Set(window.KeyHeader, "other") },
		"another name": func(r *http.Request) { r.Header.Set(behalfHeader, "x"+r.Header.Get(behalfHeader)) },
		"no signature": func(r *http.Request) { r.Header.Set(behalfHeader, "billing") },
		"a stranger's": func(r *http.Request) { *r = *sent(stranger) },
		"an old one":   func(*http.Request) { now = now.Add(behalfValid + time.Second) },
	} {
		request, before := sent(first), now
		change(request)
		if who, err := second.Verify(t.Context(), request); err == nil {
			t.Errorf("%s: %+v", what, who)
		}
		now = before
	}
	if got := sent(second).Header.Get(behalfHeader); got != "" {
		t.Errorf("it speaks for nobody: %s", got)
	}
}
