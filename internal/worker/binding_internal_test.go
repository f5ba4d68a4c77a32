// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// secured runs a server whose certificate somebody signed who is known by a file alone.
func secured(t *testing.T, handler http.HandlerFunc) (url, caFile string) {
	t.Helper()
	authority, err := pki.NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(pki.Certificate{Name: "gateway", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	own, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	caFile = filepath.Join(t.TempDir(), "ca.crt")
	writeFile(t, caFile, string(authority.PEM()))
	return server.URL + "/", caFile
}

func deliver(t *testing.T, to sink.Sink, message kafka.Message) sink.Result {
	t.Helper()
	results := make([]sink.Result, 1)
	batch := kafka.NewBatch(message.Partition, kafka.Messages{message})
	to.Deliver(t.Context(), sink.Claim{Group: "billing", Token: 7}, batch, results)
	return results[0]
}

func TestAMessageGoesToABindingAsItIs(t *testing.T) {
	var got *http.Request
	url, caFile := secured(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.WriteHeader(http.StatusCreated)
	})
	token := filepath.Join(t.TempDir(), "token")
	writeFile(t, token, "secret\n")
	config := Default()
	config.Group = "billing"
	config.Sink.Binding = &BindingSink{URL: url, TokenFile: token, CAFile: caFile, Scope: "main"}
	to, err := config.sink(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	result := deliver(t, to, kafka.Message{
		Partition: kafka.Partition{Topic: "orders", ID: "3"}, Offset: 42, Key: []byte("k"), Value: []byte("v"),
		Timestamp: time.Unix(1, 0),
		Headers:   []kafka.Header{{Key: "trace", Value: []byte("1")}},
	})
	if result.Outcome != sink.Done {
		t.Fatalf("got %+v", result)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer secret", "Idempotency-Key": "main/billing/orders/3/42", "Samsa-Key": "k",
		"Samsa-Header": "trace=1", "Samsa-Offset": "42", "Content-Type": "application/octet-stream", "Ce-Id": "",
		"Samsa-Timestamp": "",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	url, caFile := secured(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	config := Default()
	config.Sink.Binding = &BindingSink{URL: url, TokenFile: filepath.Join(t.TempDir(), "token"), CAFile: caFile}
	to, err := config.sink(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	result := deliver(t, to, kafka.Message{Partition: kafka.Partition{Topic: "orders", ID: "3"}})
	if result.Outcome != sink.Retry || !strings.Contains(result.Err.Error(), "no credentials: the token: open ") {
		t.Errorf("got %+v", result)
	}
}

func TestATokenIsReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	writeFile(t, file, "first\n")
	now := time.Unix(1_000_000, 0)
	token := &tokenFile{name: file, now: func() time.Time { return now }}
	is := func(want string) {
		t.Helper()
		if got, err := token.authorization(); err != nil || got != "Bearer "+want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	is("first")
	writeFile(t, file, "second")
	now = now.Add(tokenLife - 1)
	is("first")
	now = now.Add(1)
	is("second")
	writeFile(t, file, "")
	now = now.Add(tokenLife)
	is("second") // the one before may do
}

func TestKeysFit(t *testing.T) {
	long := strings.Repeat("\u00e9", 100) // 200 bytes, the longest name of a group
	rest := strings.Repeat("t", 249) + "/2147483647-65/9223372036854775807.4294967295"
	for _, c := range [][2]string{{"main", "billing"}, {"a/b", "c d"}, {strings.Repeat("c", 253), long}} {
		key := keyPrefix(c[0], c[1]) + rest
		if len(key) > 512 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%v: a gateway refuses %q (%d)", c, key, len(key))
		}
	}
	if keyPrefix("a", "b/c") == keyPrefix("a/b", "c") {
		t.Error("two groups share keys")
	}
}

// Names of Services may be known to a proxy alone. The environment is read once in a process, so it takes another one.
func TestBindingsAreReachedByTheProxyOfTheEnvironment(t *testing.T) {
	const inside, url = "SAMSA_TEST_PROXIED", "http://orders-gateway.shop.svc/"
	if os.Getenv(inside) != "" {
		config := Default()
		config.Sink = Sink{Binding: &BindingSink{URL: url}}
		to, err := config.sink(slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		message := kafka.Message{Partition: kafka.Partition{Topic: "orders", ID: "3"}}
		if result := deliver(t, to, message); result.Outcome != sink.Done {
			t.Errorf("got %+v", result)
		}
		return
	}
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
	}))
	defer proxy.Close()
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	again.Env = append(os.Environ(), inside+"=yes", "HTTP_PROXY="+proxy.URL, "NO_PROXY=")
	if out, err := again.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := []string{url}; !slices.Equal(asked, want) {
		t.Errorf("the proxy was asked for %q, want %q", asked, want)
	}
}
