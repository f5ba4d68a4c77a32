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
}

// replicas are two that know each other, and have settled unless they are new.
func replicas(t *testing.T) (a, b *replica) {
	t.Helper()
	make1 := func() *replica {
		r := &replica{}
		server := httptest.NewUnstartedServer(nil)
		r.name = server.Listener.Addr().String()
		r.shares = window.NewShares(window.SharesConfig{Self: r.name})
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		server.Config.Handler = window.NewForwarder(window.ForwarderConfig{
			Self: r.name, Shares: r.shares, Scheme: "http", Transport: transport, Logger: slog.New(slog.DiscardHandler),
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

func post(t *testing.T, to *replica, headers ...string) (*http.Response, string) {
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
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestARequestGoesToWhoAnswersForItsKey(t *testing.T) {
	a, b := replicas(t)
	for _, to := range []*replica{a, b} {
		_, body := post(t, to, window.KeyHeader, keyOf(b))
		if want := b.name + ": body for orders.shop.svc by Bearer ann"; body != want {
			t.Errorf("%q, want %q", body, want)
		}
		if _, body := post(t, to); !strings.HasPrefix(body, to.name) {
			t.Errorf("without a key: %q", body)
		}
	}
}

func TestARequestIsRefusedWhere(t *testing.T) {
	a, b := replicas(t)
	for name, try := range map[string]struct {
		prepare func()
		headers []string
		status  int
		outcome string
	}{
		"replicas do not agree": {
			func() {}, []string{window.KeyHeader, keyOf(b), window.ForwardedHeader, b.name}, 503, "refused",
		},
		"the other breaks off": {func() {}, []string{window.KeyHeader, keyOf(b), "Break", "yes"}, 504, "unknown"},
	} {
		try.prepare()
		response, body := post(t, a, try.headers...)
		if response.StatusCode != try.status || !strings.Contains(body, `"outcome":"`+try.outcome+`"`) {
			t.Errorf("%s: %d %s", name, response.StatusCode, body)
		}
	}
	key := keyOf(b)
	b.server.Close()
	response, body := post(t, a, window.KeyHeader, key)
	if response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" || !strings.Contains(body, "refused") {
		t.Errorf("the other is gone: %d %s", response.StatusCode, body)
	}
	a.shares.Update([]string{a.name})
	if response, body = post(t, a, window.KeyHeader, key); response.StatusCode != 503 {
		t.Errorf("it takes over, but not yet: %d %s", response.StatusCode, body)
	}
	generation, _, _ := a.shares.Unsettled()
	a.shares.Settle(generation)
	if response, body = post(t, a, window.KeyHeader, key); response.StatusCode != 200 {
		t.Errorf("it took over: %d %s", response.StatusCode, body)
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
	response, body := post(t, a, window.KeyHeader, "k")
	if response.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}
