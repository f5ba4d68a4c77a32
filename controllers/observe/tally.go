// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// tally counts what the observer does.
type tally struct {
	read, failed, asked, silent atomic.Uint64
}

// note turns an answer into what is known of the worker: without a new status the last one stays, with its time.
func (t *tally) note(known Worker, a answer) Worker {
	t.asked.Add(1)
	if a.err != nil {
		t.silent.Add(1)
		known.Err = a.err
		return known
	}
	return Worker{At: a.at, Status: a.status}
}

var (
	watchedDescription = prometheus.NewDesc("samsa_observer_groups",
		"ConsumerGroups that are observed.", nil, nil)
	readsDescription = prometheus.NewDesc("samsa_observer_reads_total",
		"Readings of groups from ZooKeeper and the brokers.", []string{"result"}, nil)
	pollsDescription = prometheus.NewDesc("samsa_observer_polls_total",
		"Questions put to workers.", []string{"result"}, nil)
)

// Describe implements prometheus.Collector.
func (o *Observer) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(o, to) }

// Collect implements prometheus.Collector.
func (o *Observer) Collect(to chan<- prometheus.Metric) {
	o.mu.Lock()
	watched := len(o.there)
	o.mu.Unlock()
	to <- prometheus.MustNewConstMetric(watchedDescription, prometheus.GaugeValue, float64(watched))
	count := func(description *prometheus.Desc, n uint64, result string) {
		to <- prometheus.MustNewConstMetric(description, prometheus.CounterValue, float64(n), result)
	}
	failed, silent := o.tally.failed.Load(), o.tally.silent.Load()
	count(readsDescription, o.tally.read.Load(), "success")
	count(readsDescription, failed, "failure")
	count(pollsDescription, o.tally.asked.Load()-silent, "success")
	count(pollsDescription, silent, "failure")
}
