// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package publishing_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/samsa-dev/samsa/internal/embedded/issuer"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/gateway"
	"github.com/samsa-dev/samsa/internal/pki"
)

const (
	topic    = "lines"
	audience = "kafka.samsa.dev/producerbinding/default/lines"
)

// bound is a place where the lines of the page run: what a bound workload has in its environment and its files.
type bound struct {
	directory string
	// env is what all of them have, with is what those of a section have besides: by its title.
	env  []string
	with map[string][]string
	// authorize makes a request that of a caller whom the gateway that was started last lets in.
	authorize func(r *http.Request)
}

// bind starts three gateways of one topic, with callers of three kinds.
func bind(t *testing.T, w *world.World) *bound {
	t.Helper()
	b := &bound{directory: t.TempDir(), with: make(map[string][]string)}
	b.env = append(os.Environ(), "CURL_HOME="+b.directory, "SAMSA_BINDING_TOPIC="+topic)
	b.write(t, ".curlrc", "") // in place of that of whoever runs this
	url := b.start(t, w, b.tokens(t))
	b.env = append(b.env, "SAMSA_BINDING_URL="+url, "SAMSA_BINDING_TOKEN_FILE="+filepath.Join(b.directory, "token"))
	b.with["Basic"] = []string{"SAMSA_BINDING_URL=" + b.start(t, w, b.users(t))}
	b.with["MTLS"] = []string{
		"SAMSA_BINDING_URL=" + strings.Replace(b.start(t, w, b.certificates(t)), "http://", "https://", 1),
		"SAMSA_BINDING_CA_FILE=" + filepath.Join(b.directory, "ca.crt"),
	}
	return b
}

func (b *bound) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.directory, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tokens and the other two give what the configuration says of callers.
func (b *bound) tokens(t *testing.T) string {
	t.Helper()
	tokens, err := issuer.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tokens.Close)
	token, err := tokens.Token("default", "shop", audience, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, "token", token)
	b.authorize = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	return fmt.Sprintf("auth: {serviceAccount: {audience: %q, mode: JWKS, issuer: %q, jwksUrl: %q}}",
		audience, issuer.Name, tokens.URL())
}

func (b *bound) users(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("of shop"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, "users", "ann:"+string(hash)+"\n")
	b.write(t, "password", "of shop\n")
	b.authorize = func(r *http.Request) { r.SetBasicAuth("ann", "of shop") }
	return fmt.Sprintf("auth: {type: Basic, basic: {usersFile: %q}}", filepath.Join(b.directory, "users"))
}

func (b *bound) certificates(t *testing.T) string {
	t.Helper()
	authority, err := pki.NewAuthority("shop")
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, "ca.crt", string(authority.PEM()))
	for name, certificate := range map[string]pki.Certificate{
		"tls": {Name: "shop"}, "gateway": {Name: "gateway", Hosts: []string{"127.0.0.1"}},
	} {
		pair, err := authority.Issue(certificate)
		if err != nil {
			t.Fatal(err)
		}
		b.write(t, name+".crt", string(pair.Certificate))
		b.write(t, name+".key", string(pair.Key))
	}
	return fmt.Sprintf("auth: {type: MTLS, mtls: {caFile: %[1]s/ca.crt}}\n"+
		"tls: {certFile: %[1]s/gateway.crt, keyFile: %[1]s/gateway.key}", b.directory)
}

// start runs a gateway until the test ends, and waits until it answers requests with an Idempotency-Key.
func (b *bound) start(t *testing.T, w *world.World, auth string) (url string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	auth, tls, _ := strings.Cut(auth, "\n")
	if tls != "" {
		tls = ", " + tls
	}
	config, err := gateway.Parse(fmt.Appendf(nil, "topic: %s\ncluster: {zookeeper: {connect: %q}}\n"+
		"http: {address: %q, internalAddress: '127.0.0.1:0', drainDelay: 0s%s}\n%s\n",
		topic, w.Connect(), address, tls, auth))
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
	t.Cleanup(func() { cancel(); running.Wait() })
	if tls == "" {
		b.await(t, "http://"+address)
	}
	return "http://" + address
}

// await waits until keys are known, which takes some seconds after a start: then what has one is refused for another
// reason, for there is no such partition.
func (b *bound) await(t *testing.T, url string) {
	t.Helper()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for range 600 {
		if b.probe(t, url+"/topics/"+topic+"/partitions/99") == http.StatusNotFound {
			return
		}
		<-pause.C
	}
	t.Fatal("the gateway does not become ready")
}

func (b *bound) probe(t *testing.T, url string) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url,
		strings.NewReader(`{"records": [{"value": "first"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/vnd.kafka.json.v2+json")
	request.Header.Set("Idempotency-Key", "first")
	b.authorize(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0 // it does not listen yet
	}
	_ = response.Body.Close() // only the status counts
	return response.StatusCode
}
