// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/samsa-dev/samsa/pkg/client"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Metrics are what /metrics answers. Names are stable: dashboards and alerts stand on them.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	acks     prometheus.Histogram
	// What became of messages. With acks none, who knows.
	written, sent, refused, unknown prometheus.Counter
}

// NewMetrics registers everything in a registry of its own. buffered tells how many bytes have no outcome yet.
func NewMetrics(buffered func() int) *Metrics {
	outcomes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "samsa_producer_messages_total",
		Help: "Messages by what became of them; sent: nobody acknowledges, refused: certainly not written.",
	}, []string{"outcome"})
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "samsa_producer_requests_total", Help: "Requests that were answered, by status code.",
		}, []string{"code"}),
		acks: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "samsa_producer_ack_seconds",
			Help: "Time from a message's handing over to the producer to the acknowledgment by a broker.",
			// 0.25 ms, a broker next door, to 33 s, just above the default timeout: 18 buckets, doubling.
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 18),
		}),
		written: outcomes.WithLabelValues("written"), sent: outcomes.WithLabelValues("sent"),
		refused: outcomes.WithLabelValues("refused"), unknown: outcomes.WithLabelValues("unknown"),
	}
	m.registry.MustRegister(
		m.requests, m.acks, outcomes,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "samsa_producer_buffered_bytes", Help: "Bytes of messages that have no outcome yet.",
		}, func() float64 { return float64(buffered()) }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// observe counts a request. Probes are not of callers.
func (m *Metrics) observe(o handling.Observation) {
	if o.Route == "/healthz" || o.Route == "/readyz" {
		return
	}
	m.answered(o.Status)
}

// answered counts a request of a caller.
func (m *Metrics) answered(status int) { m.requests.WithLabelValues(strconv.Itoa(status)).Inc() }

// outcome counts a message.
func (m *Metrics) outcome(produced client.Produced, err error) {
	switch {
	case err == nil && produced.Held:
		m.acks.Observe(produced.Took.Seconds())
		m.written.Inc()
	case err == nil:
		m.sent.Inc()
	case isRefused(err):
		m.refused.Inc()
	default:
		m.unknown.Inc()
	}
}

func isRefused(err error) bool {
	_, certain := errors.AsType[*kafka.Refused](err)
	return certain
}

// maxScrapes bounds scrapes at the same time: one Prometheus, its twin, and somebody with curl.
const maxScrapes = 4

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}
