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

// Who takes over a key relies on it that what was begun before is not repeated for ever. It is said after the change,
// for what is handed over meanwhile, and with the next look for what was let in before.
func TestDoubtsAreGivenUpWhenTheReplicasChange(t *testing.T) {
	one, two := []string{"10.0.0.1"}, []string{"10.0.0.1", "10.0.0.2"}
	members := [][]string{one, one, one, two, two, nil}
	shares := window.NewShares(window.SharesConfig{Self: "10.0.0.1:8080", Hold: time.Second})
	var given []int
	look := 0
	p := &peers{
		names: []string{"orders-peers:8080"}, self: "10.0.0.1:8080", logger: slog.New(slog.DiscardHandler), shares: shares,
		lookup: func(context.Context, string) ([]string, error) {
			if members[look] == nil {
				return nil, errors.New("no name server")
			}
			return members[look], nil
		},
		giveUp: func() {
			if len(shares.Members()) != len(members[look]) {
				t.Error("before the change")
			}
			given = append(given, look)
		},
	}
	for look = range members {
		if members[look] == nil {
			p.answered = time.Now().Add(-2 * lookPatience)
		}
		p.look(t.Context())
	}
	if want := []int{0, 1, 3, 4, 5}; !slices.Equal(given, want) {
		t.Errorf("got %v, want %v", given, want)
	}
}
