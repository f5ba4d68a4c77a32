// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/window"
)

func TestWhoTheReplicasAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards what follows
		var addresses []string
		var failure error
		answer := func(with []string, err error) {
			mu.Lock()
			defer mu.Unlock()
			addresses, failure = with, err
		}
		p := &peers{
			names: []string{"orders-peers:8080"}, self: "10.0.0.1:8080", logger: slog.New(slog.DiscardHandler),
			shares: window.NewShares(window.SharesConfig{Self: "10.0.0.1:8080", Hold: time.Second}),
			lookup: func(_ context.Context, host string) ([]string, error) {
				if host != "orders-peers" {
					t.Errorf("asked for %s", host)
				}
				mu.Lock()
				defer mu.Unlock()
				return addresses, failure
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { p.run(ctx); close(ended) }()
		are := func(after time.Duration, want ...string) {
			t.Helper()
			synctest.Wait()
			wait := time.NewTimer(after)
			<-wait.C
			synctest.Wait()
			if got := p.shares.Members(); !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", after, got, want)
			}
		}
		answer([]string{"10.0.0.2", "10.0.0.1"}, nil)
		are(lookEvery, "10.0.0.1:8080", "10.0.0.2:8080")
		answer(nil, &net.DNSError{IsNotFound: true})
		are(time.Minute, "10.0.0.1:8080", "10.0.0.2:8080") // none of them is ready
		answer(nil, errors.New("no name server"))
		are(lookPatience, "10.0.0.1:8080", "10.0.0.2:8080")
		are(lookEvery) // keys are nobody's
		answer([]string{"10.0.0.1"}, nil)
		are(lookEvery, "10.0.0.1:8080")
		cancel()
		<-ended
	})
}

// What another replica does not know yet it may still begin, and that takes as long as the producer may.
func TestHowLongKeysWait(t *testing.T) {
	config := Default()
	if got, want := config.hold(), 10*time.Second+30*time.Second; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
