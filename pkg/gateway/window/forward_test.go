// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/gateway/window"
)

// replica is one that echoes what it is asked for.
type replica struct {
	name   string
	shares *window.Shares
	server *httptest.Server
	// answered are the statuses of the forwarder's own answers.
	answered chan int
}

// replicas are two that know each other, and have settled unless they are new.
func replicas(t *testing.T) (a, b *replica) {
	t.Helper()
	make1 := func() *replica {
		r := &replica{answered: make(chan int, 10)}
		server := httptest.NewUnstartedServer(nil)
		r.name = server.Listener.Addr().String()
		r.shares = window.NewShares(window.SharesConfig{Self: r.name})
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		server.Config.Handler = window.NewForwarder(window.ForwarderConfig{
			Self: r.name, Shares: r.shares, Scheme: "http", Transport: transport, Logger: slog.New(slog.DiscardHandler),
			Answered: func(status int) { r.answered <- status },
			Next: http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
				if request.Header.Get("Break") != "" {
					panic(http.ErrAbortHandler)
				}
				body, _ := io.ReadAll(request.Body)
				fmt.Fprintf(w, "%s: %s for %s by %s", r.name, body, request.Host, request.Header.Get("Authorization"))
			}),
		})
		server.Start()
		t.Cleanup(server.Close)
		r.server = server
		return r
	}
	a, b = make1(), make1()
	for _, r := range []*replica{a, b} {
		r.shares.Update([]string{a.name, b.name})
		generation, _, _ := r.shares.Unsettled()
		r.shares.Settle(generation)
	}
	return a, b
}

func keyOf(owner *replica) string {
	for i := 0; ; i++ {
		if key := fmt.Sprint(i); window.Owner(owner.shares.Members(), key) == owner.name {
			return key
		}
	}
}

// answer is what post gets.
type answer struct {
	status     int
	retryAfter string
	body       string
}

func post(t *testing.T, to *replica, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to.server.URL, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "orders.shop.svc"
	request.Header.Set("Authorization", "Bearer ann")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := to.server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("Retry-After"), string(body)}
}

func TestARequestGoesToWhoAnswersForItsKey(t *testing.T) {
	a, b := replicas(t)
	for _, to := range []*replica{a, b} {
		got := post(t, to, window.KeyHeader, keyOf(b))
		if want := b.name + ": body for orders.shop.svc by Bearer ann"; got.body != want {
			t.Errorf("%q, want %q", got.body, want)
		}
		if got := post(t, to); !strings.HasPrefix(got.body, to.name) {
			t.Errorf("without a key: %q", got.body)
		}
	}
}

func TestARequestIsRefusedWhere(t *testing.T) {
	a, b := replicas(t)
	for name, try := range map[string]struct {
		headers []string
		status  int
		outcome string
	}{
		"replicas do not agree": {
			[]string{window.KeyHeader, keyOf(b), window.ForwardedHeader, b.name}, http.StatusServiceUnavailable, "refused",
		},
		"the other breaks off": {
			[]string{window.KeyHeader, keyOf(b), "Break", "yes"}, http.StatusGatewayTimeout, "unknown",
		},
	} {
		got := post(t, a, try.headers...)
		if got.status != try.status || !strings.Contains(got.body, `"outcome":"`+try.outcome+`"`) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	key := keyOf(b)
	b.server.Close()
	got := post(t, a, window.KeyHeader, key)
	if got.status != http.StatusServiceUnavailable || got.retryAfter != "1" || !strings.Contains(got.body, "refused") {
		t.Errorf("the other is gone: %+v", got)
	}
	a.shares.Update([]string{a.name})
	if got = post(t, a, window.KeyHeader, key); got.status != http.StatusServiceUnavailable {
		t.Errorf("it takes over, but not yet: %+v", got)
	}
	generation, _, _ := a.shares.Unsettled()
	a.shares.Settle(generation)
	if got = post(t, a, window.KeyHeader, key); got.status != http.StatusOK {
		t.Errorf("it took over: %+v", got)
	}
	if told := len(a.answered); told != 4 {
		t.Errorf("four answers were its own, and it told of %d", told)
	}
}

// A connection that ends before anything was sent is no refusal to trust in: the other may have had the request.
func TestOnlyAFailedDialIsARefusal(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	a, _ := replicas(t)
	other := listener.Addr().String()
	a.shares.Update([]string{other})
	if got := post(t, a, window.KeyHeader, "k"); got.status != http.StatusGatewayTimeout {
		t.Errorf("got %+v", got)
	}
}
