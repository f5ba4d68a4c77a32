// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package connections

import "github.com/prometheus/client_golang/prometheus"

var (
	connectedDescription = prometheus.NewDesc("samsa_kafkacluster_connected",
		"1 while the cluster of a KafkaCluster answers the operator, else 0.",
		[]string{"namespace", "kafkacluster"}, nil)
	openedDescription = prometheus.NewDesc("samsa_kafkacluster_connections_opened_total",
		"Connections opened to Kafka clusters; more than there are KafkaClusters where settings changed.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *Cache) Describe(to chan<- *prometheus.Desc) {
	to <- connectedDescription
	to <- openedDescription
}

// Collect implements prometheus.Collector.
func (c *Cache) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, held := range c.there {
		connected := 0.0
		if held.cluster != nil && answers(held.cluster) {
			connected = 1
		}
		to <- prometheus.MustNewConstMetric(connectedDescription, prometheus.GaugeValue, connected, key.Namespace, key.Name)
	}
	to <- prometheus.MustNewConstMetric(openedDescription, prometheus.CounterValue, float64(c.opened))
}
