// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// tunnel is a proxy that connects to where it is asked to.
func tunnel(t *testing.T) (proxy *url.URL, asked func() string) {
	t.Helper()
	var host string
	var copying sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Method + " " + r.Host
		there, err := new(net.Dialer).DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			t.Error(err)
			return
		}
		w.WriteHeader(http.StatusOK)
		here, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		copying.Go(func() { _, _ = io.Copy(there, buffered); _ = there.Close() })
		copying.Go(func() { _, _ = io.Copy(here, there); _ = here.Close() })
	}))
	t.Cleanup(func() { server.Close(); copying.Wait() })
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return proxy, func() string { return host }
}

// What --ca-file says counts by way of a proxy, too.
func TestABindingIsReachedThroughAProxy(t *testing.T) {
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
	gateway := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, lineOf(http.StatusCreated, ""))
	}))
	gateway.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	gateway.StartTLS()
	t.Cleanup(gateway.Close)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &binding{url: gateway.URL, caFile: ca}
	if err := b.check(); err != nil {
		t.Fatal(err)
	}
	defer b.close()
	proxy, asked := tunnel(t)
	transport, _ := b.client.Transport.(*http.Transport)
	transport.Proxy = http.ProxyURL(proxy) // the environment's is not for addresses of this machine
	results, err := b.publish(t.Context(), []kafka.Message{{Value: []byte("m")}})
	if err != nil || len(results) != 1 || !results[0].acknowledged() {
		t.Errorf("got %+v, %v", results, err)
	}
	if want := "CONNECT " + gateway.Listener.Addr().String(); asked() != want {
		t.Errorf("the proxy was asked to %q", asked())
	}
}
