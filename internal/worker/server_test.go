// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/worker"
)

func TestSuite(t *testing.T) {
	RegisterFailHandler(Fail)
	// What is broken has to heal within this time of its cause's going away.
	SetDefaultEventuallyTimeout(10 * time.Second)
	RunSpecs(t, "worker")
}

var before goleak.Option

var _ = BeforeSuite(func() { before = goleak.IgnoreCurrent() })

var _ = AfterSuite(func() {
	Eventually(func() error { return goleak.Find(before) }).Should(Succeed())
})

var _ = Describe("Server", func() {
	var (
		source  *scene
		metrics *worker.Metrics
		client  *http.Client
		address string
	)

	get := func(ctx context.Context, path string) (int, string) {
		GinkgoHelper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		response, err := client.Do(request)
		Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		Expect(err).NotTo(HaveOccurred())
		return response.StatusCode, string(body)
	}

	BeforeEach(func(specCtx SpecContext) {
		source = &scene{now: consuming()}
		metrics = worker.NewMetrics(source)
		client = &http.Client{Transport: &http.Transport{}}
		listener, err := (&net.ListenConfig{}).Listen(specCtx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		address = listener.Addr().String()

		logger := slog.New(slog.NewTextHandler(GinkgoWriter, nil))
		server := worker.NewServer(source, worker.NewMonitor(source, logger), metrics, logger)
		// The spec's context ends before its cleanups run.
		ctx, stop := context.WithCancel(context.WithoutCancel(specCtx))
		ended := make(chan error, 1)
		go func() { ended <- server.Run(ctx, listener) }()
		DeferCleanup(func() {
			client.CloseIdleConnections()
			stop()
			Eventually(ended).Should(Receive(BeNil()))
		})
	})

	It("is healthy as long as the loop goes round", func(ctx SpecContext) {
		code, body := get(ctx, "/healthz")
		Expect(code).To(Equal(http.StatusOK))
		Expect(body).To(Equal("ok\n"))
		source.change(func(o *worker.Observation) { o.Beat = o.At.Add(-time.Minute) })
		code, body = get(ctx, "/healthz")
		Expect(code).To(Equal(http.StatusServiceUnavailable))
		Expect(body).To(ContainSubstring("not gone round for 1m0s"))
	})

	It("is ready while registered with a valid lease, and else says why", func(ctx SpecContext) {
		code, _ := get(ctx, "/readyz")
		Expect(code).To(Equal(http.StatusOK))
		source.change(func(o *worker.Observation) {
			o.Session.Connected, o.Registered, o.Session.Err = false, false, errors.New("no such host")
		})
		code, body := get(ctx, "/readyz")
		Expect(code).To(Equal(http.StatusServiceUnavailable))
		Expect(body).To(Equal(
			"NotConnected: no session with ZooKeeper at zk:2181: no such host (since 2026-09-24T12:00:00Z)\n"))
	})

	It("gives the status as JSON", func(ctx SpecContext) {
		code, body := get(ctx, "/v1/status")
		Expect(code).To(Equal(http.StatusOK))
		Expect(body).To(ContainSubstring(`"state": "Owned"`))
	})

	It("gives metrics under stable names", func(ctx SpecContext) {
		source.change(func(o *worker.Observation) {
			o.Counters = worker.Counters{
				RecordsFetched: 9, RecordsDelivered: 7, Redeliveries: 1, SessionExpirations: 2,
				RecordsFailed: map[string]uint64{"retry": 3}, Rebalances: map[string]uint64{"members": 4},
			}
			o.Partitions[0].Blocked = &worker.Block{}
			o.Partitions[0].End = -1
		})
		metrics.Delivered(3*time.Millisecond, noon.Add(-time.Second), noon)
		metrics.Delivered(3*time.Millisecond, time.Time{}, noon)
		_, body := get(ctx, "/metrics")
		const two, ten = `{group="billing",partition="2",topic="orders"} `, `{group="billing",partition="10",topic="orders"} `
		for _, line := range []string{
			"samsa_worker_records_fetched_total 9",
			"samsa_worker_records_delivered_total 7",
			`samsa_worker_records_failed_total{reason="retry"} 3`,
			"samsa_worker_redeliveries_total 1",
			"samsa_worker_inflight 4",
			`samsa_worker_delivery_seconds_bucket{le="0.004"} 2`,
			"samsa_worker_e2e_latency_seconds_count 1",
			`samsa_group_rebalances_total{cause="members"} 4`,
			"samsa_zk_session_state 2",
			"samsa_zk_session_expirations_total 2",
			`samsa_group_offset_info{group="billing",unit="messages"} 1`,
			"samsa_worker_records_lost_to_retention_total" + two + "0",
			"samsa_group_partition_lag" + two + "20",
			"samsa_group_partition_committed_offset" + two + "10",
			"samsa_group_partition_end_offset" + two + "30",
			"samsa_group_partition_owned" + two + "1",
			"samsa_group_partition_blocked" + two + "0",
			"samsa_group_partition_blocked" + ten + "1",
			"samsa_group_partition_last_progress_timestamp_seconds" + two + "1.7902512e+09",
		} {
			Expect(body).To(ContainSubstring(line + "\n"))
		}
		Expect(body).NotTo(ContainSubstring("samsa_group_partition_lag"+ten), "an end that is unknown makes no lag")
	})

	It("calls no bytes of Kafka 0.7 messages", func(ctx SpecContext) {
		source.change(func(o *worker.Observation) {
			o.Partitions = o.Partitions[:1]
			o.Partitions[0].Partition.ID, o.Partitions[0].LostToRetention = "1-0", 512
		})
		_, body := get(ctx, "/metrics")
		Expect(body).To(ContainSubstring(`samsa_group_offset_info{group="billing",unit="bytes"} 1` + "\n"))
		Expect(body).To(ContainSubstring(
			`samsa_worker_bytes_lost_to_retention_total{group="billing",partition="1-0",topic="orders"} 512` + "\n"))
		Expect(body).NotTo(ContainSubstring("records_lost"))
	})

	It("knows no other path and no other method", func(ctx SpecContext) {
		code, _ := get(ctx, "/")
		Expect(code).To(Equal(http.StatusNotFound))
		body := strings.NewReader("{}")
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/status", body)
		Expect(err).NotTo(HaveOccurred())
		response, err := client.Do(request)
		Expect(err).NotTo(HaveOccurred())
		response.Body.Close()
		Expect(response.StatusCode).To(Equal(http.StatusMethodNotAllowed))
	})

	It("ends with an error when it cannot listen any more", func(ctx SpecContext) {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		listener.Close()
		logger := slog.New(slog.DiscardHandler)
		server := worker.NewServer(source, worker.NewMonitor(source, logger), metrics, logger)
		Expect(server.Run(ctx, listener)).To(MatchError(net.ErrClosed))
	})
})

// A client that sends its request a byte at a time holds a connection for a bounded time.
func TestServerCutsOffSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &scene{now: consuming()}
		logger := slog.New(slog.DiscardHandler)
		server := worker.NewServer(source, worker.NewMonitor(source, logger), worker.NewMetrics(source), logger)
		near, far := net.Pipe()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Run(ctx, &oneConn{conn: far, closed: make(chan struct{})}) }()

		began := time.Now()
		drops := make(chan struct{})
		go func() {
			defer close(drops)
			_, _ = io.Copy(io.Discard, near)
		}()
		for _, b := range bytes.Repeat([]byte("GET /healthz HTTP/1.1\r\nX: "), 100) {
			if _, err := near.Write([]byte{b}); err != nil {
				break
			}
			time.Sleep(time.Second) //nolint:forbidigo // in a bubble this is the slow client, and takes no time
		}
		<-drops
		if held := time.Since(began); held > 10*time.Second {
			t.Errorf("held for %s", held)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if conn := l.conn; conn != nil {
		l.conn = nil
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (*oneConn) Addr() net.Addr { return &net.TCPAddr{} }
