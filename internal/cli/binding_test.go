// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/cli"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// bound is the handler of gateways in front of a world.
type bound struct {
	*target

	server  *httptest.Server
	handler http.Handler
	// good is the token of today.
	good     atomic.Pointer[string]
	requests atomic.Int64
	// between does what it likes to a request, and reports whether the handler is to have it still.
	between func(w http.ResponseWriter, r *http.Request) bool
}

// Verify implements caller.Verifier.
func (b *bound) Verify(_ context.Context, r *http.Request) (caller.Caller, error) {
	if good := b.good.Load(); good != nil && r.Header.Get("Authorization") != "Bearer "+*good {
		return caller.Caller{}, fmt.Errorf("%w: the token is another", caller.ErrUnauthenticated)
	}
	return caller.Named("shop"), nil
}

// ServeHTTP implements http.Handler.
func (b *bound) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.requests.Add(1)
	if b.between == nil || b.between(w, r) {
		b.handler.ServeHTTP(w, r)
	}
}

func bind(ctx context.Context, secure bool, limits ...func(*gateway.Config)) *bound {
	GinkgoHelper()
	b := &bound{target: start(ctx, byZooKeeper)}
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: b.Connect()})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	producer, err := cluster.Topic("orders").Producer(client.ProducerConfig{Partitioner: client.ByKey()})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(producer.Close)
	config := gateway.Config{
		Topic: "orders", Producer: producer, Verifier: b, Window: window.New(window.Config{Length: time.Minute}),
	}
	for _, limit := range limits {
		limit(&config)
	}
	b.handler, err = gateway.New(config)
	Expect(err).NotTo(HaveOccurred())
	b.server = httptest.NewUnstartedServer(nil)
	b.server.Config = gateway.NewServer("", b)
	b.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if secure {
		b.server.StartTLS()
	} else {
		b.server.Start()
	}
	DeferCleanup(b.server.Close)
	b.flags = []string{"--binding", b.server.URL}
	return b
}

// written is how many messages the topic has.
func (b *bound) written() (n int64) {
	for _, id := range b.Brokers().Partitions("orders") {
		n += b.Brokers().End(kafka.Partition{Topic: "orders", ID: id})
	}
	return n
}

// values are those of all messages in the topic, in the order of each partition.
func (b *bound) values(ctx context.Context) (values []any) {
	GinkgoHelper()
	reader := &target{World: b.World, flags: []string{"--zookeeper", b.Connect()}}
	count := fmt.Sprint(b.written())
	return field(reader.objects(ctx, "subscribe", "orders", "--from", "earliest", "--count", count), "value")
}

// inOrder are values as a matcher wants them.
func inOrder(values []string) (all []any) {
	for _, value := range values {
		all = append(all, value)
	}
	return all
}

