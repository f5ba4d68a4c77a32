// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestGateway(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	RunSpecs(t, "Gateway")
}

const topic = "orders"

// theTime is that of every message which names none.
func theTime() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC) }

// brokers are a Producer that does what a spec says. By default every message is written to partition 0.
type brokers struct {
	mu       sync.Mutex
	messages []kafka.Message
	// answer decides on message i of all; waiting is for those that are not answered before release.
	answer func(i int, m kafka.Message) (client.Produced, error)
	later  bool
	held   []func()
}

func (b *brokers) Produce(_ context.Context, m kafka.Message, done func(client.Produced, error)) {
	b.mu.Lock()
	i := len(b.messages)
	var err error
	produced := client.Produced{Partition: m.Partition, Offset: int64(i), Timestamp: theTime(), Held: true}
	if produced.Partition.ID == "" {
		produced.Partition.ID = "0"
	}
	if b.answer != nil {
		produced, err = b.answer(i, m)
	}
	b.messages = append(b.messages, kept(m))
	if b.later {
		b.held = append(b.held, func() { done(produced, err) })
		b.mu.Unlock()
		return
	}
	b.mu.Unlock()
	done(produced, err)
}

// kept is a message whose bytes nobody changes.
func kept(m kafka.Message) kafka.Message {
	m.Key, m.Value, m.Headers = bytes.Clone(m.Key), bytes.Clone(m.Value), slices.Clone(m.Headers)
	for i := range m.Headers {
		m.Headers[i].Value = bytes.Clone(m.Headers[i].Value)
	}
	return m
}

// release answers what was held back, the last first.
func (b *brokers) release() {
	b.mu.Lock()
	held := b.held
	b.held = nil
	b.mu.Unlock()
	for _, answer := range slices.Backward(held) {
		answer()
	}
}

func (b *brokers) written() []kafka.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.messages
}

// refusing answers everything with a refusal for this reason.
func refusing(reason error) func(int, kafka.Message) (client.Produced, error) {
	return func(_ int, m kafka.Message) (client.Produced, error) {
		return client.Produced{}, &kafka.Refused{Partition: m.Partition, Err: reason}
	}
}

// verifier is one that answers as a spec says.
type verifier func(r *http.Request) (caller.Caller, error)

func (v verifier) Verify(_ context.Context, r *http.Request) (caller.Caller, error) { return v(r) }

// serve runs a handler until the spec ends.
func serve(config gateway.Config, changes ...func(*http.Server)) (*gateway.Handler, string) {
	GinkgoHelper()
	if config.Topic == "" {
		config.Topic = topic
	}
	if config.Verifier == nil {
		config.Verifier = caller.Anonymous()
	}
	handler, err := gateway.New(config)
	Expect(err).NotTo(HaveOccurred())
	server := httptest.NewUnstartedServer(nil)
	server.Config = gateway.NewServer("", handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	for _, change := range changes {
		change(server.Config)
	}
	server.Start()
	DeferCleanup(server.Close)
	DeferCleanup(http.DefaultClient.CloseIdleConnections)
	return handler, server.URL
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// post sends a request and holds its answer against the document. headers are name, value, name, value.
func post(ctx context.Context, url, path, body string, headers ...string) answer {
	GinkgoHelper()
	return send(ctx, http.MethodPost, url, path, strings.NewReader(body), headers...)
}

func send(ctx context.Context, method, url, path string, body io.Reader, headers ...string) answer {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, method, url+path, body)
	Expect(err).NotTo(HaveOccurred())
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(response.Body)
	Expect(err).NotTo(HaveOccurred())
	a := answer{response.StatusCode, response.Header, text.String()}
	Expect(undocumented(method, path, a)).To(BeEmpty())
	return a
}

const (
	typeEvent   = "application/cloudevents+json"
	typeBatch   = "application/cloudevents-batch+json"
	typeLines   = "application/x-ndjson"
	typeFrames  = "application/vnd.samsa.frames"
	typeJSON    = "application/vnd.kafka.json.v2+json"
	typeBinary  = "application/vnd.kafka.binary.v2+json"
	typeText    = "application/vnd.kafka.text.v2+json"
	contentType = "Content-Type"
)

func unmarshal(text []byte, into any) error { return json.Unmarshal(text, into) }
