// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/gateway"
	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// trust is what servers and callers show and believe.
type trust struct {
	directory string
	authority *pki.Authority
}

func newTrust(t *testing.T) *trust {
	t.Helper()
	authority, err := pki.NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	s := &trust{directory: t.TempDir(), authority: authority}
	s.write(t, "ca.crt", authority.PEM())
	s.serve(t, "gateway")
	return s
}

// serve gives the servers a new certificate.
func (s *trust) serve(t *testing.T, name string) {
	t.Helper()
	pair, err := s.authority.Issue(pki.Certificate{Name: name, Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "tls.crt", pair.Certificate)
	s.write(t, "tls.key", pair.Key)
}

func (s *trust) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.directory, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// caller is a client with a certificate, with none where name is empty.
func (s *trust) caller(t *testing.T, name string) *http.Client {
	t.Helper()
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(s.authority.PEM())
	if name != "" {
		pair, err := s.authority.Issue(pki.Certificate{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		own, err := pair.TLS()
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	transport := &http.Transport{TLSClientConfig: config}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ports are free ones.
func ports(t *testing.T, n int) (addresses []string) {
	t.Helper()
	var listeners []net.Listener
	defer func() { // not before the last: none is to be given twice
		for _, listener := range listeners {
			_ = listener.Close()
		}
	}()
	for range n {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, listener)
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses
}

// start runs one replica until stop is called.
func start(t *testing.T, text string) (stop func()) {
	t.Helper()
	config, err := gateway.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := gateway.Run(ctx, config, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
			t.Error(err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

func post(t *testing.T, client *http.Client, address, key, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(data)
}

// written posts until that succeeds: keys wait a while after a start.
func written(t *testing.T, client *http.Client, address, key, body string) (answer string) {
	t.Helper()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	status := 0
	for range 400 {
		if status, answer = post(t, client, address, key, body); status == http.StatusCreated {
			return answer
		}
		<-pause.C
	}
	t.Fatalf("%s: %d %s", key, status, answer)
	return ""
}

// Two replicas over TLS, callers with certificates. A key gives one message and one answer whichever of the replicas is
// asked, and also after both have been started anew, when they know it from the topic alone.
func TestAKeyIsOneMessageForAllReplicas(t *testing.T) {
	w, err := world.Start(t.Context(), world.Config{Topics: map[string]int32{"orders": 3}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	secrets, addresses := newTrust(t), ports(t, 2)
	begin := func() (stops []func()) {
		for _, address := range addresses {
			stops = append(stops, start(t, fmt.Sprintf(`
topic: orders
cluster: {zookeeper: {connect: %q}}
http:
  {address: %q, internalAddress: "127.0.0.1:0", drainDelay: 0s, tls: {certFile: %[3]s/tls.crt, keyFile: %[3]s/tls.key}}
auth: {type: MTLS, mtls: {caFile: %[3]s/ca.crt, allow: [billing]}}
produce: {timeout: 1s}
idempotency: {peers: %q}
`, w.Connect(), address, secrets.directory, strings.Join(addresses, ","))))
		}
		return stops
	}
	stops := begin()
	billing := secrets.caller(t, "billing")
	first := map[string]string{}
	for i := range 10 {
		key := fmt.Sprint("key-", i)
		first[key] = written(t, billing, addresses[0], key, "a message")
		if again := written(t, billing, addresses[1], key, "a message"); again != first[key] {
			t.Errorf("%s: %s, then %s", key, first[key], again)
		}
	}
	if status, answer := post(t, billing, addresses[0], "key-1", "another"); status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", status, answer)
	}
	for name, want := range map[string]int{"": http.StatusUnauthorized, "shipping": http.StatusForbidden} {
		client := secrets.caller(t, name)
		for key := range first { // of both replicas
			if status, answer := post(t, client, addresses[0], key, "a message"); status != want {
				t.Errorf("%q: %d %s", name, status, answer)
			}
		}
	}

	for _, stop := range stops {
		stop()
	}
	secrets.serve(t, "renewed")
	begin()
	for key, answer := range first {
		if again := written(t, billing, addresses[0], key, "a message"); again != answer {
			t.Errorf("%s: %s, then %s", key, answer, again)
		}
	}
	total := int64(0)
	for _, id := range w.Brokers().Partitions("orders") {
		total += w.Brokers().End(kafka.Partition{Topic: "orders", ID: id})
	}
	if total != int64(len(first)) {
		t.Errorf("%d messages for %d keys", total, len(first))
	}
	// A certificate that is renewed in place is what the next connection meets.
	secrets.serve(t, "renewed again")
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // only a look
	conn, err := dialer.DialContext(t.Context(), "tcp", addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState() //nolint:forcetypeassert // of a tls.Dialer
	if got := state.PeerCertificates[0].Subject.CommonName; got != "renewed again" {
		t.Errorf("got the certificate of %s", got)
	}
}
