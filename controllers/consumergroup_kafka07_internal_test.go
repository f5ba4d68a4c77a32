// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// What cannot be fetched is told of by partition, with the transport's reason, and the sink is not to blame.
func TestStuckPartitionsAreToldWithTheirReason(t *testing.T) {
	s := consuming()
	*s.first() = worker.PartitionStatus{Topic: "orders", Partition: "0", State: worker.Blocked,
		Blocked: &worker.Block{Since: noon, Reason: "at 512: 2000000 bytes, more than 1000000"}}
	status := statusOf(s, &v1alpha1.ConsumerGroupStatus{})
	row := status.Partitions[0]
	if row.State != v1alpha1.PartitionBlocked || row.Reason != "at 512: 2000000 bytes, more than 1000000" ||
		!row.Since.Time.Equal(noon) || *status.BlockedPartitions != 1 {
		t.Errorf("got %+v", row)
	}
	message := meta.FindStatusCondition(status.Conditions, "Delivering").Message
	if !strings.HasPrefix(message, "What comes next in orders/0 cannot be fetched") || strings.Contains(message, "sink") {
		t.Errorf("got %s", message)
	}
}

// With Kafka 0.7 positions are bytes, and nothing may call them messages.
func TestLagOfKafka07IsInBytes(t *testing.T) {
	s := consuming()
	s.edit(func(v *client.GroupView) {
		for i := range v.Partitions {
			v.Partitions[i].Partition.ID, v.Partitions[i].Lag = fmt.Sprintf("1-%d", i), 100_000
		}
	})
	status := statusOf(s, &v1alpha1.ConsumerGroupStatus{})
	if status.LagUnit != v1alpha1.LagUnitBytes || *status.Lag != 400_000 || status.Columns.Lag != "400kB" {
		t.Errorf("got %d %s, %q", *status.Lag, status.LagUnit, status.Columns.Lag)
	}
}

// A topic without partitions is one that no broker has, unless its nodes cannot be read.
func TestWhyATopicHasNoPartitions(t *testing.T) {
	for path, want := range map[string]string{
		"/consumers/billing/ids/x":   "1 topic on no live broker: orders; start the brokers that have it, or publish to it",
		"/brokers/topics/ordersmore": "1 topic on no live broker: orders; start the brokers that have it, or publish to it",
		"/brokers/topics/orders": "What stands in ZooKeeper about topic orders cannot be understood: " +
			"/brokers/topics/orders: no JSON",
		"/brokers/topics/orders/1": "What stands in ZooKeeper about topic orders cannot be understood: " +
			"/brokers/topics/orders/1: no JSON",
	} {
		s := consuming()
		s.edit(func(v *client.GroupView) {
			v.Partitions, v.Problems = nil, []layout.Problem{{Path: path, Reason: "no JSON"}}
		})
		status := statusOf(s, &v1alpha1.ConsumerGroupStatus{})
		if got := meta.FindStatusCondition(status.Conditions, "TopicsResolved").Message; got != want {
			t.Errorf("%s: got %s", path, got)
		}
	}
}
