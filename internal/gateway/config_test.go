// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/internal/clusterconfig"
	"github.com/samsa-dev/samsa/internal/configfile"
	"github.com/samsa-dev/samsa/internal/gateway"
)

const least = `
topic: orders
cluster: {bootstrapServers: ["kafka:9092"]}
auth: {serviceAccount: {audience: orders.shop.svc}}
`

func TestTheLeastConfiguration(t *testing.T) {
	config, err := gateway.Parse([]byte(least))
	if err != nil {
		t.Fatal(err)
	}
	want := gateway.Default()
	want.Topic = "orders"
	want.Cluster.BootstrapServers = []string{"kafka:9092"}
	want.Auth.ServiceAccount.Audience = "orders.shop.svc"
	if !reflect.DeepEqual(config, want) {
		t.Errorf("got %+v, want %+v", config, want)
	}
}

func TestEverythingReadsAsItIsWritten(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(users, append([]byte("ann:"), hash...), 0o600); err != nil {
		t.Fatal(err)
	}
	minute := configfile.Duration(time.Minute)
	full := gateway.Config{
		Cluster: clusterconfig.Cluster{BootstrapServers: []string{"kafka:9092"}, MaxMessageBytes: 2_000_000},
		Topic:   "orders",
		HTTP: gateway.HTTP{
			Address: ":80", InternalAddress: "127.0.0.1:81", MaxBodyBytes: 2048, BodyTimeout: minute / 4,
			RequestTimeout: minute, DrainDelay: minute,
		},
		Auth: gateway.Auth{
			Type: gateway.AuthBasic, Basic: gateway.Basic{UsersFile: users},
			ServiceAccount: gateway.ServiceAccount{
				Mode: gateway.ReviewJWKS, Audience: "a", Issuer: "i", JWKSURL: "https://keys",
				Allow: []gateway.Allowed{{Namespace: "shop"}, {Namespace: "shop", ServiceAccount: "billing"}},
			},
		},
		Produce: gateway.Produce{
			Partitioner: "round-robin", KeyedMoves: true, Acks: "leader", Compression: "gzip", Linger: minute / 12,
			Timeout: minute, MaxBufferedBytes: 1 << 20,
		},
		Limits:      gateway.Limits{MessagesPerSecond: 1, BytesPerSecond: 2, Concurrent: 3},
		Idempotency: gateway.Idempotency{Window: &minute, Peers: "orders-gateway:8080"},
	}
	text, err := yaml.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	got, err := gateway.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, full) {
		t.Errorf("got %+v\nwant %+v", got, full)
	}
}

func TestFaultsOfTheConfiguration(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"topic: orders", "topics: orders", "topics: is no field of the configuration"},
		{"topic: orders", "", "topic: is missing"},
		{"topic: orders", "topic: a/b", "topic: "},
		{"cluster:", "http: {host: ':80'}\ncluster:", "http.host: is no field"},
		{"cluster:", "http: {address: nowhere}\ncluster:", "http.address: \"nowhere\" is no address"},
		{"cluster:", "http: {maxBodyBytes: 1}\ncluster:", "http.maxBodyBytes: is 1"},
		{"cluster:", "http: {bodyTimeout: 31s}\ncluster:", "http.bodyTimeout: 31s is too long; give at most 30s"},
		{"cluster:", "http: {requestTimeout: 2s}\ncluster:", "http.requestTimeout: 2s is below produce.timeout 30s"},
		{"cluster:", "http: {tls: {certFile: a}}\ncluster:", "http.tls: has to have certFile and keyFile"},
		{"cluster:", "produce: {partitioner: Murmur2}\ncluster:", "produce.partitioner: partitioner \"Murmur2\""},
		{"cluster:", "produce: {acks: 2}\ncluster:", "produce.acks: is a number where a text"},
		{"cluster:", "produce: {keyedMoves: maybe}\ncluster:", "produce.keyedMoves: is a text where true or false"},
		{"cluster:", "produce: {linger: 10s}\ncluster:", "produce.linger: 10s is too long"},
		{"cluster:", "limits: {concurrent: -1}\ncluster:", "limits.concurrent: is -1"},
		{"cluster:", "idempotency: {peers: orders}\ncluster:", "idempotency.peers: \"orders\" is no NAME:PORT"},
		{"cluster:", "idempotency: {window: 48h}\ncluster:", "idempotency.window: 48h0m0s is too long"},
		{"bootstrapServers", "bootstrapServer", "cluster.bootstrapServer: is no field"},
		{"audience: orders.shop.svc", "mode: JWKS", "auth.serviceAccount.audience: is missing"},
		{"audience:", "mode: Guess, audience:", "auth.serviceAccount.mode: is \"Guess\""},
		{"audience:", "issuer: x, audience:", "auth.serviceAccount.mode: is TokenReview"},
		{"audience:", "mode: JWKS, jwksUrl: keys, audience:", "auth.serviceAccount.jwksUrl: \"keys\" is no URL"},
		{"audience:", "allow: [{serviceAccount: a}], audience:", "auth.serviceAccount.allow[0].namespace: is missing"},
		{"serviceAccount: {audience: orders.shop.svc}", "type: Guess", "auth.type: is \"Guess\""},
		{"serviceAccount: {audience: orders.shop.svc}", "type: MTLS", "auth.mtls.caFile: is missing"},
		{"serviceAccount: {audience: orders.shop.svc}", "type: MTLS", "http.tls: is missing"},
		{"serviceAccount: {audience: orders.shop.svc}", "type: Basic", "auth.basic.usersFile: is missing"},
		{"serviceAccount: {audience: orders.shop.svc}", "type: Basic, basic: {usersFile: /none}", "auth.basic.usersFile: "},
	} {
		text := strings.Replace(least, c.from, c.to, 1)
		if _, err := gateway.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.to, err, c.want)
		}
	}
}

func TestNamesOfFilesAreRelativeToTheConfiguration(t *testing.T) {
	directory := t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"users":        "ann:" + string(hash),
		"gateway.yaml": "topic: orders\ncluster: {bootstrapServers: ['k:1']}\nauth: {type: Basic, basic: {usersFile: users}}",
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config, err := gateway.Load(filepath.Join(directory, "gateway.yaml"))
	if err != nil || config.Auth.Basic.UsersFile != filepath.Join(directory, "users") {
		t.Errorf("%v, %s", err, config.Auth.Basic.UsersFile)
	}
}

func TestAddressReplacesTheHosts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	const listening = "http: {address: ':80', internalAddress: '127.0.0.1:81'}\n"
	if err := os.WriteFile(path, []byte(least+listening), 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string][2]string{
		"": {":80", "127.0.0.1:81"}, "10.1.2.3": {"10.1.2.3:80", "10.1.2.3:81"}, "fd00::7": {"[fd00::7]:80", "[fd00::7]:81"},
	} {
		config, err := gateway.LoadAt(path, address)
		if got := [2]string{config.HTTP.Address, config.HTTP.InternalAddress}; err != nil || got != want {
			t.Errorf("at %q: got %v, %v, want %v", address, got, err, want)
		}
	}
	if _, err := gateway.LoadAt(path, "10.1.2.3:80"); err == nil ||
		!strings.HasPrefix(err.Error(), `--address: "10.1.2.3:80" is no host`) {
		t.Errorf("a host with a port: got %v", err)
	}
}
