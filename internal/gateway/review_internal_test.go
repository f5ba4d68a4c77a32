// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	testing2 "k8s.io/client-go/testing"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
)

func TestReview(t *testing.T) {
	const name = "system:serviceaccount:shop:billing"
	good := authenticationv1.TokenReviewStatus{
		Authenticated: true, Audiences: []string{"orders"}, User: authenticationv1.UserInfo{Username: name},
	}
	elsewhere, unaware, nobody := good, good, authenticationv1.TokenReviewStatus{Authenticated: true}
	elsewhere.Audiences = []string{"other"}
	unaware.Audiences = nil
	for what, c := range map[string]struct {
		status authenticationv1.TokenReviewStatus
		err    error
		want   error
	}{
		"good":                         {good, nil, nil},
		"deleted":                      {authenticationv1.TokenReviewStatus{Error: "gone"}, nil, caller.ErrUnauthenticated},
		"another audience":             {elsewhere, nil, caller.ErrUnauthenticated},
		"a server without audiences":   {unaware, nil, caller.ErrUnauthenticated},
		"nobody answers":               {good, errors.New("no route to host"), caller.ErrUnavailable},
		"authenticated, but as nobody": {nobody, nil, caller.ErrUnauthenticated},
	} {
		api := fake.NewClientset()
		var asked authenticationv1.TokenReviewSpec
		api.PrependReactor("create", "tokenreviews", func(action testing2.Action) (bool, runtime.Object, error) {
			created := action.(testing2.CreateAction).GetObject() //nolint:forcetypeassert // of create
			review := created.(*authenticationv1.TokenReview)     //nolint:forcetypeassert // the only resource
			asked = review.Spec
			return true, &authenticationv1.TokenReview{Status: c.status}, c.err
		})
		r := newReview(api.AuthenticationV1().TokenReviews(), "orders", slog.New(slog.DiscardHandler))
		verdict, err := r.VerifyToken(t.Context(), "secret")
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil && verdict.Caller != caller.Named(name) {
			t.Errorf("%s: %+v", what, verdict)
		}
		if asked.Token != "secret" || len(asked.Audiences) != 1 || asked.Audiences[0] != "orders" {
			t.Errorf("asked for %+v", asked)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: tells the token", what)
		}
	}
}

func TestAnOutageOfKubernetesIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	r := newReview(nil, "orders", slog.New(slog.NewTextHandler(&log, nil)))
	for _, err := range []error{nil, errors.New("down"), errors.New("still down"), nil, nil} {
		r.note(err)
	}
	if got := strings.Count(log.String(), "\n"); got != 2 {
		t.Errorf("%d lines: %s", got, log.String())
	}
}
