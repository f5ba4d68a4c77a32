// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
}

func TestAsk(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"another status": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
		}, "HTTP status 418"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/x", http.StatusFound)
		}, "HTTP status 302"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			fmt.Fprint(w, "{")
		}, "does not finish"},
		"silence":         {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "nothing came within 2s"},
		"no JSON":         {says("<html>"), "no JSON"},
		"no version":      {says("{}"), "speaks version 0 of the status, this operator version 1"},
		"another version": {says(`{"version":2,"partitions":"other"}`), "speaks version 2"},
		"other types":     {says(`{"version":1,"partitions":"other"}`), "cannot be understood"},
		"too much":        {says(`{"group":"` + strings.Repeat("x", maxAnswer) + `"}`), "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.answer)
			defer server.Close()
			p := newPoller()
			defer p.close()
			address := strings.TrimPrefix(server.URL, "http://")
			_, first := p.ask(t.Context(), address)
			_, second := p.ask(t.Context(), address)
			if first == nil || !strings.Contains(first.Error(), c.says) || !strings.Contains(first.Error(), address) {
				t.Errorf("%v does not say %q", first, c.says)
			}
			if !sameText(first, second) {
				t.Errorf("not stable: %v, then %v", first, second)
			}
		})
	}
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

func TestAskKeepsTheConnection(t *testing.T) {
	var made int
	server := httptest.NewUnstartedServer(says(`{"version":1,"group":"g","fieldOfTomorrow":1}`))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			made++
		}
	}
	server.Start()
	defer server.Close()
	p := newPoller()
	defer p.close()
	for range 3 {
		status, err := p.ask(t.Context(), strings.TrimPrefix(server.URL, "http://"))
		if err != nil || status.Group != "g" {
			t.Fatalf("%+v, %v", status, err)
		}
	}
	if made != 1 {
		t.Errorf("%d connections, want 1", made)
	}
}

func TestAskNobody(t *testing.T) {
	p := newPoller()
	defer p.close()
	for _, address := range []string{"127.0.0.1:1", "", "a b:1", "[::1", "nowhere.invalid:80"} {
		_, first := p.ask(t.Context(), address)
		_, second := p.ask(t.Context(), address)
		if first == nil || !sameText(first, second) {
			t.Errorf("%q: %v, then %v", address, first, second)
		}
	}
}
