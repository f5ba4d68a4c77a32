// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
	"github.com/samsa-dev/samsa/pkg/sink/sinktest"
)

func TestHTTPSink(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	RunSpecs(t, "HTTP sink")
}

// Ginkgo's own goroutines run already when the suite begins.
var _ = BeforeSuite(func() {
	running := goleak.IgnoreCurrent()
	DeferCleanup(func() { Eventually(func() error { return goleak.Find(running) }).Should(Succeed()) })
})

const maxValue = 1 << 20

// receiver is a well-behaved far side that can be told to refuse or to hang.
type receiver struct {
	mu        sync.Mutex
	messages  []kafka.Message
	claims    []sink.Claim
	errs      []error
	left      int // messages left to take; negative: no bound
	hang      chan struct{}
	hangs     chan struct{}
	announced bool
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	message, claim, err := httpsink.Decode(request, maxValue)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.errs = append(r.errs, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.left == 0 {
		r.refuse(w, request)
		return
	}
	if r.left > 0 {
		r.left--
	}
	r.messages = append(r.messages, message)
	r.claims = append(r.claims, claim)
	w.WriteHeader(http.StatusAccepted)
}

func (r *receiver) refuse(w http.ResponseWriter, request *http.Request) {
	if r.hang == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if !r.announced {
		r.announced = true
		close(r.hangs)
	}
	hang := r.hang
	r.mu.Unlock()
	defer r.mu.Lock()
	select {
	case <-hang:
	case <-request.Context().Done():
	}
}

func (r *receiver) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = -1
	if r.hang != nil {
		close(r.hang)
		r.hang = nil
	}
}

func (r *receiver) delivered() []kafka.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.messages
}

func (r *receiver) fixture(s sink.Sink) sinktest.Fixture {
	return sinktest.Fixture{
		Sink:      s,
		Delivered: r.delivered,
		Heal:      r.heal,
		Refuse: func(n int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.left = n
		},
		Hang: func(n int) <-chan struct{} {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.left, r.hang, r.hangs, r.announced = n, make(chan struct{}), make(chan struct{}), false
			return r.hangs
		},
	}
}

func TestConformance(t *testing.T) {
	for name, open := range map[string]func(*receiver) (*httptest.Server, httpsink.Config){
		"raw": func(r *receiver) (*httptest.Server, httpsink.Config) {
			server := httptest.NewServer(r)
			return server, httpsink.Config{URL: server.URL}
		},
		"cloudevents": func(r *receiver) (*httptest.Server, httpsink.Config) {
			server := httptest.NewServer(r)
			return server, httpsink.Config{URL: server.URL, Format: httpsink.CloudEventsBinary}
		},
		"https, http/2": func(r *receiver) (*httptest.Server, httpsink.Config) {
			server := newHTTP2Server(r)
			return server, httpsink.Config{URL: server.URL, TLS: trust(server)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			sinktest.Run(t, func(t *testing.T) sinktest.Fixture {
				r := &receiver{left: -1}
				server, config := open(r)
				t.Cleanup(server.Close)
				t.Cleanup(r.heal)
				s, err := httpsink.New(config)
				if err != nil {
					t.Fatal(err)
				}
				return r.fixture(s)
			})
		})
	}
}

// newSink makes a sink that is closed when the spec ends.
func newSink(config httpsink.Config) *httpsink.Sink {
	GinkgoHelper()
	s, err := httpsink.New(config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(s.Close()).To(Succeed()) })
	return s
}

// serve makes a server that is closed when the spec ends.
func serve(handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	DeferCleanup(server.Close)
	return server
}

var orders = kafka.Partition{Topic: "orders", ID: "3"}

func one() kafka.Message {
	return kafka.Message{Partition: orders, Offset: 42, Next: 43, Key: []byte("k"), Value: []byte("hello")}
}

func deliver(ctx context.Context, s sink.Sink, messages ...kafka.Message) []sink.Result {
	results := make([]sink.Result, len(messages))
	batch := kafka.NewBatch(messages[0].Partition, kafka.Messages(messages))
	s.Deliver(ctx, sink.Claim{Group: "billing", Token: 9}, batch, results)
	return results
}

func deliverOne(ctx context.Context, s sink.Sink) sink.Result { return deliver(ctx, s, one())[0] }

// script serves raw connections, one after the other being handed to the next of the scripts; the last serves all
// that follow.
func script(scripts ...func(net.Conn)) string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	running.Go(func() {
		for i := 0; ; i++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			serve := scripts[min(i, len(scripts)-1)]
			running.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	DeferCleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return "http://" + listener.Addr().String()
}
