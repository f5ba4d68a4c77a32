// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/gateway"
	"github.com/samsa-dev/samsa/internal/realkafka"
)

// stand is everything that publishing is measured with: the brokers in one process, those who publish in another, and
// here all that they may publish to, at the same time.
type stand struct {
	kafka      string
	brokers    []string
	servers    *servers
	publishers *child
	franz      *kgo.Client

	// synchronous calls ProduceSync, answering only answers; open is a gateway that knows no callers, guarded one that
	// knows ServiceAccounts by their tokens.
	synchronous, answering, open, guarded target
}

func newStand(b *testing.B) *stand {
	b.Helper()
	s := &stand{servers: startServers(b, publishedSize), publishers: startChild(b, publishing+"=1")}
	s.kafka, s.brokers = fmt.Sprintf("%d brokers of kfake in another process", brokers), s.servers.Brokers
	if *release != "" {
		s.startKafka(b)
	}
	s.franz = s.newFranz(b)
	s.synchronous = serveHTTP(b, produceSync(s.franz))
	s.answering = serveHTTP(b, answer)
	s.open = s.startGateway(b, gateway.Auth{Type: gateway.AuthNone})
	auth, token := serviceAccounts(b)
	s.guarded = s.startGateway(b, auth)
	s.guarded.token = token
	awaitSettled(b, s.open)
	awaitSettled(b, s.guarded)
	return s
}

// startKafka runs a real broker. It forgets soon what was written, since that is more than disks have room for.
func (s *stand) startKafka(b *testing.B) {
	b.Helper()
	if err := realkafka.Available(*release); err != nil {
		b.Skip(err)
	}
	cluster, err := realkafka.Start(b.Context(), realkafka.Config{
		Version: *release, Dir: b.TempDir(),
		Properties: map[string]string{"log.retention.check.interval.ms": "1000", "log.segment.delete.delay.ms": "0"},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cluster.Stop() })
	err = cluster.CreateTopic(b.Context(), realkafka.Topic{Name: topic, Partitions: partitions, Config: map[string]string{
		"retention.bytes": strconv.Itoa(32 << 20), "segment.bytes": strconv.Itoa(16 << 20),
	}})
	if err != nil {
		b.Fatal(err)
	}
	s.kafka = "one broker of Kafka " + cluster.Release().Version
	s.brokers = strings.Split(cluster.Bootstrap(), ",")
}

// newFranz is franz-go as it produces by itself, but for what the gateway does not do by default either: it would wait
// 10 ms for more messages, and compress them. It is idempotent, waits for all replicas, and what has no key goes to a
// random partition for as long as a batch takes to fill: that is the gateway's default too.
func (s *stand) newFranz(b *testing.B) *kgo.Client {
	b.Helper()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(s.brokers...), kgo.DefaultProduceTopic(topic), kgo.DisableClientMetrics(),
		kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	return client
}

// produceSync is the least that a handler which publishes does.
func produceSync(client *kgo.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if err := client.ProduceSync(r.Context(), &kgo.Record{Value: value}).FirstErr(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusCreated)
	}
}

// answer is the least that any handler does.
func answer(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// serveHTTP serves with net/http as it is.
func serveHTTP(b *testing.B, handler http.HandlerFunc) target {
	b.Helper()
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	return target{address: server.Listener.Addr().String()}
}

// startGateway runs `samsa gateway` as it is shipped, with limits that nobody reaches.
func (s *stand) startGateway(b *testing.B, auth gateway.Auth) target {
	b.Helper()
	return s.startGatewayWith(b, func(c *gateway.Config) { c.Auth = auth })
}

func (s *stand) startGatewayWith(b *testing.B, change func(c *gateway.Config)) target {
	b.Helper()
	public, err := freeAddress()
	if err != nil {
		b.Fatal(err)
	}
	private, err := freeAddress()
	if err != nil {
		b.Fatal(err)
	}
	config := gateway.Default()
	config.Topic = topic
	config.Cluster.BootstrapServers = s.brokers
	config.HTTP.Address, config.HTTP.InternalAddress, config.HTTP.DrainDelay = public, private, 0
	config.Limits = gateway.Limits{MessagesPerSecond: 100_000_000, BytesPerSecond: 1 << 40, Concurrent: 1_000_000}
	change(&config)
	ctx, stop := context.WithCancel(b.Context())
	left := make(chan error, 1)
	go func() { left <- gateway.Run(ctx, config, slog.New(slog.DiscardHandler)) }()
	b.Cleanup(func() {
		stop()
		if err := <-left; err != nil {
			b.Errorf("gateway: %v", err)
		}
	})
	awaitReady(b, "http://"+public+"/readyz")
	return target{address: public}
}

func awaitReady(b *testing.B, url string) {
	b.Helper()
	await(b, func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	}, http.StatusOK)
}

// await asks until the answer has a status.
func await(b *testing.B, ask func(ctx context.Context) (*http.Request, error), status int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), startTimeout)
	defer cancel()
	for {
		request, err := ask(ctx)
		if err != nil {
			b.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == status {
				return
			}
			err = fmt.Errorf("status %d", response.StatusCode)
		}
		select {
		case <-ctx.Done():
			b.Fatalf("the gateway does not answer with %d in %v: %v", status, startTimeout, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// awaitSettled waits until a gateway takes messages with keys: seconds after its start it reads what others may have
// written with such, once. It would read what is published here meanwhile, and be measured with that.
func awaitSettled(b *testing.B, to target) {
	b.Helper()
	await(b, func(ctx context.Context) (*http.Request, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+to.address, strings.NewReader("x"))
		if err == nil {
			request.Header.Set("Idempotency-Key", "settled")
			request.Header.Set("Authorization", "Bearer "+to.token)
		}
		return request, err
	}, http.StatusCreated)
}

// serviceAccounts is an issuer of tokens, and one that it has issued.
func serviceAccounts(b *testing.B) (gateway.Auth, string) {
	b.Helper()
	const issuer, audience = "https://kubernetes.default.svc", "orders.shop.svc"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key},
		(&jose.SignerOptions{}).WithHeader("kid", "first"))
	if err != nil {
		b.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: issuer, Subject: "system:serviceaccount:shop:billing", Audience: jwt.Audience{audience},
		Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	}).Serialize()
	if err != nil {
		b.Fatal(err)
	}
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{
			jose.JSONWebKey{Key: key.Public(), KeyID: "first", Algorithm: "ES256", Use: "sig"},
		}})
	}))
	b.Cleanup(keys.Close)
	return gateway.Auth{Type: gateway.AuthServiceAccount, ServiceAccount: gateway.ServiceAccount{
		Audience: audience, Mode: gateway.ReviewJWKS, Issuer: issuer, JWKSURL: keys.URL,
		Allow: []gateway.Allowed{{Namespace: "shop"}},
	}}, token
}
