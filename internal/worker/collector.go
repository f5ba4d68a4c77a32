// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

var partitionLabels = []string{"group", "topic", "partition"}

// The descriptions are constants that Go cannot declare as such.
var (
	fetchedDesc = describe("samsa_worker_records_fetched_total", "Records fetched.")
	doneDesc    = describe("samsa_worker_records_delivered_total", "Records that the sink acknowledged.")
	failedDesc  = describe("samsa_worker_records_failed_total",
		"Attempts at a record that failed, by what the sink answered.", "reason")
	againDesc = describe("samsa_worker_redeliveries_total", "Attempts at a record after its first.")
	lostDesc  = describe("samsa_worker_records_lost_to_retention_total",
		"Offsets that retention removed before they were delivered.", partitionLabels...)
	lostBytesDesc = describe("samsa_worker_bytes_lost_to_retention_total",
		"Bytes that retention removed before they were delivered: Kafka 0.7 counts no records.", partitionLabels...)
	inflightDesc = describe("samsa_worker_inflight", "Records at the sink now.")

	rebalancesDesc = describe("samsa_group_rebalances_total", "Changes of this worker's share, by cause.", "cause")
	sessionDesc    = describe("samsa_zk_session_state",
		"Session with ZooKeeper: 0 none, 1 perhaps expired, 2 certain to live.")
	expirationsDesc = describe("samsa_zk_session_expirations_total", "Sessions that expired.")

	unitDesc = describe("samsa_group_offset_info",
		"What offsets and lag count, as unit: messages, or bytes with Kafka 0.7.", "group", "unit")
	lagDesc = describe("samsa_group_partition_lag",
		"End less committed offset: messages, or bytes with Kafka 0.7.", partitionLabels...)
	committedDesc = describe("samsa_group_partition_committed_offset",
		"Committed offset; with Kafka 0.7, a place in bytes.", partitionLabels...)
	endDesc = describe("samsa_group_partition_end_offset",
		"Offset that the next record written will get, as of the last fetch; with Kafka 0.7, a place in bytes.",
		partitionLabels...)
	ownedDesc = describe("samsa_group_partition_owned",
		"1 if this worker holds the partition's claim, 0 if it is to and does not yet.", partitionLabels...)
	blockedDesc = describe("samsa_group_partition_blocked",
		"1 if the partition's oldest record keeps failing, or cannot be fetched.", partitionLabels...)
	progressDesc = describe("samsa_group_partition_last_progress_timestamp_seconds",
		"When the sink last acknowledged the partition's oldest record.", partitionLabels...)
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// collector turns a snapshot into metrics at the moment of a scrape.
type collector struct{ source Source }

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		fetchedDesc, doneDesc, failedDesc, againDesc, lostDesc, lostBytesDesc, inflightDesc, rebalancesDesc, sessionDesc,
		expirationsDesc, unitDesc, lagDesc, committedDesc, endDesc, ownedDesc, blockedDesc, progressDesc,
	} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	o := c.source.Snapshot()
	send := sender(out)
	send.counter(fetchedDesc, o.Counters.RecordsFetched)
	send.counter(doneDesc, o.Counters.RecordsDelivered)
	send.counter(againDesc, o.Counters.Redeliveries)
	send.counter(expirationsDesc, o.Counters.SessionExpirations)
	for reason, count := range o.Counters.RecordsFailed {
		send.counter(failedDesc, count, reason)
	}
	for cause, count := range o.Counters.Rebalances {
		send.counter(rebalancesDesc, count, cause)
	}
	send.gauge(sessionDesc, sessionState(o))
	inflight := 0
	for _, lane := range o.Partitions {
		inflight += lane.InFlight
		send.lane(o.Group, lane)
	}
	send.gauge(inflightDesc, float64(inflight))
	if len(o.Partitions) > 0 { // all of one cluster
		unit := UnitOf(o.Partitions[0].Partition.ID)
		send.gauge(unitDesc, 1, o.Group, strings.ToLower(string(unit)))
	}
}

// sender makes metrics of numbers.
type sender chan<- prometheus.Metric

func (s sender) counter(desc *prometheus.Desc, value uint64, labels ...string) {
	s <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
}

func (s sender) gauge(desc *prometheus.Desc, value float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

// lane sends what is known of a partition: a gauge that is missing says "unknown", which 0 would not.
func (s sender) lane(group string, lane Lane) {
	labels := []string{group, lane.Partition.Topic, lane.Partition.ID}
	s.gauge(ownedDesc, truth(lane.State.owns()), labels...)
	s.gauge(blockedDesc, truth(lane.Blocked != nil), labels...)
	lost := lostDesc
	if UnitOf(lane.Partition.ID) == Bytes {
		lost = lostBytesDesc
	}
	s.counter(lost, lane.LostToRetention, labels...)
	if lane.Committed >= 0 {
		s.gauge(committedDesc, float64(lane.Committed), labels...)
	}
	if lane.End >= 0 {
		s.gauge(endDesc, float64(lane.End), labels...)
	}
	if lag, known := lane.Lag(); known {
		s.gauge(lagDesc, float64(lag), labels...)
	}
	if !lane.Progress.IsZero() {
		s.gauge(progressDesc, float64(lane.Progress.UnixMilli())/1000, labels...)
	}
}

func sessionState(o Observation) float64 {
	switch {
	case o.At.Before(o.Session.LeaseUntil):
		return 2
	case o.Session.Connected:
		return 1
	}
	return 0
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