// refuse answers as a gateway does that has no broker.
func refuse(w http.ResponseWriter, after string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", after)
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"status":503,"detail":"no broker","outcome":"refused"}`)
}

// afterOthers holds the message of a number back until three others have their answer.
func (b *bound) afterOthers(number int) func(http.ResponseWriter, *http.Request) bool {
	var others sync.WaitGroup
	others.Add(3)
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.Header.Get("Idempotency-Key"), fmt.Sprintf("/%d", number)) {
			others.Wait()
			return true
		}
		defer others.Done()
		b.handler.ServeHTTP(w, r)
		return false
	}
}

// lost gives a request to the handler, whose answer nobody hears.
func (b *bound) lost(r *http.Request) {
	b.handler.ServeHTTP(httptest.NewRecorder(), r)
}

var _ = Describe("publish to a binding", func() {
	It("takes the lines of the standard input, with a key", func(ctx SpecContext) {
		b := bind(ctx, false)
		text, values := numbered(1000)
		out := b.must(ctx, text, "publish", "--key", "customer-17")
		Expect(out).To(HavePrefix("1000 messages acknowledged by 1 partition of orders"))
		Expect(b.values(ctx)).To(Equal(inOrder(values)))
		Expect(b.requests.Load()).To(BeNumerically("<=", 20))
	})

	It("reads the token again for each request", func(ctx SpecContext) {
		b := bind(ctx, false)
		file := filepath.Join(GinkgoT().TempDir(), "token")
		renew := func(token string) {
			Expect(os.WriteFile(file, []byte(token+"\n"), 0o600)).To(Succeed())
			b.good.Store(&token)
		}
		renew("first")
		in, typed := io.Pipe()
		var out buffer
		done := make(chan error, 1)
		go func() {
			done <- execute(ctx, in, &out, io.Discard, "publish", "--binding", b.server.URL, "--token-file", file)
		}()
		_, err := io.WriteString(typed, "one\n")
		Expect(err).NotTo(HaveOccurred())
		Eventually(b.written).Should(Equal(int64(1)))
		renew("second")
		_, err = io.WriteString(typed, "two\n")
		Expect(err).NotTo(HaveOccurred())
		Expect(typed.Close()).To(Succeed())
		Expect(<-done).To(Succeed())
		Expect(b.values(ctx)).To(ConsistOf("one", "two"))
		// One that is not renewed is refused, and says so.
		Expect(os.WriteFile(file, []byte("first"), 0o600)).To(Succeed())
		r := b.run(ctx, "three\n", "publish", "--token-file", file)
		Expect(code(r.failure)).To(Equal(cli.ExitFailure))
		Expect(r.failure).To(MatchError(ContainSubstring("the gateway answers 401: ")))
		Expect(r.failure).To(MatchError(ContainSubstring("1 message certainly not written")))
		Expect(b.written()).To(Equal(int64(2)))
	})

	It("believes those whom --ca-file names, and nobody else", func(ctx SpecContext) {
		b := bind(ctx, true)
		file := filepath.Join(GinkgoT().TempDir(), "ca.crt")
		block := &pem.Block{Type: "CERTIFICATE", Bytes: b.server.Certificate().Raw}
		Expect(os.WriteFile(file, pem.EncodeToMemory(block), 0o600)).To(Succeed())
		for _, more := range [][]string{nil, {"--idempotency-key", "run"}} {
			b.must(ctx, "secret\n", append([]string{"publish", "--ca-file", file}, more...)...)
		}
		Expect(b.written()).To(Equal(int64(2)))
		r := b.run(ctx, "secret\n", "publish")
		Expect(r.failure).To(MatchError(ContainSubstring("certificate")))
		Expect(b.written()).To(Equal(int64(2)))
	})

	DescribeTable("takes the gateway's word for the message that ends a stream, and for all behind",
		func(ctx SpecContext, secure bool, size int) {
			b := bind(ctx, secure, func(config *gateway.Config) { config.MaxBodyBytes = 1 << 10 })
			if secure {
				file := filepath.Join(GinkgoT().TempDir(), "ca.crt")
				block := &pem.Block{Type: "CERTIFICATE", Bytes: b.server.Certificate().Raw}
				Expect(os.WriteFile(file, pem.EncodeToMemory(block), 0o600)).To(Succeed())
				b.flags = append(b.flags, "--ca-file", file)
			}
			lines := "a\n" + strings.Repeat("y", size) + "\nc\nd\n"
			r := b.run(ctx, lines, "publish", "--max-message-bytes", "100000000")
			Expect(code(r.failure)).To(Equal(cli.ExitFailure), "%v", r.failure)
			Expect(r.failure).To(MatchError(ContainSubstring("1 message acknowledged; 3 messages certainly not written")))
			Expect(r.failure).To(MatchError(MatchRegexp("the gateway answers 413: .*at most 1024")))
			Expect(b.values(ctx)).To(Equal([]any{"a"}))
		},
		Entry("a small one", false, 2000),
		Entry("one that fits into no buffer", false, 900_000),
		Entry("by TLS", true, 900_000),
	)

	Context("at the limit of a caller", func() {
		limited := func(config *gateway.Config) {
			config.Limiter = caller.NewLimiter(caller.Limits{MessagesPerSecond: 10}, time.Now)
		}

		It("comes back when the gateway says", func(ctx SpecContext) {
			b := bind(ctx, false, limited)
			text, values := numbered(20)
			b.must(ctx, text, "publish")
			Expect(b.must(ctx, "again\n", "publish", "--key", "k")).To(HavePrefix("1 message acknowledged"))
			Expect(b.values(ctx)).To(ConsistOf(append(inOrder(values), "again")...))
			Expect(b.requests.Load()).To(BeNumerically(">=", 3))
		})

		It("gives up at once where it would not be in time", func(ctx SpecContext) {
			b := bind(ctx, false)
			b.between = func(w http.ResponseWriter, _ *http.Request) bool {
				refuse(w, "3600")
				return false
			}
			r := b.run(ctx, "one\n", "publish")
			Expect(code(r.failure)).To(Equal(cli.ExitFailure))
			Expect(r.failure).To(MatchError(ContainSubstring("1 message certainly not written")))
			Expect(b.requests.Load()).To(Equal(int64(1)))
		})
	})

	It("sends again what was refused for now, and nothing else", func(ctx SpecContext) {
		b := bind(ctx, false)
		b.between = func(w http.ResponseWriter, r *http.Request) bool {
			switch b.requests.Load() {
			case 1:
				refuse(w, "1")
			case 2: // the first message is written, then the gateway ends
				body, err := io.ReadAll(r.Body)
				Expect(err).NotTo(HaveOccurred())
				first := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body[:4+len("one")])).WithContext(r.Context())
				first.Header = r.Header
				answer := httptest.NewRecorder()
				b.handler.ServeHTTP(answer, first)
				w.Header().Set("Content-Type", "application/x-ndjson")
				w.WriteHeader(http.StatusMultiStatus)
				_, _ = w.Write(append(answer.Body.Bytes(), `{"status":503,"outcome":"refused","retryAfter":1}`+"\n"...))
			default:
				return true
			}
			return false
		}
		Expect(b.must(ctx, "one\ntwo\nthree\n", "publish", "--key", "k")).To(HavePrefix("3 messages acknowledged"))
		Expect(b.values(ctx)).To(Equal([]any{"one", "two", "three"}))
		Expect(b.requests.Load()).To(Equal(int64(3)))
	})

	Context("with --idempotency-key", func() {
		arguments := func(more ...string) []string {
			return append([]string{"publish", "--idempotency-key", "run-1"}, more...)
		}

		It("makes one message of each line, whatever becomes of answers", func(ctx SpecContext) {
			b := bind(ctx, false)
			var mu sync.Mutex
			tries := map[string]int{}
			b.between = func(w http.ResponseWriter, r *http.Request) bool {
				key := r.Header.Get("Idempotency-Key")
				mu.Lock()
				tries[key]++
				try, kind := tries[key], len(tries)%4
				mu.Unlock()
				if try > 1 {
					return true
				}
				switch kind {
				case 0: // written, and the answer says that nobody knows
					b.lost(r)
					w.WriteHeader(http.StatusGatewayTimeout)
				case 1: // written, and the connection breaks
					b.lost(r)
					panic(http.ErrAbortHandler)
				case 2: // refused for now
					refuse(w, "1")
				default:
					return true
				}
				return false
			}
			text, values := numbered(40)
			Expect(b.must(ctx, text, arguments()...)).To(HavePrefix("40 messages acknowledged"))
			Expect(b.values(ctx)).To(ConsistOf(values))
			Expect(b.requests.Load()).To(BeNumerically(">", 60))
		})

		It("publishes only what is new when it is run again, and nothing else by the same key", func(ctx SpecContext) {
			b := bind(ctx, false)
			b.must(ctx, "one\ntwo\n", arguments()...)
			Expect(b.must(ctx, "one\ntwo\nthree\n", arguments()...)).To(HavePrefix("3 messages"))
			b.between = b.afterOthers(2)
			r := b.run(ctx, "one\nanother\nthree\nfour\n", arguments("-o", "json")...)
			Expect(code(r.failure)).To(Equal(cli.ExitFailure))
			Expect(r.failure).To(MatchError(HavePrefix("3 messages acknowledged; 1 message certainly not written " +
				"(number 2), and none behind number 4 was sent: the gateway answers 422")))
			Expect(objects(r.out.String())).To(ConsistOf(HaveKeyWithValue("refused", ConsistOf(SatisfyAll(
				HaveKeyWithValue("from", 2.0), HaveKeyWithValue("to", 2.0),
				HaveKeyWithValue("reason", HavePrefix("the gateway answers 422: ")))))))
			Expect(r.failure).To(MatchError(ContainSubstring("the gateway answers 422: the Idempotency-Key was used")))
		})

		It("keeps the order of a key", func(ctx SpecContext) {
			b := bind(ctx, false)
			b.between = func(w http.ResponseWriter, r *http.Request) bool {
				if b.requests.Load()%7 != 3 {
					return true
				}
				b.lost(r)
				panic(http.ErrAbortHandler)
			}
			text, values := numbered(15)
			b.must(ctx, text, arguments("--key", "k")...)
			Expect(b.values(ctx)).To(Equal(inOrder(values)))
		})

		It("says what it does not know after all tries", func(ctx SpecContext) {
			b := bind(ctx, false)
			b.between = func(w http.ResponseWriter, r *http.Request) bool {
				if b.requests.Load() > 1 {
					refuse(w, "1")
					return false
				}
				b.lost(r)
				w.WriteHeader(http.StatusGatewayTimeout)
				return false
			}
			// A later refusal is no news of the first try.
			r := b.run(ctx, "one\n", arguments("--timeout", "400ms", "-o", "json")...)
			Expect(code(r.failure)).To(Equal(cli.ExitUnknown), "%v", r.failure)
			Expect(r.failure).To(MatchError(ContainSubstring("504")))
			unknown := map[string]any{"from": 1.0, "to": 1.0}
			Expect(objects(r.out.String())).To(ConsistOf(HaveKeyWithValue("unknown", Equal(unknown))))
			// One that only ever was refused is certain.
			r = b.run(ctx, "two\n", "publish", "--idempotency-key", "run-2", "--timeout", "200ms")
			Expect(code(r.failure)).To(Equal(cli.ExitFailure))
			Expect(r.failure).To(MatchError(ContainSubstring("1 message certainly not written")))
		})

		It("ends when it is interrupted", func(ctx SpecContext) {
			b := bind(ctx, false)
			b.between = func(w http.ResponseWriter, _ *http.Request) bool {
				refuse(w, "30")
				return false
			}
			interrupted, interrupt := context.WithCancel(ctx)
			done := make(chan error, 1)
			go func() {
				done <- execute(interrupted, strings.NewReader("one\n"), io.Discard, io.Discard,
					arguments("--binding", b.server.URL)...)
			}()
			Eventually(b.requests.Load).Should(Equal(int64(1)))
			interrupt()
			var failure error
			Eventually(done).Should(Receive(&failure))
			Expect(failure).To(HaveOccurred())
			Expect(errors.Is(failure, context.DeadlineExceeded)).To(BeFalse())
		})

		DescribeTable("takes only what can be one", func(ctx SpecContext, key string) {
			r := (&target{}).run(ctx, "", "publish", "x", "--binding", "http://a", "--idempotency-key", key)
			Expect(code(r.failure)).To(Equal(cli.ExitUsage))
		}, Entry(nil, "a key"), Entry(nil, strings.Repeat("k", 491)), Entry(nil, "é"))
	})
})
