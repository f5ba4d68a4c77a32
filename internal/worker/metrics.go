// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what /metrics answers. Gauges and counters are read from a snapshot when somebody scrapes; only the two
// histograms are fed while messages flow, once for each batch. So the path of a record never touches a metric.
//
// Names are stable: dashboards and alerts stand on them.
type Metrics struct {
	registry *prometheus.Registry
	delivery prometheus.Histogram
	latency  prometheus.Histogram
}

// NewMetrics registers everything in a registry of its own.
func NewMetrics(source Source) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		delivery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "samsa_worker_delivery_seconds",
			Help: "Time of one attempt at the sink with one batch.",
			// 0.5 ms, a sink next door, to 32 s, just above the default timeout of an attempt: 17 buckets, doubling.
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 17),
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "samsa_worker_e2e_latency_seconds",
			Help: "Time from a record's timestamp to its acknowledgment, of the last record of each batch.",
			// 1 ms to 4.5 hours: 13 buckets, times four. Lag is minutes or hours when it matters.
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 13),
		}),
	}
	m.registry.MustRegister(
		m.delivery, m.latency, &collector{source: source},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Delivered records an attempt with one batch: how long it took, and the timestamp of its newest acknowledged record
// (zero where there is none). Safe for concurrent use.
func (m *Metrics) Delivered(took time.Duration, newest, now time.Time) {
	m.delivery.Observe(took.Seconds())
	if !newest.IsZero() {
		m.latency.Observe(max(0, now.Sub(newest).Seconds()))
	}
}

// maxScrapes bounds scrapes at the same time: one Prometheus, its twin, and somebody with curl.
const maxScrapes = 4

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}
